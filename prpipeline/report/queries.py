"""Runs the report's SQL files against the published database."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from prpipeline.model.sql import Connection

Row = dict[str, Any]


def rows(connection: Connection, name: str, **values: object) -> list[Row]:
    """The rows of sql/<name>.sql, by column name."""
    result = connection.execute(_query(name), values)
    columns = [column[0] for column in result.description]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


@cache
def _query(name: str) -> str:
    return resources.files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
