"""Pages that are written together, as a lake wants it: on a file with a store that says the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prpipeline.model.failures import MalformedAnswer
from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.sync import SyncOptions
from prpipeline.sync.gathering import LONGEST_SECONDS, Gathered
from prpipeline_tests.support.sync_lab import SyncLab, small_world

BATCH = 12  # rows: three pages of five


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world(pull_requests=30)) as server:
        yield server


@pytest.fixture
def lab(server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SyncLab:
    lab = SyncLab(server.world, server, tmp_path, attempts=2)
    monkeypatch.setattr(lab.warehouse.store, "batch_rows", BATCH)
    return lab


def pull_requests(lab: SyncLab) -> int:
    return len(lab.held()["pull_requests"])


class Seen:
    """What is committed whenever a request comes in."""

    def __init__(self, lab: SyncLab) -> None:
        self.rows: list[int] = []
        self.late: list[int] = []
        self._lab = lab
        lab.server.before_request = lambda request: self._look()

    def _look(self) -> None:
        held = self._lab.held()
        self.rows.append(len(held["pull_requests"]))
        self.late.append(sum("late" in row for row in held["reviews"]))


def test_pages_of_a_history_are_written_together_with_the_cursor_behind_them(lab: SyncLab) -> None:
    seen = Seen(lab)
    (result,) = lab.sync()
    assert (result.mode, result.pull_requests) == ("history", 30)
    assert [rows for rows in seen.rows if rows % 15] == []
    assert {0, 15} <= set(seen.rows)
    lab.assert_equal()


def test_what_was_read_before_a_failure_is_kept(lab: SyncLab) -> None:
    fault = lab.server.faults.add(Fault("html", after=4, times=None))
    (result,) = lab.sync()
    assert result.failure == "MalformedAnswer"
    assert pull_requests(lab) == 20
    fault.times = 0
    lab.server.reset_requests()
    (result,) = lab.sync()
    assert (result.mode, result.requests, result.pull_requests) == ("history", 2, 10)
    lab.assert_equal()


def test_an_answer_that_cannot_be_right_costs_none_before_it(
    lab: SyncLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_on_the_second_page(connection: Any, found: Sequence[Any]) -> None:
        if any(pull_request.number == 6 for pull_request in found):
            raise MalformedAnswer("too few")

    monkeypatch.setattr("prpipeline.sync.history.check_plausible", fails_on_the_second_page)
    (result,) = lab.sync()
    assert (result.failure, result.pull_requests) == ("MalformedAnswer", 5)
    assert pull_requests(lab) == 5
    monkeypatch.undo()
    lab.sync()
    lab.assert_equal()


def test_a_wait_for_a_limit_finds_everything_written(lab: SyncLab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.server.faults.add(Fault("secondary_limit", after=2, times=1))
    held: list[int] = []
    sleep = lab.clock.sleep

    def looking(seconds: float, stopped: threading.Event) -> None:
        held.append(pull_requests(lab))
        sleep(seconds, stopped)

    monkeypatch.setattr(lab.clock, "sleep", looking)
    lab.sync()
    assert held == [10]
    lab.assert_equal()


def test_changes_and_reconciling_are_written_together(lab: SyncLab) -> None:
    lab.sync()
    for pull_request in list(lab.world.repository("octo/app").pull_requests.values())[:14]:
        lab.wait(minutes=1)
        lab.world.review(pull_request, "late", "APPROVED")
    lab.wait(hours=1)
    seen = Seen(lab)
    (result,) = lab.sync(SyncOptions(reconcile=True))
    assert result.error is None
    # Seen by the requests: 14 that changed are committed in two parts, of which the first has three pages.
    assert set(seen.late) == {0, 14}
    lab.assert_equal()


def test_many_repositories_share_a_transaction_and_are_counted_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"octo/app-{n}" for n in range(4)]
    with Sandbox(small_world(3, names)) as server:
        lab = SyncLab(server.world, server, tmp_path)
        monkeypatch.setattr(lab.warehouse.store, "batch_rows", 500)
        lab.sync()
        lab.wait(hours=1)
        for n, name in enumerate(names):
            for pull_request in list(lab.world.repository(name).pull_requests.values())[:n]:
                lab.world.review(pull_request, "late", "APPROVED")
        lab.wait(hours=1)
        assert [result.pull_requests for result in lab.sync()] == [0, 1, 2, 3]
        lab.assert_equal()


def test_filling_up_reads_as_many_as_before(lab: SyncLab) -> None:
    lab.sync()
    lab.make_old()
    lab.sync()
    assert lab.lacking() == 0
    lab.assert_equal()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def written() -> list[list[int]]:
    return []


def test_rows_or_seconds_end_the_waiting(written: list[list[int]]) -> None:
    clock = Clock()
    answers = Gathered[int](lambda some: written.append(list(some)), lambda rows: rows, 10, clock)
    for rows in (4, 5, 1, 10, 0):
        answers.add(rows)
    assert written == [[4, 5, 1], [10]]
    clock.now += timedelta(seconds=LONGEST_SECONDS).total_seconds() - 1
    answers.add(2)
    answers.before_wait(0.5)
    assert written == [[4, 5, 1], [10]]
    answers.before_wait(1)
    assert written[2:] == [[0, 2]]
    answers.add(3)
    clock.now += LONGEST_SECONDS
    answers.add(3)
    assert written[3:] == [[3, 3]]


def test_a_failure_while_a_source_waits_is_raised_when_it_answers() -> None:
    def fail(_: Sequence[int]) -> None:
        raise MalformedAnswer("no")

    answers = Gathered[int](fail, lambda rows: rows, 10, Clock())
    answers.add(1)
    answers.before_wait(60)
    with pytest.raises(MalformedAnswer):
        answers.add(1)
