"""Materialize all, as the UI launches it: what the run planned it does, or it fails; no check is left without a result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import dagster as dg
import pytest

from prpipeline.defs.keys import AGGREGATES, PUBLISHED, REVIEW_TIME_HOURS, SYNCED
from prpipeline.sandbox.github import Sandbox, World
from prpipeline_tests.support.dagster_lab import DagsterLab, failure_sentence, shared_lab

ONE, TWO, GONE = "bulk/repository-1", "bulk/repository-2", "bulk/no-such-thing"


def everything(lab: DagsterLab) -> list[dg.AssetKey]:
    return list(lab.definitions.resolve_asset_graph().get_all_asset_keys())


def materialized(result: dg.ExecuteInProcessResult) -> set[dg.AssetKey]:
    return {e.asset_key for e in result.get_asset_materialization_events() if e.asset_key}


def check_names(result: dg.ExecuteInProcessResult) -> set[str]:
    return {e.check_name for e in result.get_asset_check_evaluations()}


def all_checks(lab: DagsterLab) -> set[str]:
    return {key.name for key in lab.definitions.resolve_asset_graph().asset_check_keys}


class Launched(NamedTuple):
    lab: DagsterLab
    run: dg.ExecuteInProcessResult


@pytest.fixture(scope="module")
def everything_of_one() -> Iterator[Launched]:
    """All assets of a partition that a person has just added."""
    with shared_lab() as (lab, _):
        lab.tick()
        lab.add_partitions(ONE)
        yield Launched(lab, lab.run_partitions(ONE, selection=everything(lab)))


def test_one_partition_does_all_that_it_planned(everything_of_one: Launched) -> None:
    lab, run = everything_of_one
    assert run.success
    assert materialized(run) == {*SYNCED, *AGGREGATES, *PUBLISHED}
    assert check_names(run) == all_checks(lab)
    assert not run.filter_events(lambda event: event.is_step_skipped)
    assert len(lab.pipeline.stored.latest(10)) == 6
    assert isinstance(lab.publish_tick(), dg.SkipReason)  # it has published by itself


def test_a_partition_that_was_just_added_is_tracked_by_its_run(everything_of_one: Launched) -> None:
    lab = everything_of_one.lab
    assert [(t.tracked_as, t.tracked_by) for t in lab.pipeline.tracking.tracked_rows()] == [(ONE, "ui")]
    assert not lab.tick().run_requests


def test_where_one_fails_the_others_are_published_by_the_same_run(lab: DagsterLab) -> None:
    lab.track(ONE, GONE)
    result = lab.run_partitions(ONE, GONE, selection=everything(lab))
    assert not result.success
    assert "the others are done, and published by this run" in failure_sentence(result)
    assert check_names(result) == all_checks(lab)
    assert lab.status(REVIEW_TIME_HOURS) == {ONE: "MATERIALIZED", GONE: "FAILED"}
    assert len(lab.pipeline.stored.latest(100)) == 6
    assert isinstance(lab.publish_tick(), dg.SkipReason)


def test_a_name_that_github_does_not_know_fails_once(lab: DagsterLab, world: World) -> None:
    lab.tick()
    lab.add_partitions(GONE)
    result = lab.run_partitions(GONE)
    assert failure_sentence(result).startswith(f"{GONE}: Could not resolve to a Repository")
    assert lab.pipeline.tracking.tracked() == []
    assert not lab.tick().run_requests
    assert lab.partitions() == []
    lab.tick()
    assert not lab.tick().run_requests
    world.add_repository(GONE)
    lab.add_partitions(GONE)  # again: now it is one
    assert lab.run_partitions(GONE).success


def test_a_name_that_cannot_be_one_fails_with_one_sentence(lab: DagsterLab, github: Sandbox) -> None:
    lab.tick()
    lab.add_partitions("not a repository")
    sentence = failure_sentence(lab.run_partitions("not a repository"))
    assert sentence.startswith("not a repository: ")
    assert sentence.count("not a repository") <= 3
    assert not github.requests


def test_days_back_out_of_bounds_is_one_sentence(lab: DagsterLab) -> None:
    lab.track(ONE)
    assert failure_sentence(lab.run(days_back=-3)) == (
        "days_back is -3; write a number of days from 1 to 36500, or leave it empty."
    )


def test_what_is_no_longer_tracked_is_passed_over_and_not_tracked_again_by_a_run(lab: DagsterLab) -> None:
    lab.track(ONE, TWO)
    lab.tick()
    lab.untrack(TWO)  # before the sensor has looked again
    result = lab.run(repositories=[ONE, TWO])
    assert result.success
    assert lab.status(REVIEW_TIME_HOURS) == {ONE: "MATERIALIZED"}
    lab.run_partitions(TWO)
    assert lab.pipeline.tracking.tracked() == [ONE]
