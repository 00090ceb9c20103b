"""A warehouse of an earlier version is migrated with all its rows, or left unchanged."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline.publish.release import publish
from prpipeline.sandbox.github import Sandbox
from prpipeline.warehouse import Warehouse, WarehouseError, activity, etags, tracking
from prpipeline.warehouse.database import STORAGE_VERSION
from prpipeline.warehouse.schema import SCHEMA_VERSION
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.stores import new_warehouse
from prpipeline_tests.support.sync_lab import SyncLab, small_world

FIXTURES = Path(__file__).parent / "fixtures"
EARLIER = range(1, SCHEMA_VERSION)
RENAMED = {"meta.repositories": {"source": "tracked_by"}}
Rows = dict[str, list[dict[str, Any]]]


def as_of(version: int, folder: Path) -> Path:
    """A file of an earlier version."""
    return Path(shutil.copyfile(_earlier(version), folder / "warehouse.duckdb"))


@cache
def _earlier(version: int) -> Path:
    path = lasting_folder() / "warehouse.duckdb"
    with duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE_VERSION}) as connection:
        connection.execute((FIXTURES / f"schema_{version}.sql").read_text(encoding="utf-8"))
    return path


def migrated(version: int, folder: Path) -> Path:
    """A file of an earlier version, after its migration."""
    return Path(shutil.copyfile(_migrated(version), folder / "warehouse.duckdb"))


@cache
def _migrated(version: int) -> Path:
    path = as_of(version, lasting_folder())
    migrate(path)
    return path


def migrate(path: Path) -> None:
    with Warehouse(path).transaction():
        pass


def definitions(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(
            "SELECT schema_name, table_name, column_name, data_type, is_nullable, column_default, column_index "
            "FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
        ).fetchall()


def content(path: Path) -> Rows:
    """Every row of raw and meta, without the versions."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
            "WHERE schema_name IN ('raw', 'meta') AND table_name <> 'schema_version'"
        ).fetchall()
        return {table: rows_of(connection, table) for (table,) in sorted(tables)}


def rows_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    found = connection.execute(f"FROM {table}")
    names = [column[0] for column in found.description]
    return sorted((dict(zip(names, row, strict=True)) for row in found.fetchall()), key=repr)


def as_called_now(before: Rows, after: Rows) -> tuple[Rows, Rows]:
    """The rows before, with the columns' new names, and the same columns of the rows after."""
    renamed = {
        table: [{RENAMED.get(table, {}).get(name, name): row[name] for name in row} for row in rows]
        for table, rows in before.items()
    }
    kept = {
        table: sorted(
            ({name: row[name] for name in (renamed[table] or [row])[0]} for row in after[table]), key=repr
        )
        for table in before
    }
    return {table: sorted(rows, key=repr) for table, rows in renamed.items()}, kept


def versions(path: Path) -> list[int]:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("SELECT version FROM meta.schema_version ORDER BY version").fetchall()
        return [version for (version,) in found]


def test_each_version_has_its_step_and_its_fixture() -> None:
    steps = {file.name for file in (resources.files("prpipeline.warehouse") / "migrations").iterdir()}
    assert steps == {f"{version:04}.sql" for version in range(2, SCHEMA_VERSION + 1)}
    assert {file.name for file in FIXTURES.iterdir()} == {f"schema_{version}.sql" for version in EARLIER}


@pytest.mark.parametrize("version", EARLIER)
def test_an_earlier_warehouse_is_migrated_with_all_its_rows(version: int, tmp_path: Path) -> None:
    before = content(_earlier(version))
    path = migrated(version, tmp_path)
    for derived in (
        "meta.metric_states",
        "meta.metric_definitions",
        "meta.etags",
    ):  # computed, or asked for, anew
        before.pop(derived, None)
    with Warehouse(path).transaction() as connection:
        tracked = tracking.all_tracked(connection)[0]
        recorded = activity.syncs_since(connection, 0, 100)
        named = {"tracked_as": "octo/app", "repository_id": None, "mode": "failed"}
        times = {"started_at": datetime(2027, 1, 1), "finished_at": datetime(2027, 1, 1)}
        assert activity.record_sync(connection, **named, **times) == len(recorded) + 1  # type: ignore[arg-type]
        connection.execute("DELETE FROM meta.syncs WHERE started_at = TIMESTAMP '2027-01-01'")
        connection.execute("UPDATE meta.counters SET value = value - 1 WHERE name = 'syncs'")
    assert (tracked.tracked_as, tracked.tracked_by, tracked.team) == ("octo/app", "cli", "core")
    assert [row.sync_id for row in recorded] == list(range(1, len(recorded) + 1))
    assert [row.finished_at for row in recorded] == sorted(row.finished_at for row in recorded)
    wanted, kept = as_called_now(before, content(path))
    assert all(wanted[table] for table in ("meta.repositories", "meta.syncs", "raw.pull_requests"))
    assert kept == wanted
    assert versions(path) == list(range(version, SCHEMA_VERSION + 1))


@pytest.mark.parametrize("version", some_slow(EARLIER, 1))
def test_a_migrated_warehouse_is_published(version: int, tmp_path: Path) -> None:
    rows = publish(Warehouse(migrated(version, tmp_path))).rows
    assert rows["pull_requests"] == len(content(_earlier(version))["raw.pull_requests"])


@pytest.mark.parametrize("version", EARLIER)
def test_a_migrated_warehouse_has_the_tables_of_a_new_one(version: int, tmp_path: Path) -> None:
    assert definitions(_migrated(version)) == definitions(new_warehouse(tmp_path).path)


@pytest.mark.parametrize(("version", "read"), some_slow([(2, 8), (3, 8), (4, 5), (5, 5)], (2, 8), (4, 5)))
def test_a_migrated_warehouse_continues_syncing(version: int, read: int, tmp_path: Path) -> None:
    """The fixture holds this world, so only later changes are read, and what the rows lack."""
    recorded = len(content(migrated(version, tmp_path))["meta.syncs"])
    world = small_world(6, ("octo/app", "octo/lib"))
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path)
        lab.live()
        assert lab.held()["review_events"] == lab.expected()["review_events"]
        lab.live()
        results = lab.sync()
        lab.assert_equal()
        lab.assert_no_row_twice()
    # Five changed, of the eight that each has now; before version 4 the others lack what this version reads.
    assert [(result.mode, result.pull_requests) for result in results] == [("increment", read)] * 2
    with lab.warehouse.transaction() as connection:
        assert [row.mode for row in activity.syncs_since(connection, recorded, 10)] == ["increment"] * 2


def test_a_migration_runs_once(tmp_path: Path) -> None:
    path = migrated(1, tmp_path)
    migrate(path)
    assert versions(path) == list(range(1, SCHEMA_VERSION + 1))


def test_a_step_that_fails_leaves_the_earlier_version(tmp_path: Path) -> None:
    path = as_of(1, tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE meta.etags (somebody_elses INTEGER)")
    before = content(path)
    with pytest.raises(WarehouseError, match="etags"), Warehouse(path).transaction():
        pass
    assert content(path) == before
    assert versions(path) == [1]
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TABLE meta.etags")
    migrate(path)
    assert versions(path) == list(range(1, SCHEMA_VERSION + 1))


def test_a_killed_migration_leaves_the_earlier_version(tmp_path: Path) -> None:
    path = as_of(1, tmp_path)
    before = content(path)
    program = f"""
import os, signal, duckdb
from prpipeline.warehouse import schema
connection = duckdb.connect({str(path)!r})
connection.execute("BEGIN")
schema.bring_forward(connection, 1)
assert schema.find_version(connection) == schema.SCHEMA_VERSION
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": ":".join(sys.path)}
    )
    assert killed.returncode == -signal.SIGKILL
    assert content(path) == before
    assert versions(path) == [1]


def test_a_newer_warehouse_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = as_of(1, tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE meta.schema_version SET version = 99")
    before = path.read_bytes()
    with pytest.raises(WarehouseError, match=r"newer prpipeline \(its schema is 99.*upgrade prpipeline"):
        publish(Warehouse(path))
    assert path.read_bytes() == before


def test_a_warehouse_that_became_newer_meanwhile_is_refused(tmp_path: Path) -> None:
    warehouse = new_warehouse(tmp_path)
    with warehouse.transaction():
        pass
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("INSERT INTO meta.schema_version VALUES (99, now()::TIMESTAMP)")
    with pytest.raises(WarehouseError, match="upgrade prpipeline"), warehouse.transaction():
        pass


def test_a_restored_backup_of_an_earlier_version_is_migrated(tmp_path: Path) -> None:
    warehouse = Warehouse(migrated(1, tmp_path))
    with warehouse.transaction():
        pass
    as_of(1, tmp_path)
    with warehouse.transaction() as connection:
        assert etags.load(connection) == {}


def test_etags_are_migrated(tmp_path: Path) -> None:
    warehouse = new_warehouse(tmp_path)
    with warehouse.transaction() as connection:
        etags.save(connection, {"a": ('W/"1"', "{}"), "b": ('"2"', "it's")})
        etags.save(connection, {"a": ('"3"', '{"x": [1]}')})
        etags.save(connection, {})
    with Warehouse(warehouse.path).transaction() as connection:
        assert etags.load(connection) == {"a": ('"3"', '{"x": [1]}'), "b": ('"2"', "it's")}


def test_logins_of_an_earlier_warehouse_are_remembered_and_the_newest_spread(tmp_path: Path) -> None:
    """She is 'grace' in the answers that were read last, and was once read as 'graceful'."""
    path = as_of(3, tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "UPDATE raw.pull_requests SET merged_by_login = 'graceful' WHERE number = 5 AND merged_by_login = 'grace'"
        )
        connection.execute("UPDATE raw.pull_requests SET synced_at = created_at WHERE number = 5")
        connection.execute(
            "UPDATE raw.review_events SET actor_login = 'graceful' WHERE number = 5 AND actor_login = 'grace'"
        )
        (grace,) = connection.execute(
            "SELECT DISTINCT merged_by_id FROM raw.pull_requests WHERE merged_by_login = 'graceful'"
        ).fetchall()
    with Warehouse(path).transaction() as connection:
        known = connection.execute(
            "SELECT login FROM raw.actor_logins WHERE actor_id = ? ORDER BY last_read_at DESC", grace
        ).fetchall()
        borne = connection.execute(
            "SELECT merged_by_login FROM raw.pull_requests WHERE merged_by_id = $1 "
            "UNION SELECT actor_login FROM raw.review_events WHERE actor_id = $1",
            grace,
        ).fetchall()
    assert known == [("grace",), ("graceful",)]
    assert borne == [("grace",)]
