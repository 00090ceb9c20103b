"""An interrupted history continues where it stopped, and starts again with --full."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Fault, ManualClock, Sandbox
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.sync_lab import SyncLab, busy_pull_request, small_world


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world(pull_requests=30)) as server:
        yield server


def numbers(lab: SyncLab) -> list[int]:
    return sorted(row[3] for row in lab.held()["pull_requests"])


def test_it_continues_where_it_stopped(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path, attempts=1)
    fault = server.faults.add(Fault("html", after=3, times=None))
    (result,) = lab.sync()
    assert result.failure == "MalformedAnswer"
    assert numbers(lab) == list(range(1, 16))
    assert lab.tracked().watermark_at is None

    fault.times = 0
    server.reset_requests()
    (result,) = lab.sync()
    assert (result.mode, result.requests) == ("history", 3)
    lab.assert_equal()


def test_changes_between_two_parts_are_read_by_the_first_increment(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path, attempts=1)
    fault = server.faults.add(Fault("html", after=3, times=None))
    lab.sync()
    fault.times = 0
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(timedelta(days=3))
    world.review(world.repository("octo/app").pull_requests[1], "late", "APPROVED")
    world.clock.advance(timedelta(days=1))
    lab.sync()
    lab.sync()
    lab.assert_equal()


def test_full_starts_over(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path, synced=True)
    (result,) = lab.sync(SyncOptions(full=True))
    assert (result.mode, result.pull_requests) == ("history", 30)
    lab.assert_equal()


def test_days_back_bounds_it(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path)
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(timedelta(days=30))
    recent = [world.open_pull_request("octo/app", "ada", f"Recent {n}").number for n in range(7)]
    (result,) = lab.sync(SyncOptions(days_back=7))
    assert numbers(lab) == recent
    assert result.mode == "history"


def test_a_longer_days_back_reads_the_rest(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path)
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(timedelta(days=30))
    world.open_pull_request("octo/app", "ada", "Recent")
    lab.track(["octo/app"], days_back=7)
    lab.sync()
    assert len(numbers(lab)) == 1
    lab.track(["octo/app"], days_back=None)
    lab.sync()
    lab.assert_equal()


def test_every_tail_is_read_completely(server: Sandbox, tmp_path: Path) -> None:
    pull_request = busy_pull_request(server.world, children=230)
    lab = SyncLab(server.world, server, tmp_path, page_size=25)
    (result,) = lab.sync()
    lab.assert_equal()
    assert len(pull_request.reviews) == 230
    assert result.requests == 2 + 2  # two pages, and 180 more reviews and events, 100 a request


def test_a_pull_request_that_grows_during_its_tail_is_read_again(server: Sandbox, tmp_path: Path) -> None:
    world, pull_request = server.world, busy_pull_request(server.world)
    lab = SyncLab(world, server, tmp_path)
    left = [1]

    def meanwhile(request: object) -> None:
        if getattr(request, "operation", "") == "Tail" and left:
            left.pop()
            assert isinstance(world.clock, ManualClock)
            world.clock.advance(timedelta(seconds=1))
            world.review(pull_request, "meanwhile", "APPROVED")

    server.before_request = meanwhile
    lab.sync()
    lab.assert_equal()


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_a_commit_of_an_impossible_time_costs_only_that_time(tmp_path: Path, api: str) -> None:
    """Authors' clocks may show anything."""
    world = small_world(6)
    years = (1, 1950, 9000)
    for number, year in enumerate(years, 1):
        impossible = datetime(year, 1, 1, tzinfo=UTC)
        world.repository("octo/app").pull_requests[number].first_commit_at = impossible
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, api, first_commit_by_rest=True)
        assert lab.sync()[0].error is None
        have_one = {row[3]: row[-1] is not None for row in lab.held()["pull_requests"]}
        assert have_one == {number: number > len(years) for number in range(1, 7)}


def test_pull_requests_opened_during_a_history_are_read(server: Sandbox, tmp_path: Path) -> None:
    world, lab = server.world, SyncLab(server.world, server, tmp_path)
    left = list(range(4))

    def meanwhile(request: object) -> None:
        if left:
            world.open_pull_request("octo/app", "ada", f"Meanwhile {left.pop()}")

    server.after_request = meanwhile
    lab.sync()
    server.after_request = None
    lab.sync()
    lab.assert_equal()


def test_an_empty_repository_is_done_at_once(tmp_path: Path) -> None:
    world = small_world(pull_requests=0)
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path)
        (result,) = lab.sync()
        assert (result.mode, result.pull_requests, result.requests) == ("history", 0, 1)
        (result,) = lab.sync()
        assert result.mode == "unchanged"
