"""Reconciliation finds changes that move no time stamp, and removes nothing that may still exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from prpipeline.model.repository import RepositoryName
from prpipeline.model.tracking import SyncMode
from prpipeline.sandbox.github import Fault, ManualClock, PullRequest, Sandbox, World, generated_world
from prpipeline.sync import SyncOptions
from prpipeline_tests.support import stores
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, let_pass, small_world
from prpipeline_tests.support.sync_rows import Rows

RECONCILE = SyncOptions(reconcile=True)


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world()) as server:
        yield server


def test_silent_deletions_and_edits_are_found(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path, synced=True)
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
    world, lab = server.world, SyncLab(server.world, server, tmp_path, synced=True)
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
    lab = SyncLab(server.world, server, tmp_path, synced=True)
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


def delete_plus_add(world: World, old: PullRequest) -> None:
    updated_at = old.updated_at
    world.delete_review(old.reviews[0])
    world.review(old, "somebody-else", "APPROVED")
    old.updated_at = updated_at


SILENT: dict[str, Callable[[World, PullRequest], object]] = {
    "dismissal": lambda world, old: world.dismiss_review(
        old.reviews[0], by=str(old.author and old.author.login)
    ),
    "delete_plus_add": delete_plus_add,
    "deleted_review": lambda world, old: world.delete_review(old.reviews[0]),
    "deleted_author": lambda world, old: world.delete_user(old.author),  # type: ignore[arg-type]
    "deleted_reviewer": lambda world, old: world.delete_user(old.reviews[-1].author),  # type: ignore[arg-type]
    "deleted_merger": lambda world, old: world.delete_user(old.merged_by),  # type: ignore[arg-type]
    "renamed_author": lambda world, old: world.rename_user(old.author, "anna"),  # type: ignore[arg-type]
    "renamed_reviewer": lambda world, old: world.rename_user(old.reviews[-1].author, "renamed"),  # type: ignore[arg-type]
    "vanished_event": lambda world, old: world.delete_event(old.events[-min(4, len(old.events))]),
    "vanished_last_event": lambda world, old: world.delete_event(old.events[-1]),
    "deleted_pull_request": lambda world, old: world.delete_pull_request(old),
}
Case = tuple[str, int]  # a change, and how many reviews and requests its pull request has
SOME: list[Case] = [(change, (1, 15)[turn % 2]) for turn, change in enumerate(SILENT)]
OTHERS: list[Case] = [(change, (15, 1)[turn % 2]) for turn, change in enumerate(SILENT)]


class Reconciled(NamedTuple):
    """After a silent change in each repository: what was held before the reconciliation and after it."""

    lab: SyncLab
    modes: set[SyncMode]  # of the sync between the changes and the reconciliation
    before: Rows
    errors: dict[str, str | None]


@pytest.fixture(scope="module")
def reconciled() -> Iterator[Callable[[Case], Reconciled]]:
    """By a case: all of ``SOME``, or of ``OTHERS``, are one world's repositories."""
    with ExitStack() as stack:
        stack.enter_context(stores.attached())

        @cache
        def of(is_slow: bool) -> Reconciled:
            return changed_silently(stack, OTHERS if is_slow else SOME)

        yield lambda case: of(case in OTHERS)


def changed_silently(stack: ExitStack, cases: list[Case]) -> Reconciled:
    """The pull requests are closed for over 30 days, so not read for their age; all their reviews and events are in
    the outline, or only the last."""
    world = World(ManualClock())
    for change, children in cases:  # the people of each repository are its own
        old = world.open_pull_request(world.add_repository(f"octo/{change}"), f"{change}-ann", "Old")
        for number in range(children):
            let_pass(world, timedelta(minutes=1))
            world.request_review(old, f"{change}-asked-{number}")
            world.review(old, f"{change}-reviewer-{number}", ("APPROVED", "COMMENTED")[number % 2])
        world.merge(old, f"{change}-merger")
    let_pass(world, timedelta(days=60))
    for change, _ in cases:
        world.close(world.open_pull_request(f"octo/{change}", f"{change}-ann", "Recent"))
    let_pass(world, timedelta(hours=1))
    server = stack.enter_context(Sandbox(world))
    lab = SyncLab(world, server, lasting_folder())
    for _ in range(2):
        lab.sync()
    for change, _ in cases:
        SILENT[change](world, world.repository(f"octo/{change}").pull_requests[1])
    lab.wait(minutes=1)
    modes = {result.mode for result in lab.sync()}
    before = lab.held()
    return Reconciled(lab, modes, before, {result.tracked_as: result.error for result in lab.sync(RECONCILE)})


@pytest.mark.parametrize(("change", "children"), some_slow([*SOME, *OTHERS], *SOME))
def test_silent_changes_of_old_pull_requests_are_found(
    reconciled: Callable[[Case], Reconciled], change: str, children: int
) -> None:
    lab, modes, before, errors = reconciled((change, children))
    name = f"octo/{change}"
    assert modes == {"unchanged"}
    assert lab.of(name, before) != lab.of(name, lab.expected())
    assert errors[name] is None
    lab.assert_equal(of=name)


def test_what_reconciling_costs(tmp_path: Path) -> None:
    world = generated_world(clock=ManualClock(), pull_requests=1000, reviews_per_pr=4)
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, page_size=25)
        (repository, _) = lab.source.repository(RepositoryName.parse(lab.names[0]))
        server.reset_requests()
        answer = lab.source.outline(repository)
        assert (len(answer.lines), len(server.requests)) == (1000, 14)
        assert sum(request.points for request in server.requests) == 14
