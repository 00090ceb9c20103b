"""After kills at fifty moments no page is lost or read twice, no row is duplicated, and readers notice nothing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

from prpipeline.publish import dictionary
from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.crash_runs import Page, Runs
from prpipeline_tests.support.sync_lab import SyncLab, small_world

pytestmark = pytest.mark.slow

KILLS = {"history": 20, "increments": 12, "publishing": 18}
REPOSITORIES = ("octo/app", "octo/lib", "octo/docs")


PAGE_SIZE, PAGES = 5, 12
LATENCY = 0.05
# After a request: while its answer arrives, is read or is written, or during the next request.
MOMENT = (0.0, 2.5 * LATENCY)


class Walk:
    """The history pages of many runs: each run has to begin after the stored pages, and to skip none."""

    def __init__(self, lab: SyncLab) -> None:
        self._lab = lab
        # By repository, the cursors in the order in which they were first asked for.
        self._order: dict[str, list[str | None]] = {name: [] for name in REPOSITORIES}
        self._held = self._count()

    def check(self, pages: Sequence[Page]) -> None:
        """Check the pages that a run asked for, right after it."""
        for name, order in self._order.items():
            cursors = [cursor for repository, cursor in pages if repository == name]
            order += [cursor for cursor in dict.fromkeys(cursors) if cursor not in order]
            if cursors:
                first = order.index(cursors[0])
                assert self._held[name] == first * PAGE_SIZE, (
                    "asks for what is not held, and for nothing else"
                )
                assert cursors == order[first : first + len(cursors)], "each page once, none left out"
        self._held = self._count()

    def assert_whole(self) -> None:
        assert [len(order) for order in self._order.values()] == [PAGES] * len(REPOSITORIES)

    def _count(self) -> dict[str, int]:
        ids = {self._lab.world.repository(name).id: name for name in REPOSITORIES}
        held = Counter(ids[row[0]] for row in self._lab.held()["pull_requests"])
        return {name: held[name] for name in REPOSITORIES}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[SyncLab]:
    with Sandbox(small_world(PAGES * PAGE_SIZE, REPOSITORIES), latency=LATENCY) as server:
        yield SyncLab(server.world, server, tmp_path)


def published(folder: Path) -> dict[str, int] | None:
    """How many rows each table of the published file has, every row read; None before the first publication."""
    file = folder / "published" / "prpipeline.duckdb"
    if not file.exists():
        assert not file.parent.is_symlink()
        return None
    with duckdb.connect(str(file), read_only=True) as connection:
        return {
            table.name: len(connection.execute(f'FROM "{table.name}"').fetchall())
            for table in dictionary.load().tables
        }


def test_killed_at_fifty_moments(lab: SyncLab, tmp_path: Path) -> None:
    moments = random.Random(50)
    with Runs(lab.server, tmp_path) as runs:
        walk = Walk(lab)
        for turn in range(KILLS["history"]):
            if turn % 2:
                killed = runs.killed("request", moments.randint(1, 2), moments.uniform(*MOMENT))
            else:  # right after one commit after the other, from the last one before the first page
                killed = runs.killed_after_commit(3 + turn // 2 % 4)
            assert killed.was_killed, "the history ended too early for so many kills"
            walk.check(killed.pages)
            lab.assert_nothing_wrong()
        walk.check(runs.whole())
        walk.assert_whole()
        lab.assert_equal()

        kills = 0
        while kills < KILLS["increments"]:
            lab.live()
            killed = runs.killed("request", moments.randint(1, 4), moments.uniform(*MOMENT))
            kills += killed.was_killed
            assert killed.pages == []
            lab.assert_no_row_twice()
        runs.whole()
        lab.assert_equal()

        kills = 0
        before = published(tmp_path)
        assert before
        while kills < KILLS["publishing"]:
            lab.live()
            word = moments.choice(("derive", "publish", "publish"))
            kills += runs.killed(word, 1, moments.uniform(0, 0.5)).was_killed
            after = published(tmp_path)
            assert after
            expected = {name: len(rows) for name, rows in lab.expected().items()}
            assert all(
                after[name] in (before[name], expected[name]) and after[name] >= before[name]
                for name in expected
            )
            before = after
        runs.whole()
    lab.assert_equal()
    now = published(tmp_path)
    assert now
    rows = {name: len(rows) for name, rows in lab.expected().items()}
    assert {name: now[name] for name in rows} == rows
    assert now["review_time_hours"] == now["pull_requests"]
    assert not list((tmp_path / "releases").glob(".*"))
    assert {file.name for file in tmp_path.glob(".*")} <= {".leases"}  # which end with their process


def test_killed_while_several_pages_wait_for_one_transaction(lab: SyncLab, tmp_path: Path) -> None:
    """As on a lake: four pages in one. Those that waited are asked for again, and no others."""
    moments = random.Random(52)
    with Runs(lab.server, tmp_path, batch_rows=4 * PAGE_SIZE) as runs:
        walk = Walk(lab)
        for commit in (3, -4, 4, -4, 4, -5, 5):  # before and after those of the first pages
            killed = runs.killed_after_commit(commit)
            assert killed.was_killed
            walk.check(killed.pages)
            lab.assert_nothing_wrong()
        for _ in range(6):
            killed = runs.killed("request", moments.randint(1, 6), moments.uniform(*MOMENT))
            walk.check(killed.pages)
            lab.assert_nothing_wrong()
        walk.check(runs.whole())
        walk.assert_whole()
        lab.assert_equal()


def test_killed_while_old_rows_are_filled_up(lab: SyncLab, tmp_path: Path) -> None:
    moments = random.Random(51)
    with Runs(lab.server, tmp_path) as runs:
        runs.whole()
        lab.make_old()
        lab.live()
        old_columns = {"pull_requests": slice(0, 21), "reviews": slice(0, 10), "review_events": slice(0, 12)}
        before = lab.lacking()
        kills = 0
        while before and kills < 12:
            if kills % 2:
                killed = runs.killed("request", moments.randint(2, 4), moments.uniform(*MOMENT))
            else:
                killed = runs.killed_after_commit(moments.randint(4, 9))
            kills += killed.was_killed
            lab.assert_no_row_twice()
            assert lab.lacking() <= before, "what was read stays read"
            before = lab.lacking()
        assert kills >= 3, "the old rows were filled up too early for so many kills"
        assert before < PAGES * PAGE_SIZE * len(REPOSITORIES)
        runs.whole()
        held, expected = lab.held(), lab.expected()
        for table, columns in old_columns.items():
            assert [row[columns] for row in held[table]] == [row[columns] for row in expected[table]]
        while lab.lacking():
            runs.whole()
    lab.assert_equal()
