"""Old runs are forgotten, but nothing of what they came to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.defs.keys import RAW, REVIEW_TIME_HOURS
from prpipeline.defs.retention import forget_old_runs
from prpipeline.sandbox.github import Sandbox, World
from prpipeline.settings import Settings
from prpipeline_tests.support.dagster_lab import DagsterLab

ONE, TWO = "bulk/repository-1", "bulk/repository-2"


NOTHING = timedelta(seconds=-1)  # not even what ends now


def run_ids(lab: DagsterLab) -> set[str]:
    return {run.run_id for run in lab.instance.get_runs()}


@pytest.mark.slow
def test_runs_whose_numbers_others_renewed_are_forgotten(settings: Settings) -> None:
    with dg.instance_for_test() as instance:  # with files
        forget_what_others_renewed(DagsterLab(Pipeline(settings), instance))


def forget_what_others_renewed(lab: DagsterLab) -> None:
    lab.track(ONE, TWO)
    superseded = lab.run(repositories=[ONE]).run_id
    first_of_two = lab.run(repositories=[TWO]).run_id
    last_of_one = lab.run(repositories=[ONE]).run_id
    published = [lab.run("publish").run_id for _ in range(2)]
    shards = Path(lab.instance.root_directory) / "history" / "runs"
    assert (shards / f"{superseded}.db").exists()
    assert forget_old_runs(lab.instance, NOTHING) == 2
    assert run_ids(lab) == {first_of_two, last_of_one, published[1]}
    assert {file.stem for file in shards.glob("*.db")} & {superseded, published[0]} == set()
    for key in (*RAW, REVIEW_TIME_HOURS):
        assert lab.status(key) == {ONE: "MATERIALIZED", TWO: "MATERIALIZED"}
    assert lab.metadata(REVIEW_TIME_HOURS, ONE)["mode"] == "unchanged"
    assert forget_old_runs(lab.instance, NOTHING) == 0


def test_a_failure_that_was_mended_is_forgotten_and_runs_that_are_recent_or_under_way_stay(
    lab: DagsterLab, world: World
) -> None:
    lab.track(ONE, "bulk/late")
    lab.run(repositories=[ONE, "bulk/late"])
    world.add_repository("bulk/late")
    lab.run(repositories=[ONE, "bulk/late"])
    started = lab.instance.create_run_for_job(
        lab.definitions.resolve_job_def("sync"), status=dg.DagsterRunStatus.STARTED
    )
    assert forget_old_runs(lab.instance, timedelta(days=90)) == 0
    assert forget_old_runs(lab.instance, NOTHING) == 1
    assert started.run_id in run_ids(lab)
    assert lab.status(REVIEW_TIME_HOURS) == {ONE: "MATERIALIZED", "bulk/late": "MATERIALIZED"}


def test_one_that_was_under_way_at_the_bound_stays(lab: DagsterLab, github: Sandbox) -> None:
    moments: list[datetime] = []
    github.before_request = lambda _: moments.append(datetime.now(UTC))
    lab.track(ONE, TWO)
    lab.run(repositories=[ONE])
    bound = moments[0]
    lab.run(repositories=[TWO])
    assert forget_old_runs(lab.instance, datetime.now(UTC) - bound) == 0
    assert lab.status(REVIEW_TIME_HOURS) == {ONE: "MATERIALIZED", TWO: "MATERIALIZED"}


def test_the_job_does_it(lab: DagsterLab) -> None:
    assert lab.run("tidy").success
    schedule = lab.definitions.resolve_schedule_def("weekly_tidy")
    assert (schedule.job_name, schedule.cron_schedule) == ("tidy", "15 5 * * 0")
