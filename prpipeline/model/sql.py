"""What is used of a connection to a database that speaks SQL."""

from __future__ import annotations

from typing import Any, Protocol


class Connection(Protocol):
    """Part of a DuckDB connection: rooms that only run SQL need not import duckdb."""

    def execute(self, query: str, parameters: object = ..., /) -> Any: ...
