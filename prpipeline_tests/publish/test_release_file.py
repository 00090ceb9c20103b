"""A release made from the last one is the release that would have been written whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prpipeline import metrics
from prpipeline.publish import dictionary
from prpipeline.publish.release import publish
from prpipeline.publish.release_file import write_tables
from prpipeline.sandbox.github import Sandbox
from prpipeline.settings import MetricSettings
from prpipeline.sync import SyncOptions
from prpipeline.warehouse import Warehouse, tracking
from prpipeline_tests.publish.test_publish import query_with
from prpipeline_tests.support.bi_environments import environments
from prpipeline_tests.support.folders import new_folder, shared_folder
from prpipeline_tests.support.metrics_lab import NO_DELIVERIES
from prpipeline_tests.support.sync_lab import SyncLab, small_world
from prpipeline_tests.sync.test_always_equal import change, changes

# Changes come to the first two, and the last synced is read again: less than a third of all.
REPOSITORIES = ("octo/app", "octo/lib", "octo/web", *(f"octo/other-{n}" for n in range(7)), "octo/api")
AS_OF = datetime(2027, 1, 1)
OF_THE_PUBLICATION = {"pipeline_status"}


def derive(lab: SyncLab, as_of: datetime, metric_settings: MetricSettings) -> None:
    with lab.warehouse.transaction() as connection:
        behind = {
            *metrics.stale_repositories(connection, metric_settings),
            *tracking.with_metrics_behind(connection),
        }
        metrics.rebuild(connection, sorted(behind), metric_settings, as_of)
        metrics.rebuild_aggregates(connection, metric_settings, as_of)


def rows(file: Path) -> dict[str, list[str]]:
    """Of all tables; the text of views; all comments."""
    with duckdb.connect(str(file), read_only=True) as connection:
        found = {
            "views": "SELECT sql, comment FROM duckdb_views() WHERE NOT internal",
            "tables": "SELECT table_name, comment FROM duckdb_tables()",
            "columns": "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal",
        }
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        found |= {name: f"FROM {name}" for (name,) in names if name not in OF_THE_PUBLICATION}
        return {name: sorted(map(repr, connection.execute(sql).fetchall())) for name, sql in found.items()}


def written_whole(warehouse: Warehouse) -> dict[str, list[str]]:
    """What the same warehouse publishes where there is no last release."""
    file = new_folder() / "prpipeline.duckdb"
    with warehouse.transaction() as connection:
        described = dictionary.load(with_jira=metrics.has_jira(connection))
    values = {"published_at": AS_OF, "next_run_at": None, "version": "0", **NO_DELIVERIES}
    with warehouse.exclusive():
        write_tables(file, warehouse.path, values, described.tables)
    return rows(file)


@cache
def first_release() -> Path:
    """A folder with a warehouse and its first release, made once: it takes longer than what most tests do with it."""

    def fill(folder: Path) -> None:
        world = small_world(repositories=REPOSITORIES)
        with Sandbox(world) as server:
            lab = SyncLab(world, server, folder, page_size=25)
            lab.sync()
        derive(lab, AS_OF, MetricSettings())
        assert publish(lab.warehouse).is_whole

    return shared_folder("first-release", fill)


@contextmanager
def another_lab() -> Iterator[SyncLab]:
    """One of its own, on a copy of that folder, with a world like that one's."""
    folder = new_folder()
    shutil.copytree(first_release(), folder, symlinks=True, dirs_exist_ok=True)
    world = small_world(repositories=REPOSITORIES)
    with Sandbox(world) as server:
        yield SyncLab(world, server, folder)


DAYS = st.lists(st.lists(changes, max_size=6), min_size=1, max_size=3)
Days = list[list[tuple[str, str, int, int]]]


def test_whatever_happens_it_is_the_same() -> None:
    kinds = ("review", "merge", "draft", "title", "open", "delete_review", "delete_pull_request", "vanish")
    assert_the_same([[(kind, REPOSITORIES[n % 2], 3 * n, n) for n, kind in enumerate(kinds)]], rename=False)


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(days=DAYS, rename=st.booleans())
def test_whatever_else_happens_it_is_the_same(days: Days, rename: bool) -> None:
    assert_the_same(days, rename)


def assert_the_same(days: Days, rename: bool) -> None:
    with another_lab() as lab:
        for day, happened in enumerate(days, 1):
            for what in happened:
                change(lab.world, what)
            if rename and day == 2:
                lab.world.rename_repository("octo/web", "renamed")
            lab.world.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
            lab.sync(SyncOptions(reconcile=day % 2 == 0))
            derive(lab, AS_OF + timedelta(days=day), MetricSettings())
            release = publish(lab.warehouse)
            # Later it may have grown too much; and an account's new login changes rows everywhere.
            is_much = day > 1 or any(kind == "rename_account" for kind, *_ in happened)
            assert is_much or not release.is_whole
            found = rows(release.path)
            assert found == written_whole(lab.warehouse)
            found["pipeline_status"] = ["one"]
            of_catalog = ("views", "tables", "columns")
            assert release.rows == {
                name: len(those) for name, those in found.items() if name not in of_catalog
            }


@pytest.fixture
def lab() -> Iterator[SyncLab]:
    with another_lab() as lab:
        yield lab


@pytest.mark.slow
def test_other_metric_settings_are_seen_in_every_row(lab: SyncLab) -> None:
    derive(lab, AS_OF, MetricSettings(bots=("dev-1",), exclude_self=False))
    assert rows(publish(lab.warehouse).path) == written_whole(lab.warehouse)


@pytest.mark.slow
def test_another_team_or_none(lab: SyncLab) -> None:
    with lab.warehouse.transaction() as connection:
        tracking.update(connection, "octo/api", team="platform")
    derive(lab, AS_OF, MetricSettings())
    release = publish(lab.warehouse)
    assert not release.is_whole
    assert rows(release.path) == written_whole(lab.warehouse)


@pytest.mark.slow
def test_an_untracked_repository_that_was_deleted_is_gone(lab: SyncLab) -> None:
    with lab.warehouse.transaction() as connection:
        tracking.forget_tracked_by(connection, "cli")
    derive(lab, AS_OF, MetricSettings())
    release = publish(lab.warehouse)
    assert rows(release.path) == written_whole(lab.warehouse)
    assert release.rows["pull_requests"] == 0


@pytest.mark.slow
def test_a_new_name_that_reaches_the_weeks_later(lab: SyncLab) -> None:
    lab.world.rename_repository("octo/web", "renamed")
    lab.world.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    lab.sync(SyncOptions())
    for _ in range(2):
        release = publish(lab.warehouse)
        assert not release.is_whole
        assert rows(release.path) == written_whole(lab.warehouse)
        derive(lab, AS_OF, MetricSettings())


@pytest.mark.slow
def test_clocks_go_on_where_nothing_else_happens(lab: SyncLab) -> None:
    with lab.warehouse.transaction() as connection:
        connection.execute(
            "UPDATE raw.pull_requests SET state = 'open', merged_at = NULL, closed_at = NULL, "
            "is_draft = number % 3 = 0, synced_at = synced_at + INTERVAL 1 SECOND WHERE number < 13"
        )
        connection.execute("UPDATE meta.repositories SET changed_at = ?", [AS_OF])
    derive(lab, AS_OF + timedelta(hours=1), MetricSettings())
    shown = [rows(publish(lab.warehouse).path)]
    for days in (1, 2):
        derive(lab, AS_OF + timedelta(days=days), MetricSettings())
        release = publish(lab.warehouse)
        assert not release.is_whole
        shown.append(rows(release.path))
        assert shown[-1] == written_whole(lab.warehouse)
    for table in ("review_time_hours", "review_queue"):
        assert shown[1][table] != shown[2][table], table


@pytest.mark.slow
def test_rows_that_are_there_twice_and_then_no_longer(lab: SyncLab) -> None:
    one = "(SELECT max(review_id) FROM raw.reviews)"
    for statements in (
        [f"INSERT INTO raw.reviews FROM raw.reviews WHERE review_id = {one}"],
        [
            f"CREATE TEMP TABLE once AS SELECT DISTINCT * FROM raw.reviews WHERE review_id = {one}",
            f"DELETE FROM raw.reviews WHERE review_id = {one}",
            "INSERT INTO raw.reviews FROM once",
        ],
    ):
        with lab.warehouse.transaction() as connection:
            for statement in statements:
                connection.execute(statement)
        assert rows(publish(lab.warehouse).path) == written_whole(lab.warehouse)


@pytest.mark.slow
def test_metrics_that_follow_a_publication_later(lab: SyncLab) -> None:
    lab.world.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    with lab.warehouse.transaction() as connection:  # as a sync leaves it
        connection.execute("DELETE FROM raw.reviews WHERE number % 2 = 0 AND repository_id % 2 = 0")
        connection.execute("UPDATE meta.repositories SET changed_at = ?", [AS_OF + timedelta(hours=1)])
    for _ in range(2):
        release = publish(lab.warehouse)
        assert not release.is_whole
        assert rows(release.path) == written_whole(lab.warehouse)
        derive(lab, AS_OF + timedelta(hours=2), MetricSettings())


@pytest.mark.slow
@pytest.mark.parametrize(("where", "is_whole"), [("number % 5 = 1", False), ("number % 5 < 3", True)])
def test_a_little_in_every_repository_is_not_much(lab: SyncLab, where: str, is_whole: bool) -> None:
    with lab.warehouse.transaction() as connection:
        connection.execute(f"UPDATE raw.pull_requests SET title = 'other' WHERE {where}")
        connection.execute("UPDATE meta.repositories SET changed_at = ?", [AS_OF + timedelta(hours=1)])
    derive(lab, AS_OF + timedelta(hours=2), MetricSettings())
    release = publish(lab.warehouse)
    assert release.is_whole is is_whole
    assert rows(release.path) == written_whole(lab.warehouse)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["contents", "file", "no contents", "of an earlier version"])
def test_a_damaged_release_is_not_built_upon(lab: SyncLab, damage: str) -> None:
    last = (lab.warehouse.path.parent / "published").resolve()
    if damage == "file":
        (last / "prpipeline.duckdb").write_bytes(b"no database" * 1000)
    elif damage == "of an earlier version":  # which had tables where there are views now
        with duckdb.connect(str(last / "prpipeline.duckdb")) as connection:
            connection.execute("CREATE TABLE other AS FROM compat_origin")
            connection.execute("DROP VIEW compat_origin")
            connection.execute("ALTER TABLE other RENAME TO compat_origin")
        with duckdb.connect(str(last / ".contents.duckdb")) as connection:
            connection.execute("UPDATE release SET layout = 'another'")
    elif damage == "contents":
        (last / ".contents.duckdb").write_bytes(b"no database" * 1000)
    else:
        (last / ".contents.duckdb").unlink()
    assert rows(publish(lab.warehouse).path) == written_whole(lab.warehouse)


@pytest.mark.slow
def test_many_small_changes_do_not_make_it_grow_for_ever(lab: SyncLab) -> None:
    sizes, whole = [], 0
    for day in range(1, 12):
        with lab.warehouse.transaction() as connection:
            tracking.update(connection, "octo/api", team=f"team-{day}")
        derive(lab, AS_OF + timedelta(days=day), MetricSettings())
        release = publish(lab.warehouse)
        sizes.append(release.size_bytes)
        whole += release.is_whole
    assert whole < len(sizes) / 2
    assert max(sizes) < 2 * min(sizes)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.2", "1.4", "1.5"])
def test_earlier_duckdbs_open_it(lab: SyncLab, version: str) -> None:
    with lab.warehouse.transaction() as connection:
        tracking.update(connection, "octo/api", team="platform")
    derive(lab, AS_OF + timedelta(days=1), MetricSettings())
    publish(lab.warehouse)
    assert "octo/api" in query_with(environments()[version].python, lab.warehouse.path.parent)
