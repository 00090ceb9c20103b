"""Reconciliation finds changes that move no time stamp, and removes nothing that may still exist."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Fault, ManualClock, Sandbox, generated_world
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, let_pass, small_world

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
    fault = server.faults.add(
        Fault("short_page", match=lambda request: request.operation == "Counts", times=None)
    )
    (result,) = lab.sync(RECONCILE)
    assert fault.times is None
    assert (result.failure, result.removed) == ("MalformedAnswer", 0)
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


SILENT = (
    "dismissal",
    "delete_plus_add",
    "deleted_review",
    "deleted_author",
    "deleted_reviewer",
    "deleted_merger",
    "renamed_author",
    "renamed_reviewer",
    "vanished_event",
    "vanished_last_event",
    "deleted_pull_request",
)


@pytest.mark.parametrize(
    ("change", "children"),
    some_slow(
        [(change, children) for change in SILENT for children in (1, 15)],
        *((change, (1, 15)[turn % 2]) for turn, change in enumerate(SILENT)),
    ),
)
def test_silent_changes_of_old_pull_requests_are_found(tmp_path: Path, change: str, children: int) -> None:
    """Closed for over 30 days, so not read for their age; with all reviews and events in the outline, or only the last."""
    world = small_world(6)
    old = world.open_pull_request("octo/app", "ann", "Old")
    for number in range(children):
        let_pass(world, timedelta(minutes=1))
        world.request_review(old, f"asked-{number}")
        world.review(old, f"reviewer-{number}", ("APPROVED", "COMMENTED")[number % 2])
    world.merge(old, "merger")
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path)
        for pull_request in world.repository("octo/app").pull_requests.values():
            if pull_request.state == "OPEN":
                world.close(pull_request)
        lab.wait(days=60)
        world.close(world.open_pull_request("octo/app", "ann", "Recent"))
        lab.wait(hours=1)
        lab.sync()
        lab.sync()
        if change == "dismissal":
            world.dismiss_review(old.reviews[0], by="ann")
        elif change == "delete_plus_add":
            updated_at = old.updated_at
            world.delete_review(old.reviews[0])
            world.review(old, "somebody-else", "APPROVED")
            old.updated_at = updated_at
        elif change == "deleted_review":
            world.delete_review(old.reviews[0])
        elif change == "deleted_author":
            world.delete_user("ann")
        elif change == "deleted_reviewer":
            world.delete_user(old.reviews[-1].author)  # type: ignore[arg-type]
        elif change == "deleted_merger":
            world.delete_user("merger")
        elif change == "renamed_author":
            world.rename_user("ann", "anna")
        elif change == "renamed_reviewer":
            world.rename_user(old.reviews[-1].author, "renamed")  # type: ignore[arg-type]
        elif change == "vanished_event":
            world.delete_event(old.events[-min(4, len(old.events))])
        elif change == "vanished_last_event":
            world.delete_event(old.events[-1])
        else:
            world.delete_pull_request(old)
        lab.wait(minutes=1)
        (result,) = lab.sync()
        assert result.mode == "unchanged"
        assert lab.held() != lab.expected()
        (result,) = lab.sync(RECONCILE)
        assert result.error is None
        lab.assert_equal()


def test_what_reconciling_costs(tmp_path: Path) -> None:
    world = generated_world(clock=ManualClock(), pull_requests=1000, reviews_per_pr=4)
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, page_size=25)
        (repository, _) = lab.source.repository(RepositoryName.parse(lab.names[0]))
        server.reset_requests()
        answer = lab.source.outline(repository)
        assert (len(answer.lines), len(server.requests)) == (1000, 14)
        assert sum(request.points for request in server.requests) == 14
