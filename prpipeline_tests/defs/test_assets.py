"""Many partitions in one run, each reported by itself; a bad one harms no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import dagster as dg
import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.defs import metadata
from prpipeline.defs.keys import PULL_REQUESTS, RAW, REVIEW_TIME_HOURS, SYNCED
from prpipeline.sandbox.github import Sandbox, World
from prpipeline_tests.support.dagster_lab import DagsterLab, bulk_world, failure_sentence, shared_lab
from prpipeline_tests.support.disks import program
from prpipeline_tests.support.slow import some_slow

ONE, TWO, THREE = (f"bulk/repository-{number}" for number in (1, 2, 3))
GONE, MISSING = "bulk/no-such-thing", "bulk/nor-this"

_OPEN_IN_ANOTHER_PROGRAM = """
import sys, time, duckdb
while True:
    try:
        opened = duckdb.connect(sys.argv[1], read_only=True)
        break
    except duckdb.IOException:
        time.sleep(0.05)
print("ready", flush=True)
sys.stdin.read()
"""


TITLE = "<script>alert(1)</script> | [x](javascript:alert(1)) ![i](https://example.org/i.png)"


class Materialized(NamedTuple):
    lab: DagsterLab
    run: dg.ExecuteInProcessResult
    requests: int  # to GitHub


@pytest.fixture(scope="module")
def one_partition() -> Iterator[Materialized]:
    """A partition that was launched in the UI; the title of its last pull request is TITLE."""
    world = bulk_world()
    world.open_pull_request(world.repository(ONE), "person-1", TITLE)
    with shared_lab(world) as (lab, github):
        lab.track(ONE)
        run = lab.run_partitions(ONE, selection=SYNCED)
        yield Materialized(lab, run, len(github.requests))


@pytest.fixture(scope="module")
def metrics_alone() -> Iterator[Materialized]:
    """The metrics of a repository that is stored and of one that is not, launched without their raw tables."""
    with shared_lab() as (lab, github):
        lab.track(ONE, TWO)
        lab.run(repositories=[ONE])
        github.reset_requests()
        run = lab.run_partitions(ONE, TWO, selection=[REVIEW_TIME_HOURS])
        yield Materialized(lab, run, len(github.requests))


def test_a_partition_tells_its_numbers(one_partition: Materialized) -> None:
    lab = one_partition.lab
    assert one_partition.run.success
    found = lab.metadata(REVIEW_TIME_HOURS, ONE)
    assert found["dagster/partition_row_count"] == found["rows added"] == found["pull requests read"] == 7
    assert found["pull requests here"] == found["pull requests counted by GitHub"] > 0
    assert found["reviews read"] == 12
    assert found["requests"] == one_partition.requests >= 1
    assert found["window"].startswith("the beginning to ")
    assert "data:image/svg+xml," in found["review time by week"]
    assert found["preview"].startswith("|")
    assert lab.metadata(RAW[1], ONE)["dagster/partition_row_count"] == 12


def test_the_checks_of_one_asset_run_with_it_and_alone(one_partition: Materialized) -> None:
    keys = one_partition.lab.definitions.resolve_asset_graph().asset_check_keys
    own = {key.name for key in keys if key.asset_key in SYNCED}
    assert {e.check_name for e in one_partition.run.get_asset_check_evaluations()} == own


def test_what_people_wrote_is_shown_as_they_wrote_it(one_partition: Materialized) -> None:
    preview = one_partition.lab.metadata(PULL_REQUESTS, ONE)["preview"]
    row = next(line for line in preview.splitlines() if "script" in line)
    assert "<script" not in row
    assert "](" not in row
    assert row.count("|") == preview.splitlines()[0].count("|")


def test_runs_of_the_ui_are_followed_by_a_publication_too(one_partition: Materialized) -> None:
    assert isinstance(one_partition.lab.publish_tick(), dg.RunRequest)


def test_metrics_alone_ask_github_nothing(metrics_alone: Materialized) -> None:
    assert metrics_alone.requests == 0


def test_metrics_of_what_was_never_read_fail_with_a_sentence(metrics_alone: Materialized) -> None:
    assert failure_sentence(metrics_alone.run) == (
        "1 of 2 repositories failed; the others are done, and published by the next run of job 'publish'. "
        f"{TWO}: Nothing of it is stored yet; materialize raw/pull_requests first. " + metadata.AGAIN
    )
    assert metrics_alone.lab.status(REVIEW_TIME_HOURS) == {ONE: "MATERIALIZED", TWO: "FAILED"}


def test_metrics_alone_keep_their_picture_and_rows(metrics_alone: Materialized) -> None:
    found = metrics_alone.lab.metadata(REVIEW_TIME_HOURS, ONE)
    assert "data:image/svg+xml," in found["review time by week"]
    assert found["preview"].startswith("|")


@pytest.mark.parametrize("by", some_slow(["range", "list"], "list"))
def test_one_failing_repository_fails_alone_and_is_asked_for_again_alone(
    lab: DagsterLab, github: Sandbox, world: World, by: str
) -> None:
    lab.track(ONE, GONE, TWO)
    result = lab.run_partitions(ONE, TWO) if by == "range" else lab.run(repositories=[ONE, GONE, TWO])
    assert not result.success
    assert failure_sentence(result).startswith(
        f"1 of 3 repositories failed; the others are done, and published by the next run of job 'publish'. {GONE}: "
    )
    for key in SYNCED:
        assert lab.status(key) == {ONE: "MATERIALIZED", GONE: "FAILED", TWO: "MATERIALIZED"}
        assert GONE in lab.observed(key, GONE)["why it failed"]

    world.add_repository(GONE)
    github.reset_requests()
    assert lab.run_partitions(GONE).success
    assert lab.status(REVIEW_TIME_HOURS) == dict.fromkeys((ONE, GONE, TWO), "MATERIALIZED")
    assert not any("repository-1" in str(request.variables) for request in github.requests)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["range", "list"])
def test_what_a_stopped_run_did_not_reach_shows_as_failed(
    lab: DagsterLab, github: Sandbox, world: World, by: str
) -> None:
    """A person opens the warehouse in another program while the run is at its second repository."""
    lab.track(ONE, TWO, THREE)
    lab.run()
    with ExitStack() as stack:

        def hook(_: object) -> None:
            github.before_request = None
            stack.enter_context(program(_OPEN_IN_ANOTHER_PROGRAM, lab.pipeline.warehouse.path))

        github.before_request = hook
        world.open_pull_request(world.repository(TWO), "person-1", "One more")
        result = lab.run_partitions(ONE, THREE) if by == "range" else lab.run(repositories=[ONE, TWO, THREE])
    sentence = failure_sentence(result)
    assert sentence.startswith(f"3 of 3 repositories failed. {ONE}, {TWO}, {THREE}: The run stopped before")
    assert "is open in another program" in sentence
    assert lab.status(REVIEW_TIME_HOURS) == dict.fromkeys((ONE, TWO, THREE), "FAILED")
    assert "is open in another program" in lab.observed(PULL_REQUESTS, THREE)["why it failed"]
    assert lab.run(repositories=[ONE, TWO, THREE]).success


class InTurn(NamedTuple):
    """Three runs without a list of repositories: two syncs, and a reconciliation after a pull request was deleted."""

    statuses: dict[str, str]  # after the first
    second: dict[str, Any]  # metadata of ONE
    reconciled: dict[str, Any]


@pytest.fixture(scope="module")
def in_turn() -> Iterator[InTurn]:
    world = bulk_world()
    with shared_lab(world) as (lab, _):
        lab.track(ONE, TWO)
        assert lab.run().success
        statuses = lab.status(PULL_REQUESTS)
        assert lab.run().success
        second = lab.metadata(PULL_REQUESTS, ONE)
        with world.lock:
            world.delete_pull_request(next(iter(world.repository(ONE).pull_requests.values())))
        launchpad = {"full": False, "reconcile": False, "repositories": []}  # its defaults
        assert lab.run("reconcile", **launchpad).success
        yield InTurn(statuses, second, lab.metadata(PULL_REQUESTS, ONE))


def test_no_list_means_all_that_are_tracked(in_turn: InTurn) -> None:
    assert in_turn.statuses == {ONE: "MATERIALIZED", TWO: "MATERIALIZED"}


def test_a_second_run_adds_nothing(in_turn: InTurn) -> None:
    assert (in_turn.second["rows added"], in_turn.second["mode"]) == (0, "unchanged")


def test_the_reconcile_job_looks_closer(in_turn: InTurn) -> None:
    assert in_turn.reconciled["rows added"] == -1


@pytest.fixture(scope="module")
def lab_of_failures() -> Iterator[DagsterLab]:
    """Whose runs the tests read: each runs repositories that fail, and ONE at most."""
    with shared_lab() as (lab, _):
        lab.track(ONE, GONE, MISSING)
        yield lab


def test_a_name_that_is_not_tracked_fails_alone(lab_of_failures: DagsterLab) -> None:
    result = lab_of_failures.run(repositories=["octo/unknown", ONE.upper()])
    assert failure_sentence(result) == (
        "1 of 2 repositories failed; the others are done, and published by the next run of job 'publish'. "
        "octo/unknown: Not tracked. Track it first, or correct its spelling. " + metadata.AGAIN
    )
    assert lab_of_failures.status(REVIEW_TIME_HOURS)[ONE] == "MATERIALIZED"


def test_the_sentence_counts_as_people_do(lab_of_failures: DagsterLab) -> None:
    assert failure_sentence(lab_of_failures.run(repositories=[GONE])).startswith(f"{GONE}: ")
    both = failure_sentence(lab_of_failures.run(repositories=[GONE, MISSING]))
    assert both.startswith(f"2 of 2 repositories failed. {GONE}, {MISSING}: ")


def test_what_nobody_expected_shows_its_stack(lab: DagsterLab, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: object) -> None:
        raise RuntimeError("a surprise")

    lab.track(ONE)
    monkeypatch.setattr(Pipeline, "derive", surprise)
    (event,) = lab.run(repositories=[ONE]).filter_events(lambda event: event.is_step_failure)
    said = event.step_failure_data.error_display_string
    assert "RuntimeError: a surprise" in said
    assert "in surprise" in said


def test_a_wrong_token_is_a_sentence_too(lab: DagsterLab, github: Sandbox) -> None:
    lab.track(ONE, TWO)
    github.revoke_token("sandbox-token")
    assert "GITHUB_TOKEN" in failure_sentence(lab.run(repositories=[ONE, TWO]))
