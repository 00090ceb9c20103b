"""A real repository, recorded: through Dagster's own job, held against what another project's code computes of it."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.definitions import build_definitions
from prpipeline.model.repository import RepositoryName
from prpipeline.publish.release import open_published
from prpipeline.sandbox.github import Sandbox, recorded_world
from prpipeline_tests.support.sync_lab import make_settings

SHARED = Path(os.environ.get("PRPIPELINE_SHARED") or Path(__file__).parents[3] / "shared")
RECORDING = SHARED / "data" / "secp256k1"
NAME = "bitcoin-core/secp256k1"

pytestmark = pytest.mark.skipif(
    not RECORDING.is_dir(), reason=f"the recording is not at hand: {RECORDING} does not exist"
)


def seconds_by_others() -> dict[int, float | None]:
    """Seconds to the first review by someone else who is no bot, whenever it came."""
    with (RECORDING / "third_party_times.csv").open(newline="") as file:
        return {
            int(row["number"]): float(row["im_first_review_s"]) if row["im_first_review_s"] else None
            for row in csv.DictReader(file)
        }


def only_reviewed_after_merge() -> set[int]:
    """Pull requests whose reviews by others all came after the merge, read from the recording itself."""
    with gzip.open(RECORDING / "pulls.jsonl.gz", "rt") as file:
        pulls = {pull["number"]: pull for pull in map(json.loads, file)}
    times: dict[int, list[datetime]] = defaultdict(list)
    with gzip.open(RECORDING / "reviews.jsonl.gz", "rt") as file:
        for review in map(json.loads, file):
            pull, user = pulls[review["pull_number"]], review["user"]
            author = (pull["user"] or {}).get("id")
            if review.get("_inferred_from_comments") or (user and user["id"] == author):
                continue
            if not (user and user["login"].endswith("[bot]")):
                times[review["pull_number"]].append(datetime.fromisoformat(review["submitted_at"]))
    return {
        number
        for number, submitted in times.items()
        if pulls[number]["merged_at"] and min(submitted) > datetime.fromisoformat(pulls[number]["merged_at"])
    }


def test_the_whole_way_through_dagster(tmp_path: Path) -> None:
    world = recorded_world(RECORDING)
    with Sandbox(world) as server, dg.instance_for_test() as instance:
        settings = make_settings(server, tmp_path)
        pipeline = Pipeline(settings)
        pipeline.track([RepositoryName.parse(NAME)], tracked_by="cli")
        instance.add_dynamic_partitions("repositories", [NAME])
        definitions = build_definitions(settings, {"pipeline": pipeline})
        for job in ("sync", "publish"):
            assert definitions.resolve_job_def(job).execute_in_process(instance=instance).success
        for asset in ("pull_requests", "reviews", "review_events"):
            assert instance.get_materialized_partitions(dg.AssetKey(["raw", asset])) == {NAME}
        tails = sum(
            max(0, -(-(len(pr.reviews) - 50) // 100))
            for r in world.repositories.values()
            for pr in r.pull_requests.values()
        )
        assert len(server.requests) <= -(-1308 // 25) + tails
        assert server.max_in_flight == 1

    with open_published(settings.published_path) as connection:
        assert connection.execute("SELECT count(*) FROM pull_requests").fetchall() == [(1308,)]
        assert connection.execute("SELECT count(*) FROM reviews").fetchall() == [(2592,)]
        rows = connection.execute(
            "SELECT number, review_time_hours, null_reason FROM review_time_hours"
        ).fetchall()

    late, wrong = only_reviewed_after_merge(), []
    others = seconds_by_others()
    assert len(rows) == len(others) == 1308
    for number, hours, reason in rows:
        seconds = others[number]
        if number in late:
            agrees = hours is None and reason == "only_after_merge"
        elif seconds is None:
            agrees = hours is None
        else:
            agrees = hours is not None and abs(hours - seconds / 3600) <= 0.005 + 1e-9
        if not agrees:
            wrong.append((number, hours, seconds, reason))
    assert wrong == []
    assert late
