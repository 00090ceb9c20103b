"""A warehouse of any earlier version is brought forward with all it holds, or not touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline.publish.release import publish
from prpipeline.warehouse import Warehouse, WarehouseError, etags, tracking
from prpipeline.warehouse.database import STORAGE_VERSION
from prpipeline.warehouse.schema import SCHEMA_VERSION

FIXTURES = Path(__file__).parent / "fixtures"
EARLIER = range(1, SCHEMA_VERSION)
Rows = dict[str, list[tuple[Any, ...]]]


def as_of(version: int, folder: Path) -> Path:
    """A file of an earlier version."""
    path = folder / "warehouse.duckdb"
    with duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE_VERSION}) as connection:
        connection.execute((FIXTURES / f"schema_{version}.sql").read_text(encoding="utf-8"))
    return path


def definitions(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(
            "SELECT schema_name, table_name, column_name, data_type, is_nullable, column_default, column_index "
            "FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
        ).fetchall()


def content(path: Path) -> Rows:
    """Every row of raw and meta, but for the versions themselves."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
            "WHERE schema_name IN ('raw', 'meta') AND table_name <> 'schema_version'"
        ).fetchall()
        return {
            table: connection.execute(f"FROM {table} ORDER BY ALL").fetchall() for (table,) in sorted(tables)
        }


def versions(path: Path) -> list[int]:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("SELECT version FROM meta.schema_version ORDER BY version").fetchall()
        return [version for (version,) in found]


def test_each_version_has_its_step_and_its_fixture() -> None:
    steps = {file.name for file in (resources.files("prpipeline.warehouse") / "migrations").iterdir()}
    assert steps == {f"{version:04}.sql" for version in range(2, SCHEMA_VERSION + 1)}
    assert {file.name for file in FIXTURES.iterdir()} == {f"schema_{version}.sql" for version in EARLIER}


@pytest.mark.parametrize("version", EARLIER)
def test_an_earlier_warehouse_is_brought_forward_with_all_its_rows(version: int, tmp_path: Path) -> None:
    path = as_of(version, tmp_path)
    before = content(path)
    with Warehouse(path).transaction() as connection:
        (tracked,) = tracking.all_tracked(connection)
    assert (tracked.tracked_as, tracked.repository_id, tracked.team) == ("octo/app", 1001, "core")
    after = content(path)
    assert {table: after[table] for table in before} == before
    assert versions(path) == list(range(version, SCHEMA_VERSION + 1))
    assert publish(Warehouse(path)).rows["pull_requests"] == len(before["raw.pull_requests"])


@pytest.mark.parametrize("version", EARLIER)
def test_it_ends_with_the_tables_of_a_new_one(version: int, tmp_path: Path) -> None:
    with Warehouse(tmp_path / "new" / "warehouse.duckdb").transaction():
        pass
    old = as_of(version, tmp_path)
    with Warehouse(old).transaction():
        pass
    assert definitions(old) == definitions(tmp_path / "new" / "warehouse.duckdb")


def test_once_is_enough(tmp_path: Path) -> None:
    path = as_of(1, tmp_path)
    for _ in range(2):
        with Warehouse(path).transaction():
            pass
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
    with Warehouse(path).transaction():
        pass
    assert versions(path) == [1, 2]


def test_killed_midway_it_is_still_the_earlier_version(tmp_path: Path) -> None:
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


def test_a_newer_one_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = as_of(1, tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE meta.schema_version SET version = 99")
    before = path.read_bytes()
    with pytest.raises(WarehouseError, match=r"newer prpipeline \(its schema is 99.*upgrade prpipeline"):
        publish(Warehouse(path))
    assert path.read_bytes() == before


def test_one_that_became_newer_meanwhile_is_refused_too(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    with warehouse.transaction():
        pass
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("INSERT INTO meta.schema_version VALUES (99, now()::TIMESTAMP)")
    with pytest.raises(WarehouseError, match="upgrade prpipeline"), warehouse.transaction():
        pass


def test_a_backup_of_an_earlier_version_may_be_put_back_while_we_run(tmp_path: Path) -> None:
    backup = as_of(1, tmp_path)
    shutil.copy(backup, tmp_path / "backup")
    warehouse = Warehouse(backup)
    with warehouse.transaction():
        pass
    shutil.copy(tmp_path / "backup", warehouse.path)
    with warehouse.transaction() as connection:
        assert etags.load(connection) == {}


def test_etags_are_remembered(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    with warehouse.transaction() as connection:
        etags.save(connection, {"a": ('W/"1"', "{}"), "b": ('"2"', "it's")})
        etags.save(connection, {"a": ('"3"', '{"x": [1]}')})
        etags.save(connection, {})
    with Warehouse(warehouse.path).transaction() as connection:
        assert etags.load(connection) == {"a": ('"3"', '{"x": [1]}'), "b": ('"2"', "it's")}
