"""A recorded real repository, synced by Dagster's job and compared with what another project computes from it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.definitions import build_definitions
from prpipeline.model.repository import RepositoryName
from prpipeline.publish.reader import open_published
from prpipeline.sandbox.github import Sandbox, recorded_world
from prpipeline_tests.support.dagster_lab import fixed
from prpipeline_tests.support.recorded import lines, third_party_times
from prpipeline_tests.support.shared_data import shared_data
from prpipeline_tests.support.sync_lab import make_settings

NAME = "bitcoin-core/secp256k1"


@pytest.fixture(scope="module")
def recording() -> Path:
    return shared_data("secp256k1")


def only_reviewed_after_merge(recording: Path) -> set[int]:
    """Pull requests that others reviewed only after the merge, read from the recording itself."""
    pulls = {pull["number"]: pull for pull in lines(recording / "pulls.jsonl.gz")}
    times: dict[int, list[datetime]] = defaultdict(list)
    for review in lines(recording / "reviews.jsonl.gz"):
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


@pytest.mark.slow
def test_a_recording_synced_by_dagster(recording: Path, tmp_path: Path) -> None:
    world = recorded_world(recording)
    with Sandbox(world) as server, dg.DagsterInstance.ephemeral() as instance:
        settings = make_settings(server, tmp_path)
        pipeline = Pipeline(settings)
        pipeline.tracking.track([RepositoryName.parse(NAME)], tracked_by="cli")
        instance.add_dynamic_partitions("repositories", [NAME])
        definitions = build_definitions(settings, {"pipeline": fixed(pipeline)})
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

    late, wrong = only_reviewed_after_merge(recording), []
    others = third_party_times(recording)
    assert len(rows) == len(others) == 1308
    for number, hours, reason in rows:
        # Seconds to the first review by a person other than the author, at any time.
        seconds = others[number]["im_first_review_s"]
        if number in late:
            agrees = hours is None and reason == "only_after_merge"
        elif seconds is None:
            agrees = hours is None
        else:
            agrees = hours is not None and abs(hours - float(seconds) / 3600) <= 0.005 + 1e-9
        if not agrees:
            wrong.append((number, hours, seconds, reason))
    assert wrong == []
    assert late
