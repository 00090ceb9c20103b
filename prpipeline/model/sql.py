"""The part of a database connection that our code uses."""

from __future__ import annotations

from typing import Any, Protocol


class Connection(Protocol):
    """Part of a DuckDB connection, so that modules that only run SQL need not import duckdb."""

    def execute(self, query: str, parameters: object = ..., /) -> Any: ...
