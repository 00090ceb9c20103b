"""The daemon, the webserver and a browser, for real: what is to happen unattended happens, once, and can be seen.

One server serves all tests of this file, in their order.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.defs.jobs import STEP
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Sandbox, World, generated_world
from prpipeline.settings import load_settings
from prpipeline_tests.support import chromium, dagster_browser
from prpipeline_tests.support.dagster_server import DagsterServer, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

ONE, TWO, THREE = (f"bulk/repository-{number}" for number in (1, 2, 3))
GONE = "bulk/no-such-thing"
MANY = [f"bulk/repository-{number}" for number in range(4, 203)]


@pytest.fixture(scope="module")
def world() -> World:
    return generated_world(repositories=202, pull_requests=3, reviews_per_pr=2)


@pytest.fixture(scope="module")
def github(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as server:
        yield server


@pytest.fixture(scope="module")
def dagster(github: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterServer]:
    server = DagsterServer(tmp_path_factory.mktemp("dagster"), github.url)
    server.repositories_file.write_text("repositories: []\n", encoding="utf-8")
    with server.running():
        yield server


def pipeline_of(dagster: DagsterServer) -> Pipeline:
    return Pipeline(load_settings(dict(dagster.environment)))


def publications(dagster: DagsterServer) -> int:
    return len(dagster.runs("publish"))


def last_attempt(dagster: DagsterServer, name: str) -> datetime | None:
    return next(
        t.last_attempt_at for t in pipeline_of(dagster).tracking.tracked_rows() if t.tracked_as == name
    )


def test_a_partition_added_in_the_ui_gets_its_history_and_is_published(dagster: DagsterServer) -> None:
    dagster.add_partition(ONE)
    dagster.add_partition("not a repository")
    wait_for("The history", lambda: ONE in dagster.partitions()["materialized"])
    dagster.wait_until_quiet()
    assert dagster.partitions() == {"all": [ONE], "materialized": [ONE], "failed": []}
    assert len(dagster.runs("sync")) == publications(dagster) == 1
    assert len(pipeline_of(dagster).stored.latest(10)) == 3


def test_two_hundred_repositories_of_a_schedule_end_with_one_publication(
    dagster: DagsterServer, github: Sandbox
) -> None:
    before = publications(dagster)
    github.reset_requests()
    # Straight into the warehouse, as one transaction: the sensor and the schedule see all or nothing.
    dagster.repositories_file.write_text(f"repositories: {[TWO, THREE, GONE, *MANY]}\n", encoding="utf-8")
    wait_for("Tracking", lambda: len(dagster.partitions()["all"]) == len(MANY) + 4)
    (request,) = dagster.dry_run("daily_sync", time.time())
    dagster.launch("sync", request["runConfigYaml"])
    dagster.wait_until_quiet(300)
    found = dagster.partitions()
    assert found["failed"] == [GONE]
    assert set(found["materialized"]) == {ONE, TWO, THREE, *MANY}
    assert publications(dagster) == before + 1
    assert github.max_in_flight == 1  # two runs wanted it at once: the credential's lock kept them apart


@pytest.mark.skipif(chromium.executable() is None, reason="no chromium on this machine")
def test_a_failed_run_shows_a_sentence_and_no_stack(dagster: DagsterServer, tmp_path: Path) -> None:
    failed = next(run for run in dagster.runs("sync") if run["status"] == "FAILURE")
    with dagster_browser.page(tmp_path) as page:
        page.goto(f"{dagster.url}/runs/{failed['runId']}")
        page.get_by_text("STEP_FAILURE").wait_for()
        page.get_by_text(f"{GONE}: Could not resolve to a Repository").first.wait_for()
        assert page.get_by_text("Stack Trace").count() == 0


def test_a_backfill_retries_what_failed_and_nothing_else(dagster: DagsterServer, world: World) -> None:
    before = publications(dagster)
    first = dagster.backfill(ONE, GONE)  # neighbours, so one run over a range
    wait_for("The backfill's failure", lambda: dagster.backfill_status(first) == "COMPLETED_FAILED")
    assert dagster.partitions()["failed"] == [GONE]
    assert ONE in dagster.partitions()["materialized"]
    tried = last_attempt(dagster, ONE)
    world.add_repository(GONE)
    again = dagster.backfill(GONE)
    wait_for("The backfill's success", lambda: dagster.backfill_status(again) == "COMPLETED_SUCCESS")
    assert dagster.partitions()["failed"] == []
    assert last_attempt(dagster, ONE) == tried
    dagster.wait_until_quiet()
    assert publications(dagster) - before in {1, 2}  # once after each backfill, or once after both


@pytest.mark.skipif(chromium.executable() is None, reason="no chromium on this machine")
def test_a_person_sees_and_materializes_a_partition(dagster: DagsterServer, tmp_path: Path) -> None:
    asset = f"{dagster.url}/assets/metrics/review_time_hours"
    with dagster_browser.page(tmp_path) as page:
        page.goto(f"{asset}?view=lineage")
        for name in ("pull_requests", "review_time_hours", "published_database"):
            page.get_by_text(name, exact=True).first.wait_for()

        page.goto(f"{asset}?view=partitions&partition={ONE.replace('/', '%2F')}")
        page.get_by_text("pull requests counted by GitHub").wait_for()
        page.get_by_text("Materialized", exact=True).first.wait_for()
        picture = page.get_by_role("img", name="Median hours until the first review, by week")
        picture.wait_for()
        assert picture.evaluate("image => image.complete && image.naturalWidth") > 400

        before = {run["runId"] for run in dagster.runs()}
        page.get_by_role("button", name="Materialize").first.click()
        page.get_by_role("button", name="Launch 1 run").click()
        launched = wait_for(
            "The run",
            lambda: [r for r in dagster.runs() if r["runId"] not in before and r["jobName"] != "publish"],
        )
        page.goto(f"{dagster.url}/runs/{launched[0]['runId']}")
        page.get_by_text("Success", exact=True).first.wait_for()

        dagster.wait_until_quiet()
        page.goto(f"{dagster.url}/assets/published_database")
        page.get_by_role("img", name="Median hours until the first review, by week").wait_for()


def test_a_killed_worker_is_started_again(dagster: DagsterServer, github: Sandbox, world: World) -> None:
    github.latency = 30
    world.open_pull_request(world.repository(ONE), "person-1", "One more")
    asked = len(github.requests)
    run = dagster.launch("sync", {"ops": {STEP: {"config": {"repositories": [ONE]}}}})
    wait_for("A request of the worker", lambda: len(github.requests) > asked)
    os.kill(dagster.worker(run), signal.SIGKILL)
    github.latency = 0
    retry = wait_for(
        "The retry", lambda: next((r for r in dagster.runs("sync") if r["parentRunId"] == run), None)
    )
    wait_for(
        "Its success",
        lambda: next(r["status"] for r in dagster.runs("sync") if r["runId"] == retry["runId"]) == "SUCCESS",
    )
    dagster.wait_until_quiet()
    assert len(pipeline_of(dagster).stored.latest(1000)) >= 4


def test_what_the_command_line_does_shows_within_half_a_minute(dagster: DagsterServer, world: World) -> None:
    runs, before = len(dagster.runs()), dagster.materialized_at("metrics", "review_time_hours", partition=ONE)
    published = dagster.materialized_at("published_database")
    world.open_pull_request(world.repository(ONE), "person-1", "Another one")
    subprocess.run(
        [sys.executable, "-m", "prpipeline", "sync", ONE],
        env=dagster.environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    wait_for(
        "The partition's event",
        lambda: dagster.materialized_at("metrics", "review_time_hours", partition=ONE) > before,
        30,
    )
    wait_for("The publication's event", lambda: dagster.materialized_at("published_database") > published, 30)
    dagster.wait_until_quiet()
    assert len(dagster.runs()) == runs  # nothing had to run for it


def test_untracking_takes_the_partition_away(dagster: DagsterServer) -> None:
    pipeline_of(dagster).tracking.untrack([RepositoryName.parse(ONE)], delete_data=False)
    wait_for("The partition's end", lambda: ONE not in dagster.partitions()["all"])


def test_its_terminal_shows_no_warning(dagster: DagsterServer) -> None:
    assert f"Dagster's UI: {dagster.url}" in dagster.log
    lines = [line for line in dagster.log.splitlines() if "warning" in line.lower()]
    # A partition that is no repository is worth one.
    assert [line for line in lines if "not a repository" not in line] == []
    assert f"{GONE}: Could not resolve to a Repository" in dagster.log
    assert "prpipeline/defs/assets.py" not in dagster.log
