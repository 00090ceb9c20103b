"""Reconciliation finds changes that move no time stamp, and removes nothing that may still exist."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Fault, ManualClock, Sandbox
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.sync_lab import SyncLab, small_world

RECONCILE = SyncOptions(reconcile=True)


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world(pull_requests=30)) as server:
        yield server


def test_silent_deletions_and_edits_are_found(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path)
    lab.sync()
    pulls = world.repository("octo/app").pull_requests
    reviewed = [p for p in pulls.values() if p.reviews]
    world.delete_review(reviewed[0].reviews[0])
    world.dismiss_review(reviewed[-1].reviews[-1], by="ada")
    world.delete_pull_request(pulls[4])
    lab.sync()
    assert lab.held() != lab.expected()

    (result,) = lab.sync(RECONCILE)
    lab.assert_equal()
    assert result.mode == "reconcile"
    assert result.removed == 2


def test_removals_are_recorded(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path)
    lab.sync()
    gone = world.repository("octo/app").pull_requests[3]
    ids = {(r.id, "review") for r in gone.reviews} | {(gone.id, "pull_request")}
    world.delete_pull_request(gone)
    lab.sync(RECONCILE)
    with lab.warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT id::BIGINT, kind FROM meta.removals WHERE kind <> 'review_event'"
        ).fetchall()
    assert set(rows) == ids


def test_nothing_is_removed_on_an_incomplete_answer(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path)
    lab.sync()
    # The list always ends too soon, so most of it seems deleted.
    server.faults.add(
        Fault(
            "truncated_children",
            match=lambda request: request.operation == "Counts",
            times=None,
        )
    )
    lab.sync(RECONCILE)
    lab.assert_equal()


def test_old_pull_requests_are_compared_and_not_read(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path, page_size=25)
    for pull_request in list(world.repository("octo/app").pull_requests.values()):
        if pull_request.state == "OPEN":
            world.close(pull_request)
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(timedelta(days=90))
    for number in range(3):
        world.close(world.open_pull_request("octo/app", "ada", f"Recent {number}"))
    world.clock.advance(timedelta(seconds=1))
    lab.sync()
    world.clock.advance(timedelta(hours=1))
    server.reset_requests()
    (result,) = lab.sync(RECONCILE)
    assert result.pull_requests == 3
    assert len(server.requests) == 3  # the increment's probe, the outline, the recent ones
    lab.assert_equal()


def test_reconcile_does_not_extend_days_back(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path)
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(timedelta(days=40))
    recent = world.open_pull_request("octo/app", "ada", "Recent")
    lab.sync(SyncOptions(days_back=10))
    assert [row[3] for row in lab.held()["pull_requests"]] == [recent.number]
    lab.sync(SyncOptions(days_back=10, reconcile=True))
    assert [row[3] for row in lab.held()["pull_requests"]] == [recent.number]
    lab.sync(SyncOptions(days_back=100))
    lab.assert_equal()
