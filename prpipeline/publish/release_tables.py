"""The tables and views of a release: what each shows of a warehouse, and how it is made, explained in the file.

Works on a connection that has the warehouse attached, and the release as its current database.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from prpipeline import metrics
from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary
from prpipeline.warehouse.database import STORAGE_VERSION, quoted

# What analysts ask for together lies together, so that scans skip the rest.
_ORDER = {"pull_requests": "repository_id, number", "review_time_hours": "repository_id, number"}


def opened(target: Path, warehouse: Path, *, in_memory: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the release's file, or to memory beside it, with the warehouse attached, read-only."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "storage_compatibility_version": STORAGE_VERSION,
        "preserve_insertion_order": "false",
        "checkpoint_threshold": "1KB",  # into the file at once: nobody needs a .wal of what is not shown yet
        "temp_directory": f"{target}.tmp",  # not in whatever folder we were started in
    }
    connection = duckdb.connect(":memory:" if in_memory else str(target), config=config)
    connection.execute(f"ATTACH '{quoted(warehouse)}' AS warehouse (READ_ONLY)")
    connection.execute("CREATE TEMP TABLE names AS FROM warehouse.metrics.repository_names")
    return connection


def create(connection: Connection, table: dictionary.Table, values: Mapping[str, Any]) -> None:
    """Make the table or view, instead of the one that may be there."""
    kind = "VIEW" if is_view(table) else "TABLE"
    if table.name == "data_dictionary":
        _create_dictionary(connection, table)
    elif is_view(table):
        connection.execute(metrics.published_view(table.name))
    else:
        source, order = query(table.name, "warehouse"), _ORDER.get(table.name)
        connection.execute(
            f'CREATE OR REPLACE TABLE main."{table.name}" AS SELECT {columns(table)} FROM ({source}) AS source'
            + (f" ORDER BY {order}" if order else ""),
            {name: value for name, value in values.items() if f"${name}" in source},
        )
    connection.execute(
        ";".join(
            [f"COMMENT ON {kind} main.\"{table.name}\" IS '{quoted(_explanation(table))}'"]
            + [
                f'COMMENT ON COLUMN main."{table.name}"."{column.name}" IS \'{quoted(column.description)}\''
                for column in table.columns
            ]
        )
    )


def _create_dictionary(connection: Connection, table: dictionary.Table) -> None:
    rows = [
        [t.name, column.name, column.type, column.description, _explanation(t)]
        for t in dictionary.load().tables
        for column in t.columns
    ]
    names = ", ".join(f'rows[{n}] AS "{column.name}"' for n, column in enumerate(table.columns, 1))
    connection.execute(
        f"CREATE OR REPLACE TABLE main.data_dictionary AS SELECT {names} FROM (SELECT unnest(?) AS rows)",
        [rows],
    )


def _explanation(table: dictionary.Table) -> str:
    return f"{table.description} One row: {table.grain}."


def is_view(table: dictionary.Table) -> bool:
    """Over what is published, so that it is made once, after the tables, and changes with them."""
    return table.name in metrics.PUBLISHED_VIEWS


def columns(table: dictionary.Table) -> str:
    return ", ".join(f'"{column.name}"::{column.type} AS "{column.name}"' for column in table.columns)


def query(table: str, catalog: str) -> str:
    """What a table shows of a warehouse that is attached by this name."""
    file = resources.files("prpipeline.publish") / "sql" / f"{table}.sql"
    if file.is_file():
        return file.read_text(encoding="utf-8").strip().replace("warehouse.", f"{catalog}.")
    return f'SELECT * FROM {catalog}.metrics."{table}"'


def count(connection: Connection) -> dict[str, int]:
    """How many rows each table has; those of a view are not made to be counted."""
    return {
        table.name: int(
            (connection.execute(f'SELECT count(*) FROM main."{table.name}"').fetchone() or (0,))[0]
        )
        for table in dictionary.load().tables
        if not is_view(table)
    }
