"""The .sql files of this package: their statements, which parameters each binds, which columns it creates.

A file holds the statements of one table: its CREATE TABLE, and how its rows are made. Knows no connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

# A semicolon at the end of a line ends a statement, except in a comment.
_END = re.compile(r"^(?!--)(.*);$", re.MULTILINE)
_MARK = "\0"
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_PARAMETER = re.compile(r"\$([a-z_]+)")
_COLUMN = re.compile(r"^    ([a-z]\w*)\s+([A-Z][A-Z\[\]]*(?:\('.*'\))?),?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with the names it binds."""

    sql: str
    parameters: frozenset[str]

    def bound(self, values: Mapping[str, object]) -> dict[str, object]:
        """Only what the statement names: DuckDB refuses a value that nothing asks for."""
        return {name: values[name] for name in self.parameters}


@dataclass(frozen=True, slots=True)
class TableFile:
    """The file of one table or view: its definition in words, its shape, and how its rows are made."""

    name: str
    definition: str
    create: Statement
    fill: tuple[Statement, ...]

    @property
    def is_view(self) -> bool:
        return " VIEW metrics." in self.create.sql

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        return tuple(_COLUMN.findall(self.create.sql))


@cache
def statements(name: str) -> tuple[Statement, ...]:
    text = resources.files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    parts = (part.strip() for part in _END.sub(rf"\1{_MARK}", text).split(_MARK))
    return tuple(
        Statement(part, frozenset(_PARAMETER.findall(_COMMENT.sub("", part))))
        for part in parts
        if _COMMENT.sub("", part).strip()
    )


@cache
def table_file(name: str) -> TableFile:
    create, *fill = statements(name)
    header = [line for line in create.sql.splitlines() if line.startswith("--")]
    definition = "\n".join(line[2:].removeprefix(" ") for line in header)
    return TableFile(name, definition, create, tuple(fill))
