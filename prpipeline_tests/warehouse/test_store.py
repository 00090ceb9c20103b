"""How transactions use a store, and that the tables use only what other stores, such as a data lake, support."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline.warehouse import Warehouse, WarehouseError
from prpipeline.warehouse.file_store import FileStore
from prpipeline_tests.support.stores import new_warehouse

INSERT = "INSERT INTO meta.removals VALUES (?, 'review', 'x', 1, now()::TIMESTAMP)"


class RecordingLock:
    """Held by one at a time, and not reentrant."""

    def __init__(self) -> None:
        self.is_held = False
        self.times = 0

    def acquire(self) -> None:
        assert not self.is_held
        self.is_held = True
        self.times += 1

    def confirm(self) -> None:
        assert self.is_held

    def release(self) -> None:
        self.is_held = False


class RecordingStore:
    """A file with another name in messages, and a lock within this process."""

    where = "the store of this test"
    batch_rows = 1

    def __init__(self, path: Path, *, keeps_attached: bool) -> None:
        self._file = FileStore(path)
        self.path, self.folder = path, path.parent
        self.leases, self.snapshot, self.maintain = (
            self._file.leases,
            self._file.snapshot,
            self._file.maintain,
        )
        self.explain = self._file.explain
        self.keeps_attached = keeps_attached
        self.lock = RecordingLock()
        self.calls: list[str] = []

    def exists(self) -> bool:
        return self._file.exists()

    def create(self, connection: duckdb.DuckDBPyConnection, make_tables: Any) -> None:
        self._called("create")
        self._file.create(connection, make_tables)

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._called("attach")
        self._file.attach(connection)

    def detach(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._called("detach")
        self._file.detach(connection)

    def _called(self, name: str) -> None:
        assert self.lock.is_held
        self.calls.append(name)


def write(warehouse: Warehouse, *numbers: int) -> None:
    for number in numbers:
        with warehouse.transaction() as connection:
            connection.execute(INSERT, [number])


def held(warehouse: Warehouse) -> list[int]:
    with warehouse.transaction() as connection:
        return [
            row[0]
            for row in connection.execute("SELECT repository_id FROM meta.removals ORDER BY ALL").fetchall()
        ]


def test_a_store_that_may_stay_attached_stays_attached(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path / "tables", keeps_attached=True)
    warehouse = Warehouse(store)
    write(warehouse, 1, 2, 3)
    assert held(warehouse) == [1, 2, 3]
    assert (store.calls, store.lock.times, store.lock.is_held) == (["create", "attach"], 4, False)
    with warehouse.exclusive():
        assert store.calls[2:] == ["detach"]
    assert held(warehouse) == [1, 2, 3]


def test_a_store_that_may_not_stay_attached_is_attached_by_each_transaction(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path / "tables", keeps_attached=False)
    warehouse = Warehouse(store)
    write(warehouse, 1, 2)
    assert store.calls == ["create", *["attach", "detach"] * 2]


def test_a_session_attaches_once(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path / "tables", keeps_attached=False)
    warehouse = Warehouse(store)
    with warehouse.session():
        write(warehouse, 1, 2)
    assert (store.calls, store.lock.times) == (["create", "attach", "detach"], 1)


@pytest.mark.parametrize("keeps_attached", [True, False])
def test_a_failure_releases_the_store_and_the_error_names_it(tmp_path: Path, keeps_attached: bool) -> None:
    warehouse = Warehouse(RecordingStore(tmp_path / "tables", keeps_attached=keeps_attached))

    def fail() -> None:
        with warehouse.transaction() as connection:
            connection.execute(INSERT, [1])
            connection.execute("FROM no_such_table")

    with pytest.raises(WarehouseError, match="the store of this test"):
        fail()
    write(warehouse, 2)
    assert held(warehouse) == [2]


# ── what a data lake does not support ──────────────────────────────────────────────────────────────────────────────


def found(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.transaction() as connection:
        return connection.execute(query).fetchall()


FORBIDDEN = {
    "enumerations": "SELECT table_name, column_name FROM duckdb_columns() WHERE data_type LIKE '%ENUM%'",
    "keys, checks": "SELECT table_name, constraint_text FROM duckdb_constraints() WHERE constraint_type <> 'NOT NULL'",
    "indexes": "SELECT table_name, index_name FROM duckdb_indexes()",
    "sequences": "SELECT sequence_name FROM duckdb_sequences()",
    "generated columns": "SELECT table_name FROM duckdb_tables() WHERE sql ILIKE '%GENERATED ALWAYS%'",
    "defaults": "SELECT table_name, column_name FROM duckdb_columns() WHERE column_default IS NOT NULL",
}


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_the_tables_use_only_what_a_lake_supports(tmp_path: Path, kind: str) -> None:
    query = f"{FORBIDDEN[kind]} {'WHERE' if 'WHERE' not in FORBIDDEN[kind] else 'AND'} database_name = 'warehouse'"
    assert found(new_warehouse(tmp_path), query) == []


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_unsupported_tables_would_be_found(tmp_path: Path, kind: str) -> None:
    warehouse = new_warehouse(tmp_path)
    with warehouse.transaction() as connection:
        connection.execute("CREATE SEQUENCE raw.numbers")
        connection.execute(
            "CREATE TABLE raw.odd (id INTEGER PRIMARY KEY, kind ENUM('a'), n INTEGER DEFAULT 1, "
            "twice INTEGER GENERATED ALWAYS AS (n * 2))"
        )
        connection.execute("CREATE INDEX odd_n ON raw.odd (n)")
    assert found(warehouse, FORBIDDEN[kind])
