"""The part of a database connection that our code uses."""

from __future__ import annotations

from typing import Any, Protocol


class Connection(Protocol):
    """Part of a DuckDB connection, so that modules that only run SQL need not import duckdb."""

    def execute(self, query: Any, parameters: object = ..., /) -> Any: ...

    def extract_statements(self, query: str, /) -> list[Any]: ...


def rows_of(connection: Connection, query: str, parameters: list[Any]) -> list[dict[str, Any]]:
    """The rows of a query, by column name."""
    found = connection.execute(query, parameters)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def has_table(connection: Connection, name: str, catalog: str | None = None) -> bool:
    """Whether ``schema.table`` is in a database, by default the current one."""
    catalog, has_lake = connection.execute(parsed(connection, _CATALOG), [catalog]).fetchone()
    # For a list of tables a lake looks up the size of each, in a tenth of a second; for one of columns a file parses its views.
    listed = _OF_COLUMNS if has_lake else _OF_TABLES
    found = connection.execute(parsed(connection, listed), [catalog, *name.split(".")]).fetchone()
    return bool(found)


_CATALOG = "SELECT coalesce(?, current_database()), bool_or(type = 'ducklake') FROM duckdb_databases()"
_OF_TABLES = (
    "SELECT 1 FROM duckdb_tables() WHERE (database_name, schema_name, table_name) = (?, ?, ?) LIMIT 1"
)
_OF_COLUMNS = (
    "SELECT 1 FROM duckdb_columns() WHERE (database_name, schema_name, table_name) = (?, ?, ?) LIMIT 1"
)

_PARSED: dict[str, Any] = {}


def parsed(connection: Connection, sql: str) -> Any:
    """One of our own long statements, to be executed on any connection.

    Kept by its text, for parsing it takes as long as running it on a small warehouse.
    """
    if sql not in _PARSED:
        (_PARSED[sql],) = connection.extract_statements(sql)
    return _PARSED[sql]
