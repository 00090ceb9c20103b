"""The part of a database connection that our code uses."""

from __future__ import annotations

from typing import Any, Protocol


class Connection(Protocol):
    """Part of a DuckDB connection, so that modules that only run SQL need not import duckdb."""

    def execute(self, query: Any, parameters: object = ..., /) -> Any: ...

    def extract_statements(self, query: str, /) -> list[Any]: ...


_PARSED: dict[str, Any] = {}


def parsed(connection: Connection, sql: str) -> Any:
    """One of our own long statements, to be executed on any connection.

    Kept by its text, for parsing it takes as long as running it on a small warehouse.
    """
    if sql not in _PARSED:
        (_PARSED[sql],) = connection.extract_statements(sql)
    return _PARSED[sql]
