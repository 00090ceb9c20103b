"""The Postgres of a lake is restarted, or stays away, while a host syncs: one sentence, nothing half-written, the next goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from prpipeline_tests.lake.conftest import REPOSITORIES, Lake
from prpipeline_tests.lake.test_two_hosts import Host
from prpipeline_tests.support import postgres
from prpipeline_tests.support.postgres import Postgres
from prpipeline_tests.support.sync_lab import SyncLab


@pytest.fixture
def server() -> Iterator[Postgres]:
    """One of the test's own, as it does not survive."""
    with postgres.running() as started:
        yield started


@pytest.mark.parametrize("nth", [2, 8, 14])
def test_a_restart_costs_one_run_and_nothing_of_what_was_written(nth: int, lab: SyncLab, lake: Lake) -> None:
    """When the host asks for its nth page: of the first history, between two of them, of a later one."""
    host = Host("one", lab, lake)
    asked, restarted = [0], threading.Event()

    def restart(_: object) -> None:
        asked[0] += 1
        if asked[0] == nth and not restarted.is_set():
            restarted.set()
            lake.server.restart()

    lab.server.before_request = restart
    with host.sync() as run:
        out, said = run.communicate(timeout=300)
    lab.server.before_request = None
    assert restarted.is_set()
    lines = said.strip().splitlines()
    assert run.returncode != 0, (out, said)
    assert len(lines) == 1, said
    assert "Traceback" not in said
    assert "run it again" in lines[0].lower()
    lab.warehouse = lake.open()
    lab.assert_nothing_wrong()
    lab.assert_no_row_twice()
    before = len(lab.held()["pull_requests"])
    with host.sync() as run:
        out, said = run.communicate(timeout=300)
    assert run.returncode == 0, (out, said)
    lab.assert_equal()
    assert before % 5 == 0
    assert len(lab.held()["pull_requests"]) == 30 * len(REPOSITORIES)


def test_while_it_is_away_a_run_says_so_and_touches_nothing(lab: SyncLab, lake: Lake) -> None:
    host = Host("one", lab, lake)
    lake.server.stop()
    with host.sync() as run:
        _, said = run.communicate(timeout=300)
    assert run.returncode != 0
    (line,) = said.strip().splitlines()
    assert "see whether its Postgres runs" in line
    assert lab.server.requests == []
    lake.server.start()
    with host.sync() as run:
        assert run.wait(timeout=300) == 0
    lab.warehouse = lake.open()
    lab.assert_equal()
