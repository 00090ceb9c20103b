"""Queries of people and scripts on the published file."""

from __future__ import annotations

from typing import Any

import duckdb

from prpipeline.model.sql import Connection


class QueryError(ValueError):
    """DuckDB does not understand the query, or may not run it; the message is its own."""


def query(connection: Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of the columns, and the rows. Raises QueryError."""
    try:
        result = connection.execute(sql)
        names = [column[0] for column in result.description or ()]
        return names, result.fetchall() if names else []
    except duckdb.Error as error:
        # All of it: the lines below the first say what was meant, and where. Data in it may hold control codes.
        raise QueryError("".join(c if c.isprintable() or c == "\n" else " " for c in str(error))) from None
