"""An interrupted sync ends at once, even while it waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import cast

import pytest

from prpipeline.http.caller import SystemClock
from prpipeline.model.failures import Stopped
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.sync import SyncResult
from prpipeline.sync.context import Progress
from prpipeline.sync.workers import sync_with_workers
from prpipeline_tests.support.sync_lab import SyncLab, small_world

HOURS = 7200
TOKENS = ("token-number-1", "token-number-2")


class AnnouncingClock(SystemClock):
    """Real time; reports when a worker begins to sleep."""

    def __init__(self) -> None:
        self.asleep = threading.Event()

    def sleep(self, seconds: float, stopped: threading.Event) -> None:
        self.asleep.set()
        super().sleep(seconds, stopped)


def waiting_lab(server: Sandbox, folder: Path) -> tuple[SyncLab, AnnouncingClock]:
    """Two credentials; the second one has to wait for hours."""
    here = SyncLab(server.world, server, folder, tokens=",".join(TOKENS), max_wait_minutes=1440)
    here.sources[1].client.caller.clock = clock = AnnouncingClock()
    server.faults.add(
        Fault("secondary_limit", times=None, retry_after=HOURS, match=lambda r: r.token == TOKENS[1])
    )
    return here, clock


def test_interrupting_ends_the_waits_of_all_workers(tmp_path: Path) -> None:
    with Sandbox(small_world(3, ["octo/one", "octo/two"]), tokens=TOKENS) as server:
        here, clock = waiting_lab(server, tmp_path)
        results = cast(
            Generator[SyncResult, None, None],
            sync_with_workers(here.sources, here.warehouse, here.sync_settings, here.names),
        )
        assert next(results).error is None
        assert clock.asleep.wait(30)
        results.close()  # as Ctrl-C in the loop does
        here.assert_no_row_twice()
        assert {here.tracked(name).last_error for name in here.names} == {None}, "nobody failed"


def test_a_worker_that_fails_ends_the_waits_of_the_others(tmp_path: Path) -> None:
    with Sandbox(small_world(3, ["octo/one", "octo/two"]), tokens=TOKENS) as server:
        here, clock = waiting_lab(server, tmp_path)

        def report(progress: Progress) -> None:
            assert clock.asleep.wait(30)
            raise RuntimeError("a bug, or a full disk")

        started = time.monotonic()
        with pytest.raises(RuntimeError, match="full disk"):
            list(
                sync_with_workers(here.sources, here.warehouse, here.sync_settings, here.names, report=report)
            )
        assert time.monotonic() - started < 60


def test_a_stopped_source_sends_nothing(tmp_path: Path) -> None:
    with Sandbox(small_world(1)) as server:
        here = SyncLab(server.world, server, tmp_path)
        here.source.stop()
        with pytest.raises(Stopped):
            here.source.repository(RepositoryName("octo", "app"))
        assert server.requests == []
