"""Whoever interrupts a sync does not wait for what it waits for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.github.client import SystemClock
from prpipeline.model.failures import PermanentFailure
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.sync.prefetch import prefetch
from prpipeline.sync.workers import sync_with_workers
from prpipeline_tests.support.sync_lab import SyncLab, small_world

HOURS = 7200


class AnnouncingClock(SystemClock):
    """The machine's own; says when somebody goes to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = threading.Event()

    def sleep(self, seconds: float) -> None:
        self.asleep.set()
        super().sleep(seconds)


def test_leaving_early_ends_a_wait_of_hours(tmp_path: Path) -> None:
    world = small_world(3)
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, max_wait_minutes=1440)
        here.client.clock = clock = AnnouncingClock()
        name = RepositoryName("octo", "app")

        def items() -> Iterator[str]:
            yield here.source.repository(name)[0].full_name
            server.faults.add(Fault("secondary_limit", retry_after=HOURS))
            yield here.source.repository(name)[0].full_name

        fetched = prefetch(items(), here.client)
        assert next(fetched) == ["octo/app"]
        assert clock.asleep.wait(30)
        fetched.close()  # what an exception in the loop over it does
        assert here.source.repository(name)[0].full_name == "octo/app", "the lane is good for more"


def test_leaving_the_lanes_ends_their_waits(tmp_path: Path) -> None:
    world = small_world(3, ["octo/one", "octo/two"])
    with Sandbox(world, tokens=["token-number-1", "token-number-2"]) as server:
        here = SyncLab(world, server, tmp_path, tokens="token-number-1,token-number-2", max_wait_minutes=1440)
        here.sources[1].client.clock = clock = AnnouncingClock()
        server.faults.add(
            Fault(
                "secondary_limit", times=None, retry_after=HOURS, match=lambda r: r.token == "token-number-2"
            )
        )
        results = sync_with_workers(here.sources, here.warehouse, here.sync_settings, here.names)
        assert next(results).error is None
        assert clock.asleep.wait(30)
        results.close()  # type: ignore[attr-defined]
        here.assert_no_row_twice()


def test_a_stopped_lane_asks_nothing(tmp_path: Path) -> None:
    world = small_world(1)
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path)
        here.client.stop()
        with pytest.raises(PermanentFailure, match="was stopped"):
            here.source.repository(RepositoryName("octo", "app"))
        assert server.requests == []
