"""A copy of a warehouse in another store: a move between a file and a lake, or a backup. Wholly made, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from prpipeline import metrics
from prpipeline.warehouse import errors, schema
from prpipeline.warehouse.database import Warehouse, start
from prpipeline.warehouse.errors import WarehouseError
from prpipeline.warehouse.lock import LockError
from prpipeline.warehouse.store import CATALOG, Snapshot, Store

_SOURCE = "source"
_SCHEMAS = "('raw', 'meta', 'metrics')"


@dataclass(frozen=True, slots=True)
class Copied:
    """How many tables with how many rows."""

    tables: int
    rows: int


def copy(source: Store, target: Store) -> Copied:
    """Copy all tables into a store that is not there yet, and compare them with their source.

    The source is brought to the present version first; a file is locked meanwhile, a lake is not. Raises WarehouseError;
    then the target holds nothing.
    """
    if not source.exists():
        raise WarehouseError(f"{source.where} is no warehouse yet; nothing was copied.")
    warehouse = Warehouse(source)
    with warehouse.transaction():
        pass
    with warehouse.frozen() as snapshot:
        try:
            target.lock.acquire()
        except LockError as error:
            raise WarehouseError(str(error)) from None
        try:
            return _filled(snapshot, target)
        finally:
            target.lock.release()


def _filled(snapshot: Snapshot, target: Store) -> Copied:
    done: list[Copied] = []

    def fill(connection: duckdb.DuckDBPyConnection) -> None:
        done.append(_copy_tables(connection))
        target.lock.confirm()

    with start(target.path) as connection:
        try:
            if target.exists() and _has_tables(connection, target):
                raise WarehouseError(
                    f"{target.where} is there already; nothing was copied. Name another place, or move that one away."
                )
            snapshot.attach(connection, _SOURCE)
            target.create(connection, fill)
        except duckdb.Error as error:
            raise WarehouseError(f"Nothing was copied: {errors.sentence(error, target)}") from None
        except LockError as error:
            raise WarehouseError(str(error)) from None
    return done[0]


def _has_tables(connection: duckdb.DuckDBPyConnection, target: Store) -> bool:
    """Whether it is more than a catalog that a killed copy left behind."""
    target.attach(connection)
    found = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = ?", [CATALOG]
    ).fetchone()
    target.detach(connection)
    return bool(found and found[0])


def _copy_tables(connection: duckdb.DuckDBPyConnection) -> Copied:
    """In the transaction on the new, empty database."""
    schema.create(connection)
    there = _columns(connection, CATALOG)
    rows = 0
    tables = _columns(connection, _SOURCE)
    for table, columns in tables.items():
        if table not in there:  # a source's own, made only where that is synced
            parts = [f'"{c}" {kind}{"" if nullable else " NOT NULL"}' for c, kind, nullable in columns]
            connection.execute(f"CREATE TABLE {table} ({', '.join(parts)})")
        connection.execute(f"DELETE FROM {table}")
        connection.execute(f"INSERT INTO {table} BY NAME FROM {_SOURCE}.{table}")
        names = ", ".join(f'"{name}"' for name, *_ in sorted(columns))
        before, after = (
            connection.execute(f"SELECT count(*), sum(hash({names})) FROM {catalog}{table}").fetchone()
            for catalog in (f"{_SOURCE}.", "")
        )
        if before != after or before is None:
            raise WarehouseError(
                f"The copy of {table} is not what its source is; nothing was copied. Copy it again."
            )
        rows += int(before[0])
    if tables.keys() - there.keys():
        metrics.create_tables(connection)  # the views over them
    return Copied(len(tables), rows)


def _columns(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, list[tuple[str, str, bool]]]:
    """By table its columns with their types, and whether they may be NULL."""
    rows = connection.execute(
        "SELECT schema_name || '.' || table_name, column_name, data_type, is_nullable FROM duckdb_columns() "
        "SEMI JOIN duckdb_tables() USING (database_name, schema_name, table_name) "
        f"WHERE database_name = ? AND schema_name IN {_SCHEMAS} ORDER BY schema_name, table_name, column_index",
        [catalog],
    ).fetchall()
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for table, *column in rows:
        found.setdefault(table, []).append((column[0], column[1], column[2]))
    return found
