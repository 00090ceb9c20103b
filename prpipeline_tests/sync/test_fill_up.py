"""Rows that were read by an earlier version are read again, some at a time, for the fields that they lack."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prpipeline.model.field_sets import FIELD_SET, WITHOUT_FIRST_COMMIT
from prpipeline.sandbox.github import Fault, Sandbox, World
from prpipeline.sync import SyncOptions
from prpipeline.sync.workers import sync_with_workers
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, let_pass, small_world


@pytest.fixture
def world() -> World:
    world = small_world(12, ("octo/app", "octo/lib"))
    let_pass(world, timedelta(hours=1))  # what is read in the second of its change is read again
    return world


@pytest.fixture
def server(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as running:
        yield running


def old_lab(world: World, server: Sandbox, folder: Path, api: str = "graphql", **settings: Any) -> SyncLab:
    """A lab whose rows are all old, and which has nothing else to read."""
    lab = SyncLab(world, server, folder, api, synced=True, **{"page_size": 12, **settings})
    lab.make_old()
    lab.wait(hours=1)
    server.requests.clear()
    return lab


def numbers(lab: SyncLab, condition: str) -> list[int]:
    with lab.warehouse.transaction() as connection:
        rows = connection.execute(f"SELECT number FROM raw.pull_requests WHERE {condition} ORDER BY ALL")
        return [number for (number,) in rows.fetchall()]


LACKING = f"field_set < {WITHOUT_FIRST_COMMIT}"


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_some_rows_are_filled_up_by_each_sync_the_newest_first(
    world: World, server: Sandbox, tmp_path: Path, api: str
) -> None:
    lab = old_lab(world, server, tmp_path, api, fill_up_per_run=12)
    before = [lab.tracked(name).watermark_at or datetime.max for name in lab.names]
    results = lab.sync()
    assert [result.mode for result in results] == ["unchanged", "increment"]
    assert sum(result.pull_requests for result in results) == 12
    assert sum(result.requests for result in results) == len(server.requests)
    assert numbers(lab, f"NOT {LACKING}") == list(range(1, 13)), "octo/lib's, which were opened later"
    assert all(
        (lab.tracked(name).watermark_at or datetime.min) > old
        for name, old in zip(lab.names, before, strict=True)
    )
    lab.sync()
    assert numbers(lab, LACKING) == []
    lab.assert_equal()
    lab.assert_no_row_twice()


def test_rows_that_lack_nothing_cost_nothing(world: World, server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(world, server, tmp_path, synced=True)
    lab.wait(hours=1)
    server.requests.clear()
    assert [result.mode for result in lab.sync()] == ["unchanged", "unchanged"]
    assert [request.operation for request in server.requests] == ["Probe"]


def test_it_can_be_turned_off(world: World, server: Sandbox, tmp_path: Path) -> None:
    lab = old_lab(world, server, tmp_path, fill_up_per_run=0)
    lab.sync()
    assert [request.operation for request in server.requests] == ["Probe"]


def test_a_full_sync_fills_up_all_at_once(world: World, server: Sandbox, tmp_path: Path) -> None:
    lab = old_lab(world, server, tmp_path, fill_up_per_run=1)
    lab.sync(SyncOptions(full=True))
    lab.assert_equal()


def test_workers_share_what_a_run_may_read(world: World, server: Sandbox, tmp_path: Path) -> None:
    lab = old_lab(world, server, tmp_path, tokens="sandbox-token,second-token", fill_up_per_run=7)
    results = list(sync_with_workers(lab.sources, lab.warehouse, lab.sync_settings, lab.names))
    assert sum(result.pull_requests for result in results) == 7
    assert len(numbers(lab, LACKING)) == 24 - 7


def test_what_changed_meanwhile_is_not_overwritten(world: World, server: Sandbox, tmp_path: Path) -> None:
    lab = old_lab(world, server, tmp_path)
    for name in lab.names:
        for pull_request in list(world.repository(name).pull_requests.values())[::3]:
            world.edit_title(pull_request, "Another title")
    lab.sync()
    lab.assert_equal()


@pytest.mark.parametrize("gone", ["pull_request", "repository"])
def test_what_vanished_stays_until_reconciling_and_holds_up_nothing(
    world: World, server: Sandbox, tmp_path: Path, gone: str
) -> None:
    lab = old_lab(world, server, tmp_path, fill_up_per_run=5)
    newest = world.repository("octo/lib").pull_requests[12]
    if gone == "pull_request":
        world.delete_pull_request(newest)
    else:
        world.delete_repository("octo/lib")
    for _ in range(6):
        assert [result.failed for result in lab.sync()] == [False, gone == "repository"]
    assert numbers(lab, LACKING) == ([12] if gone == "pull_request" else list(range(1, 13)))
    if gone == "pull_request":
        lab.sync(SyncOptions(reconcile=True))
        lab.assert_equal()


@pytest.mark.parametrize("status", some_slow([401, 502], 401))
def test_its_failures_fail_nothing(
    world: World, server: Sandbox, tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    lab = old_lab(world, server, tmp_path, attempts=2)
    server.faults.add(Fault("status", status=status, times=None, match=lambda r: r.operation == "Hydrate"))
    results = lab.sync()
    assert [(result.mode, result.error) for result in results] == [("unchanged", None)] * 2
    assert len(numbers(lab, LACKING)) == 24
    assert caplog.messages
    server.faults.clear()
    lab.sync()
    lab.assert_equal()


def test_half_of_the_allowance_is_left_to_what_cannot_wait(
    world: World, server: Sandbox, tmp_path: Path
) -> None:
    lab = old_lab(world, server, tmp_path, page_size=5)
    budget = server.credentials["sandbox-token"].graphql
    budget.spend(budget.limit // 2 - 2, world.clock.now())
    lab.sync()
    assert 0 < len(numbers(lab, LACKING)) < 24
    lab.wait(hours=2)
    lab.sync()
    lab.assert_equal()


def test_rows_of_rest_are_filled_up_once_first_commits_can_be_read(
    world: World, server: Sandbox, tmp_path: Path
) -> None:
    by_rest = SyncLab(world, server, tmp_path, "rest", synced=True, page_size=12)
    by_rest.assert_equal()
    by_rest.wait(hours=1)
    server.requests.clear()
    by_rest.sync()
    assert len(server.requests) == 2, "what REST does not give is no reason to ask again"
    by_graphql = SyncLab(world, server, tmp_path)
    by_graphql.sync()
    by_graphql.assert_equal()
    assert numbers(by_graphql, f"field_set < {FIELD_SET}") == []
