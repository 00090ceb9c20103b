"""What a release was made from: hash sums of everything in the warehouse that its rows can depend on.

They are kept in a hidden DuckDB file beside the release. Comparing them with the warehouse tells which pull requests
changed, without relying on any writer of the warehouse to say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
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
    """A table of the warehouse in schema raw or metrics."""

    schema: str
    name: str
    columns: tuple[str, ...]

    @property
    def full_name(self) -> str:
        return f'{self.schema}."{self.name}"'

    @property
    def group(self) -> str | None:
        """Tables of a group have one hash sum a pull request; None if the rows are not of pull requests."""
        if not {"repository_id", "number"} <= {*self.columns}:
            return None
        return "raw" if self.schema == "raw" else self.name  # all of raw is written together

    def row_hashes(self) -> str:
        columns = ", ".join(f'"{column}"' for column in self.columns)
        return f"SELECT repository_id, number, hash({columns}) AS print FROM warehouse.{self.full_name}"


def tables(connection: Connection) -> list[Table]:
    rows = connection.execute(
        """
        SELECT schema_name, table_name, list(column_name ORDER BY column_index)
        FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (database_name, table_oid)
        WHERE database_name = 'warehouse' AND schema_name IN ('raw', 'metrics')
        GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    return [Table(schema, name, tuple(columns)) for schema, name, columns in rows]


def groups(found: Sequence[Table]) -> dict[str, list[Table]]:
    """The tables with rows of pull requests, by group."""
    members: dict[str, list[Table]] = {}
    for table in found:
        if table.group:
            members.setdefault(table.group, []).append(table)
    return members


def hash_sums(members: Sequence[Table], keys: str, repositories: str = "") -> str:
    """The query for the hash sums of a group by these keys, of all repositories or of those in a table."""
    semi_join = f" SEMI JOIN {repositories} USING (repository_id)" if repositories else ""
    rows = " UNION ALL ".join(f"{table.row_hashes()}{semi_join}" for table in members)
    return f"SELECT {keys}, {TOTAL.format('print')} AS print FROM ({rows}) GROUP BY ALL"


def attach(connection: Connection, folder: Path, name: str, options: str = "") -> bool:
    """Attach a release folder's contents file by this name; whether there is one, if it is to be read."""
    file = folder / _FILE_NAME
    if options and not file.exists():
        return False
    connection.execute(f"ATTACH '{quoted(file)}' AS {name} {options}")
    return True


def write_small(connection: Connection, found: Sequence[Table], bytes_when_whole: int) -> None:
    """Fill the attached, empty database ``contents``, but for the hash sums."""
    connection.execute(
        "CREATE TABLE contents.release AS SELECT ? AS layout, ? AS bytes_when_whole",
        [layout(connection), bytes_when_whole],
    )
    connection.execute("CREATE TABLE contents.names AS FROM names")
    # Settings: tables of one row, whatever they are called. Larger ones are not recorded, so not vouched for.
    connection.execute(
        "CREATE TABLE contents.settings (table_name VARCHAR, column_name VARCHAR, value VARCHAR)"
    )
    for table in found:
        if not table.group:
            values = connection.execute(
                f"SELECT COLUMNS(*)::VARCHAR FROM warehouse.{table.full_name} LIMIT 2"
            ).fetchall()
            if len(values) == 1:
                for pair in zip(table.columns, values[0], strict=True):
                    connection.execute(
                        "INSERT INTO contents.settings VALUES (?, ?, ?)", [table.full_name, *pair]
                    )


def write_hash_sums(connection: Connection, found: Sequence[Table]) -> None:
    """Fill ``contents`` with the hash sums of all pull requests."""
    for group, members in groups(found).items():
        sums = hash_sums(members, "repository_id, number")
        connection.execute(f'CREATE TABLE contents."{group}" AS {sums}')


def layout(connection: Connection) -> str:
    """Changes with whatever the code says of the published tables."""
    parts = [repr(dictionary.load())]
    parts += [release_tables.query(table, "warehouse") for table in dictionary.load().tables]
    parts += map(metrics.published_view, metrics.PUBLISHED_VIEWS)
    parts.append(str(connection.execute("FROM warehouse.metrics.definitions").fetchall()))
    parts.append(duckdb.__version__)  # hash() may differ between versions
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
