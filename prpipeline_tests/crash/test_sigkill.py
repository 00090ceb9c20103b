"""Killed at fifty moments, no row is lost or doubled, little is asked again, and readers notice nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from prpipeline.publish import dictionary
from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.crash_runs import Runs
from prpipeline_tests.support.sync_lab import SyncLab, small_world

pytestmark = pytest.mark.slow

KILLS = {"history": 20, "increments": 12, "publishing": 18}
REPOSITORIES = ("octo/app", "octo/lib", "octo/docs")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[SyncLab]:
    with Sandbox(small_world(45, REPOSITORIES), latency=0.05) as server:
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
    asked_again: list[int] = []
    with Runs(lab.server, tmp_path) as runs:
        done, kills = set[tuple[str, str | None]](), 0
        while kills < KILLS["history"]:
            killed = runs.killed("request", moments.randint(1, 3), moments.uniform(0, 0.03))
            assert killed.was_killed, "the history ended too early for so many kills"
            kills += 1
            asked_again.append(len(done & set(killed.pages)))
            done |= set(killed.pages)
            lab.assert_nothing_wrong()
        last = runs.whole()
        asked_again.append(len(done & set(last)))
        assert len(done | set(last)) == len(REPOSITORIES) * 9
        lab.assert_equal()
        # The one that was on its way: what had come was kept.
        assert max(asked_again) <= 1

        kills = 0
        while kills < KILLS["increments"]:
            lab.live()
            killed = runs.killed("request", moments.randint(1, 4), moments.uniform(0, 0.03))
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
    assert {name: now[name] for name in ("pull_requests", "reviews", "review_events")} == {
        name: len(rows) for name, rows in lab.expected().items()
    }
    assert now["review_time_hours"] == now["pull_requests"]
    assert not list((tmp_path / "releases").glob(".*"))
    assert not list(tmp_path.glob(".*"))
