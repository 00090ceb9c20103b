"""Rate limits: short ones are waited for and logged; after long ones the next sync continues."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from prpipeline.github.sources import open_sources
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Credential, Fault, Sandbox, World
from prpipeline.sandbox.messages import Response
from prpipeline.settings import SyncSettings
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import (
    JumpingClock,
    SyncLab,
    jumping_clock,
    let_pass,
    make_settings,
    small_world,
)

APIS = ("graphql", "rest")


@pytest.fixture
def world() -> World:
    return small_world(6)


def waits(clock: JumpingClock) -> list[float]:
    """The pauses that are longer than a back-off."""
    return [seconds for seconds in clock.sleeps if seconds >= 20]


@pytest.mark.parametrize("api", APIS)
def test_the_primary_limit_is_waited_for(
    world: World, tmp_path: Path, api: str, caplog: pytest.LogCaptureFixture
) -> None:
    limits: dict[str, Any] = {"core_limit": 10, "graphql_limit": 2, "window": timedelta(minutes=30)}
    with (
        Sandbox(world, tokens=[Credential("sandbox-token", **limits)]) as server,
        caplog.at_level(logging.INFO),
    ):
        here = SyncLab(world, server, tmp_path, api, page_size=2, reserve_percent=0)
        (result,) = here.sync()
        assert result.error is None
        here.assert_equal()
    assert waits(here.clock)
    assert all(wait <= 31 * 60 for wait in waits(here.clock))
    assert here.source.usage.waited_seconds == sum(here.clock.sleeps)
    (first, *_) = [record.getMessage() for record in caplog.records if "Waiting" in record.getMessage()]
    assert "going on at" in first
    assert "UTC" in first


@pytest.mark.parametrize("api", APIS)
def test_a_reserve_is_left_for_others(world: World, tmp_path: Path, api: str) -> None:
    limits: dict[str, Any] = {"core_limit": 20, "graphql_limit": 5, "window": timedelta(minutes=30)}
    credential = Credential("sandbox-token", **limits)
    left: list[int] = []
    with Sandbox(world, tokens=[credential]) as server:
        budget = credential.graphql if api == "graphql" else credential.core
        server.after_request = lambda request: left.append(budget.remaining)
        here = SyncLab(world, server, tmp_path, api, page_size=1, reserve_percent=30)
        assert here.sync()[0].error is None
        here.assert_equal()
    assert min(left) >= budget.limit * 0.3 - 1
    assert waits(here.clock)


@pytest.mark.parametrize(
    ("api", "reserve"),
    some_slow([(api, reserve) for api in APIS for reserve in (0, 20)], ("graphql", 20), ("rest", 0)),
)
def test_a_limit_that_lasts_too_long_is_a_failure_with_its_end(
    world: World, tmp_path: Path, api: str, reserve: int
) -> None:
    limits: dict[str, Any] = {"core_limit": 15, "graphql_limit": 2, "window": timedelta(minutes=50)}
    with Sandbox(world, tokens=[Credential("sandbox-token", **limits)]) as server:
        here = SyncLab(
            world, server, tmp_path, api, page_size=2, reserve_percent=reserve, max_wait_minutes=10
        )
        (result,) = here.sync()
        assert (result.mode, result.failure) == ("failed", "LimitReached")
        assert "max_wait_minutes: 10" in (result.error or "")
        assert (result.error or "").count(" UTC") == 1
        assert here.tracked().watermark_at is None
        pages_read = here.held()["pull_requests"]
        assert pages_read
        assert waits(here.clock) == []
        let_pass(world, timedelta(hours=1))
        for _ in range(9):
            before = len(server.requests)
            (result,) = here.sync()
            assert len(server.requests) > before, "it goes on where it stopped"
            if result.error is None:
                break
            let_pass(world, timedelta(hours=1))
        assert result.error is None
        here.assert_equal()


def test_a_limit_is_not_tried_again_by_each_repository(tmp_path: Path) -> None:
    world = small_world(1, [f"octo/app-{n}" for n in range(10)])
    with Sandbox(world, tokens=[Credential("sandbox-token", graphql_limit=3)]) as server:
        here = SyncLab(world, server, tmp_path, reserve_percent=0, max_wait_minutes=1)
        results = here.sync()
        assert [r.failure for r in results].count("LimitReached") >= 6
        assert len(server.requests) <= 4


@pytest.mark.parametrize(
    ("api", "status"),
    some_slow([(api, status) for api in APIS for status in (403, 429)], ("graphql", 403), ("rest", 429)),
)
def test_the_secondary_limit_with_retry_after(world: World, tmp_path: Path, api: str, status: int) -> None:
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, api)
        server.faults.add(Fault("secondary_limit", after=1, status=status, retry_after=25))
        assert here.sync()[0].error is None
        here.assert_equal()
    (wait,) = waits(here.clock)
    assert 25 <= wait <= 27


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world(1)) as server:
        yield server


def waits_to_read(server: Sandbox, folder: Path, api: str = "graphql") -> list[float]:
    """The pauses that it takes to read a repository's name."""
    clock = jumping_clock(server.world)
    (source,) = open_sources(make_settings(server, folder, api, sync=SyncSettings(attempts=6)), clock)
    assert source.repository(RepositoryName("octo", "app"))[0].full_name == "octo/app"
    return waits(clock)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("status", [403, 429])
def test_the_secondary_limit_without_retry_after_doubles(
    server: Sandbox, tmp_path: Path, api: str, status: int
) -> None:
    server.faults.add(Fault("secondary_limit", status=status, times=3))
    first, second, third = waits_to_read(server, tmp_path, api)
    assert (60 <= first <= 62, 120 <= second <= 122, 240 <= third <= 242) == (True, True, True)


@pytest.mark.parametrize("header", ["-5", "soon", "9" * 40, "Wed, 21 Oct 2015 07:28:00 GMT", "²"])
def test_an_invalid_retry_after(server: Sandbox, tmp_path: Path, header: str) -> None:
    fault = server.faults.add(Fault("secondary_limit", status=429))
    fault.change = lambda request, response, now: _limited(header)  # type: ignore[method-assign]
    (wait,) = waits_to_read(server, tmp_path)
    assert 60 <= wait <= 62


def test_a_retry_after_that_is_a_date(server: Sandbox, tmp_path: Path) -> None:
    fault = server.faults.add(Fault("secondary_limit", status=429))
    fault.change = lambda request, response, now: _limited(  # type: ignore[method-assign]
        format_datetime(now + timedelta(seconds=200), usegmt=True)
    )
    (wait,) = waits_to_read(server, tmp_path)
    assert 198 <= wait <= 202


def _limited(retry_after: str) -> Response:
    return Response.of_json({"message": "slow down"}, 429, {"Retry-After": retry_after})


def test_anonymous_is_enough_for_a_public_repository(world: World, tmp_path: Path) -> None:
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, tokens="")
        assert here.sync()[0].error is None
        here.assert_equal(teams=False)
        assert {request.token for request in server.requests} == {None}
        assert server.max_in_flight == 1
