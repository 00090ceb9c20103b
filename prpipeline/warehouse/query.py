"""Queries of people and scripts on the published file."""

from __future__ import annotations

from typing import Any

import duckdb


class QueryError(ValueError):
    """DuckDB does not understand the query, or may not run it; the message is its own."""


def query(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of the columns, and the rows. Raises QueryError."""
    try:
        result = connection.execute(sql)
        names = [column[0] for column in result.description or ()]
        return names, result.fetchall() if names else []
    except duckdb.Error as error:
        raise QueryError(str(error).splitlines()[0]) from None
