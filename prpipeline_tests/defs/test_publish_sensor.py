"""After a batch there is one publication, no matter how many runs it had, how they ended and who started them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest

from prpipeline.app import pipeline as pipeline_module
from prpipeline.app.pipeline import Pipeline
from prpipeline.defs.keys import PUBLISHED_DATABASE, PULL_REQUESTS, REVIEW_TIME_REPORT
from prpipeline.defs.runs import PUBLISHED_BY_TAG
from prpipeline.report import FILE_NAME
from prpipeline.sandbox.github import World
from prpipeline.warehouse import WarehouseError
from prpipeline_tests.support.dagster_lab import DagsterLab, failure_sentence, shared_lab

ONE, TWO, GONE = "bulk/repository-1", "bulk/repository-2", "bulk/no-such-thing"


class Batch(NamedTuple):
    """Two runs, one of them with a repository that GitHub has not shown for days, the other of a year's pull requests.

    What the sensor asked for after them, twice, and what came of it.
    """

    lab: DagsterLab
    synced: dg.ExecuteInProcessResult
    request: dg.RunRequest | dg.SkipReason
    again: dg.RunRequest | dg.SkipReason
    published: dg.ExecuteInProcessResult


@pytest.fixture(scope="module")
def batch() -> Iterator[Batch]:
    with shared_lab() as (lab, _):
        lab.track(ONE, GONE, TWO)
        synced = lab.run(repositories=[ONE, GONE])
        lab.run(repositories=[TWO], days_back=365)
        with lab.pipeline.warehouse.transaction() as connection:
            connection.execute("UPDATE meta.repositories SET tracked_at = TIMESTAMP '2001-01-01'")
        request, again = lab.publish_tick(), lab.publish_tick()
        assert isinstance(request, dg.RunRequest)
        yield Batch(lab, synced, request, again, lab.request(request, "publish"))


def test_nothing_is_published_before_the_first_sync(lab: DagsterLab) -> None:
    assert isinstance(lab.publish_tick(), dg.SkipReason)


def test_several_runs_of_both_ends_are_followed_by_one_publication(batch: Batch) -> None:
    assert isinstance(batch.request, dg.RunRequest)
    assert isinstance(batch.again, dg.RunRequest)
    assert batch.again.run_key == batch.request.run_key  # the daemon takes it for the same run
    assert batch.published.success
    assert isinstance(batch.lab.publish_tick(), dg.SkipReason)


def test_what_was_published_and_the_report_beside_it(batch: Batch) -> None:
    event = batch.lab.instance.get_latest_materialization_event(PUBLISHED_DATABASE)
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert metadata["dagster/row_count"].value == 8  # six of ONE, two of TWO
    file = Path(str(metadata["file"].value))
    assert file == batch.lab.pipeline.settings.published_path
    assert (file.parent / FILE_NAME).stat().st_size > 1000
    report = batch.lab.instance.get_latest_materialization_event(REVIEW_TIME_REPORT)
    assert report is not None


def test_publishing_checks_all_data(batch: Batch) -> None:
    evaluations = {e.check_name: e for e in batch.published.get_asset_check_evaluations()}
    assert evaluations.keys() >= {
        "unique_reviews",
        "reviews_have_pull_request",
        "count_equals_github",  # TWO's partial history is not compared with it
        "no_review_before_pull_request",
        "watermark_is_current",
    }
    (failed,) = (name for name, evaluation in evaluations.items() if not evaluation.passed)
    assert failed == "watermark_is_current"  # a warning, which keeps nothing back
    assert GONE in str(evaluations[failed].metadata["first rows"].value)


def test_a_repository_that_has_failed_for_days_is_reported(batch: Batch) -> None:
    event = batch.lab.instance.get_latest_materialization_event(PUBLISHED_DATABASE)
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert metadata["repositories whose sync fails"].value == 1
    assert GONE in str(metadata["not up to date"].value)


def test_a_run_says_by_which_run_it_is_published(batch: Batch) -> None:
    run = batch.lab.instance.get_run_by_id(batch.synced.run_id)
    assert run is not None
    assert run.tags[PUBLISHED_BY_TAG] == batch.published.run_id


def test_what_dagster_did_itself_is_not_reported_as_done_outside(batch: Batch) -> None:
    assert not batch.lab.outside_tick().asset_events


def test_it_waits_for_syncs_that_are_under_way(lab: DagsterLab) -> None:
    lab.track(GONE)
    lab.run(repositories=[GONE])
    job = lab.definitions.resolve_job_def("sync")
    waiting = lab.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    skipped = lab.publish_tick()
    assert isinstance(skipped, dg.SkipReason)
    assert "under way" in str(skipped.skip_message)
    lab.instance.report_run_canceled(waiting)
    assert isinstance(lab.publish_tick(), dg.RunRequest)


@pytest.mark.slow
def test_syncs_that_changed_nothing_are_published_once_a_day(
    lab: DagsterLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.track(ONE, GONE)
    lab.run(repositories=[ONE, GONE])
    lab.run("publish")
    lab.run(repositories=[ONE, GONE])  # nothing new, and the same failure
    skipped = lab.publish_tick()
    assert isinstance(skipped, dg.SkipReason)
    assert str(skipped.skip_message).startswith("Nothing has changed since the publication of")
    monkeypatch.setattr(
        pipeline_module, "utc_now", lambda: datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    )
    assert isinstance(lab.publish_tick(), dg.RunRequest)


@pytest.mark.slow
def test_another_failure_is_published(lab: DagsterLab, world: World) -> None:
    lab.track(ONE, TWO)
    lab.run(repositories=[ONE, TWO])
    lab.run("publish")
    world.block_repository(TWO)
    lab.run(repositories=[ONE, TWO])
    assert isinstance(lab.publish_tick(), dg.RunRequest)


def test_what_the_command_line_has_published_since_is_not_published_again(lab: DagsterLab) -> None:
    lab.track(GONE)
    lab.run(repositories=[GONE])
    assert isinstance(lab.publish_tick(), dg.RunRequest)
    lab.pipeline.aggregate()
    lab.pipeline.publish(caller="command_line")
    skipped = lab.publish_tick()  # before the sensor of what was done outside has looked
    assert isinstance(skipped, dg.SkipReason)
    assert "Nothing has changed since the last publication" in str(skipped.skip_message)


def test_a_database_that_was_planned_is_not_taken_for_a_published_one(
    lab: DagsterLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise WarehouseError("The disk is full.")

    lab.track(ONE)
    monkeypatch.setattr(Pipeline, "publish", full_disk)
    result = lab.run_partitions(ONE, selection=[PULL_REQUESTS, PUBLISHED_DATABASE])
    assert failure_sentence(result) == "The disk is full."
    assert isinstance(lab.publish_tick(), dg.RunRequest)
