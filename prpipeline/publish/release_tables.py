"""The tables and views of a release: the query behind each, and how each is created with its comments.

Works on a connection that has the warehouse attached, and the release as its current database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from prpipeline import metrics
from prpipeline.model.sql import Connection, parsed
from prpipeline.publish import dictionary
from prpipeline.warehouse.database import STORAGE_VERSION, quoted
from prpipeline.warehouse.file_store import FileSnapshot
from prpipeline.warehouse.store import Snapshot

Tables = Path | Snapshot
"""The warehouse to publish: a closed file, or one state of a store."""


def opened(target: Path, warehouse: Tables, *, in_memory: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the release's file, or to memory, with the warehouse attached read-only."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "storage_compatibility_version": STORAGE_VERSION,
        "preserve_insertion_order": "false",
        "checkpoint_threshold": "1KB",  # no .wal: nobody reads the file before it is finished
        "temp_directory": f"{target}.tmp",  # the default is the current directory
    }
    connection = duckdb.connect(":memory:" if in_memory else str(target), config=config)
    (FileSnapshot(warehouse) if isinstance(warehouse, Path) else warehouse).attach(connection)
    connection.execute("CREATE TEMP TABLE names AS FROM warehouse.metrics.repository_names")
    syncs = _JIRA_SYNCS if metrics.has_jira(connection, "warehouse") else _NO_JIRA_SYNCS
    connection.execute(f"CREATE TEMP TABLE jira_syncs AS {syncs}")
    return connection


# One row; without values where no project is selected.
_JIRA_SYNCS = """
    SELECT CASE WHEN count(*) > 0 THEN count(last_error) END AS failed, min(last_sync_at) AS oldest_sync_at
    FROM warehouse.meta.jira_projects WHERE is_tracked
"""
_NO_JIRA_SYNCS = "SELECT NULL::BIGINT AS failed, NULL::TIMESTAMP AS oldest_sync_at"


def described(connection: Connection) -> dictionary.Dictionary:
    """The tables that a release of the attached warehouse has."""
    return dictionary.load(with_jira=metrics.has_jira(connection, "warehouse"))


def create(
    connection: Connection,
    table: dictionary.Table,
    values: Mapping[str, Any],
    tables: Sequence[dictionary.Table],
) -> None:
    """Create the table or view with its comments and rows, or replace it. ``tables``: all of the release."""
    connection.execute(empty(table))
    fill(connection, table, values, tables)


def empty(table: dictionary.Table) -> str:
    """The statements that create the table or view with its comments, or replace it."""
    name = f'main."{table.name}"'
    if is_view(table):
        kind, made = "VIEW", f"AS {query(table, '')}"
    else:
        columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
        kind, made = "TABLE", f"({columns})"
    comments = [f"COMMENT ON {kind} {name} IS '{quoted(table.comment)}'"]
    comments += [
        f"COMMENT ON COLUMN {name}.\"{column.name}\" IS '{quoted(column.description)}'"
        for column in table.columns
    ]
    return ";".join([f"CREATE OR REPLACE {kind} {name} {made}", *comments])


def fill(
    connection: Connection,
    table: dictionary.Table,
    values: Mapping[str, Any],
    tables: Sequence[dictionary.Table],
) -> None:
    """Insert the rows into an empty table; a view has none. ``tables``: all of the release."""
    if table.name == "data_dictionary":
        _fill_dictionary(connection, table, tables)
    elif not is_view(table):
        source = query(table, "warehouse")
        # Analysts filter by repository and time: sorted rows let scans skip row groups.
        order = " ORDER BY repository_id, number" if table.grain == "pull request" else ""
        connection.execute(
            parsed(connection, f'INSERT INTO main."{table.name}" {source}{order}'),
            {name: value for name, value in values.items() if f"${name}" in source},
        )


def _fill_dictionary(
    connection: Connection, table: dictionary.Table, tables: Sequence[dictionary.Table]
) -> None:
    rows = [
        [t.name, column.name, column.type, column.description, t.comment]
        for t in tables
        for column in t.columns
    ]
    names = ", ".join(f"rows[{n}]" for n, _ in enumerate(table.columns, 1))
    connection.execute(
        f"INSERT INTO main.data_dictionary SELECT {names} FROM (SELECT unnest(?) AS rows)", [rows]
    )


def is_view(table: dictionary.Table) -> bool:
    """Views read published tables only, so they stay right when those change."""
    return table.name in metrics.published_views(with_jira=True)


def is_from_code(table: dictionary.Table) -> bool:
    """Whether the table follows from the code alone, whatever the warehouse holds."""
    return table.name == "data_dictionary" or is_view(table)


def query(table: dictionary.Table, catalog: str) -> str:
    """The rows of a published table, computed from the warehouse that is attached by this name."""
    columns = ", ".join(
        f'{_owner(table, column)}."{column.name}"::{column.type} AS "{column.name}"'
        for column in table.columns
    )
    sql = f"SELECT {columns} FROM ({definition(table.name, catalog)}) AS source"
    if table.is_team_joined:
        teams = _PUBLISHED_TEAMS if is_view(table) else "names"
        sql += f" LEFT JOIN {teams} AS of_repository ON of_repository.repository_id = source.repository_id"
    return sql


_PUBLISHED_TEAMS = "(SELECT repository_id, any_value(team) AS team FROM repositories GROUP BY repository_id)"
"""A repository may be tracked under several names."""


def _owner(table: dictionary.Table, column: dictionary.Column) -> str:
    return "of_repository" if column.name == "team" and table.is_team_joined else "source"


def definition(table: str, catalog: str) -> str:
    """The table's file in sql/, the query of a published view, or all of the table of the same name in metrics."""
    if table in metrics.published_views(with_jira=True):
        return metrics.published_view(table)
    file = resources.files(__package__).joinpath("sql", f"{table}.sql")
    if file.is_file():
        return file.read_text(encoding="utf-8").strip().replace("warehouse.", f"{catalog}.")
    return f'SELECT * FROM {catalog}.metrics."{table}"'


def count(connection: Connection, tables: Sequence[dictionary.Table]) -> dict[str, int]:
    """The number of rows of each table. Views are not counted: that would compute them."""
    return {
        table.name: int(
            (connection.execute(f'SELECT count(*) FROM main."{table.name}"').fetchone() or (0,))[0]
        )
        for table in tables
        if not is_view(table)
    }
