"""Rows of any table, as mappings. Works inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from prpipeline.model.sql import Connection


def insert(connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows, columns by name, in one statement: as one JSON parameter."""
    if rows:
        connection.execute(
            f"INSERT INTO {table} BY NAME SELECT unnest(from_json(?::JSON, ?), recursive := true)",
            [json.dumps(rows, default=_isoformat), json.dumps([columns(connection, table)])],
        )


def _isoformat(value: date) -> str:
    return value.isoformat()


_columns: dict[str, dict[str, str]] = {}  # tables do not change once the schema is of the present version


def columns(connection: Connection, table: str) -> dict[str, str]:
    """The columns of a table and their types, in order."""
    if table not in _columns:
        found = connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {table})").fetchall()
        _columns[table] = dict(found)
    return _columns[table]
