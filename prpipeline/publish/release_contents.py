"""What a release was made from: hash sums of everything in the warehouse that its rows can depend on.

They are kept in a hidden DuckDB file beside the release. Comparing them with the warehouse tells which pull requests
changed, without relying on any writer of the warehouse to say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

from prpipeline import metrics
from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary, release_tables
from prpipeline.warehouse.database import quoted

_FILE_NAME = ".contents.duckdb"

TOTAL = "(sum({}) % 18446744073709551616)::UBIGINT"
"""An aggregate of hashes that adds up over groups, and in which a row that is there twice counts twice."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the warehouse."""

    schema: str
    name: str
    columns: tuple[str, ...]

    @property
    def full_name(self) -> str:
        return f'{self.schema}."{self.name}"'

    @property
    def has_pull_requests(self) -> bool:
        return {"repository_id", "number"} <= {*self.columns}

    @property
    def row_hash(self) -> str:
        return f"hash({', '.join(map(_identifier, self.columns))})"


@dataclass(frozen=True)
class Tables:
    """The warehouse's tables from which metrics and published tables are computed."""

    all: tuple[Table, ...]

    @cached_property
    def groups(self) -> Mapping[str, tuple[Table, ...]]:
        """Tables with rows of pull requests. Those of raw have one hash sum together: they are written together."""
        groups: dict[str, tuple[Table, ...]] = {}
        for table in self.all:
            if table.has_pull_requests:
                name = "raw" if table.schema == "raw" else table.name
                groups[name] = (*groups.get(name, ()), table)
        return groups


def tables(connection: Connection) -> Tables:
    rows = connection.execute(
        """
        SELECT schema_name, table_name, list(column_name ORDER BY column_index)
        FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (database_name, table_oid)
        WHERE database_name = 'warehouse' AND schema_name IN ('raw', 'metrics')
        GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    return Tables(tuple(Table(schema, name, tuple(columns)) for schema, name, columns in rows))


def attach(connection: Connection, folder: Path, name: str, options: str = "") -> bool:
    """Attach a release folder's contents file by this name; whether there is one, if it is to be read."""
    file = folder / _FILE_NAME
    if options and not file.exists():
        return False
    connection.execute(f"ATTACH '{quoted(file)}' AS {name} {options}")
    return True


def write_small(connection: Connection, found: Tables, bytes_when_whole: int) -> None:
    """All but the hash sums by pull request."""
    connection.execute(
        "CREATE TABLE contents.release AS SELECT ? AS layout, ? AS bytes_when_whole",
        [layout(connection), bytes_when_whole],
    )
    connection.execute("CREATE TABLE contents.names AS FROM names")
    connection.execute(
        "CREATE TABLE contents.settings (table_name VARCHAR, column_name VARCHAR, content VARCHAR)"
    )
    for table in found.all:
        if not table.has_pull_requests and _is_one_row(connection, table):
            for column in table.columns:
                connection.execute(
                    "INSERT INTO contents.settings "
                    f"SELECT ?, ?, {_identifier(column)}::VARCHAR FROM warehouse.{table.full_name}",
                    [table.full_name, column],
                )


def write_hash_sums(connection: Connection, found: Tables) -> None:
    """By pull request, for all."""
    for group, members in found.groups.items():
        connection.execute(f"CREATE TABLE contents.{_identifier(group)} AS {by_pull_request(members)}")


def by_pull_request(members: tuple[Table, ...], only: str = "") -> str:
    """The query for a hash sum for each pull request of these tables, or only of a table of repositories."""
    return f"SELECT repository_id, number, {TOTAL.format('print')} AS print FROM ({_rows(members, only)}) GROUP BY ALL"


def by_repository(members: tuple[Table, ...]) -> str:
    return f"SELECT repository_id, {TOTAL.format('print')} AS print FROM ({_rows(members)}) GROUP BY ALL"


def layout(connection: Connection) -> str:
    """Changes with whatever the code says of the published tables."""
    parts = [repr(dictionary.load())]
    parts += [release_tables.query(table, "warehouse") for table in dictionary.load().tables]
    parts += map(metrics.published_view, metrics.PUBLISHED_VIEWS)
    parts.append(str(connection.execute("FROM warehouse.metrics.definitions").fetchall()))
    parts.append(duckdb.__version__)  # hash() may differ between versions
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _rows(members: tuple[Table, ...], only: str = "") -> str:
    semi_join = f"SEMI JOIN {only} USING (repository_id)" if only else ""
    return " UNION ALL ".join(
        f"SELECT repository_id, number, {table.row_hash} AS print FROM warehouse.{table.full_name} {semi_join}"
        for table in members
    )


def _is_one_row(connection: Connection, table: Table) -> bool:
    limited = f"SELECT 1 FROM warehouse.{table.full_name} LIMIT 2"
    return len(connection.execute(limited).fetchall()) == 1


def _identifier(name: str) -> str:
    return f'"{name}"'
