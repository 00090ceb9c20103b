"""Increments: how many requests they cost, and that they miss nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Credential, ManualClock, PullRequest, Sandbox, World, generated_world
from prpipeline_tests.support import stores
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, new_folder, small_world


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world()) as server:
        yield server


def advance(world: World, **by: float) -> None:
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(timedelta(**by))


def bulk(tmp_path: Path, server: Sandbox) -> SyncLab:
    return SyncLab(server.world, server, tmp_path, page_size=25, overlap_minutes=15)


@pytest.mark.parametrize("pull_requests", some_slow([250, 1000], 250))
def test_each_25_pull_requests_take_a_request_then_all_three_then_one(
    tmp_path: Path, pull_requests: int
) -> None:
    world = generated_world(clock=ManualClock(), pull_requests=pull_requests, reviews_per_pr=4)
    with Sandbox(world) as server:
        lab = bulk(tmp_path, server)
        advance(world, seconds=5)
        (history,) = lab.sync()
        assert (history.mode, history.held, history.error) == ("history", pull_requests, None)
        assert history.requests <= pull_requests / 25 + 5
        assert server.max_in_flight == 1

        in_the_last_second = sum(
            pull.updated_at >= world.clock.now()
            for pull in world.repository(lab.names[0]).pull_requests.values()
        )
        advance(world, hours=24)
        late = range(pull_requests // 10, pull_requests, pull_requests * 9 // 100)
        for number in late:
            world.review(world.repository(lab.names[0]).pull_requests[number], "late", "APPROVED")
        advance(world, seconds=5)
        (changed,) = lab.sync()
        assert (changed.mode, changed.pull_requests) == ("increment", len(late) + in_the_last_second)
        assert changed.requests <= 3

        advance(world, seconds=5)
        (again,) = lab.sync()
        assert (again.mode, again.requests) == ("unchanged", 1)
        lab.assert_equal()


@pytest.mark.slow
def test_a_thousand_repositories_with_fifty_changed_take_thirty_requests(tmp_path: Path) -> None:
    world = generated_world(clock=ManualClock(), repositories=1000, pull_requests=2, reviews_per_pr=1)
    with Sandbox(world) as server:
        lab = bulk(tmp_path, server)
        advance(world, seconds=5)
        lab.sync()
        advance(world, hours=24)
        for name in lab.names[::20]:
            for pull_request in world.repository(name).pull_requests.values():
                world.review(pull_request, "late", "APPROVED")
        advance(world, seconds=5)
        server.reset_requests()
        results = lab.sync()
        assert len(server.requests) <= 30
        assert sum(r.mode == "increment" for r in results) == 50
        assert sum(r.requests for r in results) == len(server.requests)
        lab.assert_equal()

        advance(world, hours=24)
        server.reset_requests()
        lab.sync()
        assert len(server.requests) <= 11


# A change, and whose it is: the pull request of which every repository has one.
CHANGES: dict[str, Callable[[World, PullRequest], object]] = {
    "close": lambda world, pull_request: world.close(pull_request),
    "reopen": lambda world, pull_request: world.reopen(pull_request),
    "merge": lambda world, pull_request: world.merge(pull_request, "grace"),
    "review_after_merge": lambda world, pull_request: world.review(pull_request, "late", "COMMENTED"),
    "edit_title": lambda world, pull_request: world.edit_title(pull_request, "Another title"),
    "ready": lambda world, pull_request: draft_and_ready(world, pull_request),
    "draft": lambda world, pull_request: world.convert_to_draft(pull_request),
    "request": lambda world, pull_request: world.request_review(pull_request, "octo/core"),
    "push": lambda world, pull_request: world.push(pull_request),
    "open": lambda world, pull_request: world.open_pull_request(pull_request.repository, "ada", "New"),
}


def draft_and_ready(world: World, pull_request: PullRequest) -> None:
    world.convert_to_draft(pull_request)
    advance(world, minutes=1)
    world.ready_for_review(pull_request)
    world.push(pull_request)


@pytest.fixture(scope="module")
def changed() -> Iterator[SyncLab]:
    """After a day with one change in each repository, and an increment."""
    world = World(ManualClock())
    for change in CHANGES:
        pull_request = world.open_pull_request(world.add_repository(f"octo/{change}"), "ada", "Changes")
        world.review(pull_request, "grace", "APPROVED")
        if change == "reopen":
            world.close(pull_request)
        elif change == "review_after_merge":
            world.merge(pull_request, "grace")
    advance(world, hours=1)
    with stores.attached(), Sandbox(world) as server:
        lab = SyncLab(world, server, new_folder())
        lab.sync()
        advance(world, hours=24)
        for change, make in CHANGES.items():
            make(world, world.repository(f"octo/{change}").pull_requests[1])
        lab.sync()
        yield lab


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_that_moves_the_time_stamp_is_read(changed: SyncLab, change: str) -> None:
    changed.assert_equal(of=f"octo/{change}")


def test_a_change_while_the_increment_runs_is_not_lost(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path, synced=True)
    advance(world, hours=24)
    pulls = list(world.repository("octo/app").pull_requests.values())
    world.push(pulls[3])
    left = [pulls[5], pulls[9], pulls[3]]

    def meanwhile(request: object) -> None:
        if left:
            advance(world, seconds=7)
            world.review(left.pop(), "meanwhile", "COMMENTED")

    server.after_request = meanwhile
    lab.sync()
    server.after_request = None
    lab.sync()
    lab.assert_equal()


def test_two_changes_in_one_second_are_both_seen(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path, overlap_minutes=15, synced=True)
    advance(world, hours=24)
    pull_request = world.repository("octo/app").pull_requests[1]
    world.review(pull_request, "first", "COMMENTED")
    lab.sync()
    world.review(
        pull_request, "second", "COMMENTED"
    )  # the clock has not moved, so the time stamp is the same
    lab.sync()
    lab.assert_equal()


def test_the_watermark_is_githubs_clock_at_the_start_less_the_overlap(
    server: Sandbox, tmp_path: Path
) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path, overlap_minutes=15, synced=True)
    advance(world, hours=24)
    world.push(world.repository("octo/app").pull_requests[2])
    start = world.clock.now().replace(tzinfo=None)
    server.after_request = lambda request: advance(world, minutes=1)
    lab.sync()
    # The answer to the first probe has the time one minute later.
    assert lab.tracked().watermark_at == start + timedelta(minutes=1) - timedelta(minutes=15)


def test_a_failing_repository_keeps_its_watermark_and_affects_no_other(tmp_path: Path) -> None:
    world = small_world(repositories=("octo/app", "octo/lib", "octo/web"))
    with Sandbox(world) as server:
        server.add_token(Credential("outsider", repositories=()))
        lab = SyncLab(world, server, tmp_path, tokens="outsider")
        lab.sync()
        before = lab.tracked("octo/lib").watermark_at
        lab.live()
        world.set_private("octo/lib")
        results = {r.tracked_as: r for r in lab.sync()}
        assert [r.mode for r in results.values()].count("failed") == 1
        assert results["octo/lib"].failure == "NotFound"
        assert "no longer shows octo/lib" in str(results["octo/lib"].error)
        assert lab.tracked("octo/lib").watermark_at == before
        assert lab.tracked("octo/lib").status == "gone"
        assert lab.tracked("octo/app").status == "ok"

        world.set_private("octo/lib", False)
        results = {r.tracked_as: r for r in lab.sync()}
        assert results["octo/lib"].mode == "increment"
        lab.assert_equal()
