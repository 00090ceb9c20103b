"""Reading the published file: how to open it, and how to run a person's query on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from prpipeline.warehouse.database import WarehouseError

Connection = duckdb.DuckDBPyConnection


class QueryError(ValueError):
    """DuckDB does not understand the query, or may not run it; the message is DuckDB's."""


def open_published(path: Path) -> Connection:
    """The published file, read-only, unable to touch anything else on the machine. Raises WarehouseError."""
    if not path.exists():
        raise WarehouseError(f"{path} does not exist yet; run 'prpipeline sync' first.")
    try:
        connection = duckdb.connect(
            str(path),
            read_only=True,
            config={
                "enable_external_access": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        connection.execute(
            "SET GLOBAL TimeZone = 'UTC'"
        )  # as all stored times are, whatever this machine's zone is
        connection.execute("SET GLOBAL lock_configuration = true")
        return connection
    except duckdb.Error as error:
        raise WarehouseError(f"{path} cannot be opened: {str(error).splitlines()[0]}") from None


def is_sample_data(connection: Connection) -> bool:
    """Whether the published file shows the demo's sample data. One of an older version does not say so."""
    names, rows = query(connection, "FROM pipeline_status")
    return any(dict(zip(names, row, strict=True)).get("is_sample_data") for row in rows)


def query(connection: Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The column names and the rows of the first statement. Raises QueryError."""
    return next(queries(connection, sql), ([], []))


def queries(connection: Connection, sql: str) -> Iterator[tuple[list[str], list[tuple[Any, ...]]]]:
    """The column names and the rows of each statement that has any columns. Raises QueryError."""
    is_copy = False
    try:
        for statement in connection.extract_statements(sql):
            is_copy = statement.type == duckdb.StatementType.COPY
            result = connection.execute(statement)
            if names := [column[0] for column in result.description or ()]:
                yield names, result.fetchall()
    except duckdb.Error as error:
        # DuckDB's later lines say where the mistake is. The query's data may hold control characters.
        text = "".join(c if c.isprintable() or c == "\n" else " " for c in str(error))
        hint = "\nTo write tables to files: prpipeline export DIR" if is_copy else ""
        raise QueryError(f"{text}{hint}") from None
