"""The .sql files of this package: the statements of each, which parameters they bind, what they create.

A file holds what makes one table, view or set of macros: its CREATE statements, then the statements that fill it. The
comment at its head is its definition in words. Those in a folder of sql/ are of an optional source, and are for warehouses
that have its tables. Where that comment says "{name} stands for each of a, b and c", every
run of lines with {name} is repeated for a, b and c. Needs no connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal, NamedTuple

from msgspec import Struct

JIRA = "jira"
"""The folder of Jira's files, here and among the checks."""

# A semicolon at the end of a line ends a statement, except in a comment.
_END = re.compile(r"^(?!--)(.*);$", re.MULTILINE)
_MARK = "\0"
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_HEAD = re.compile(r"(?:--.*\n)+")
_PARAMETER = re.compile(r"\$([a-z_]+)")
_COLUMN = re.compile(r"^    ([a-z]\w*)\s+([A-Z][A-Z\[\]]*),?$", re.MULTILINE)
_CREATE = re.compile(r"CREATE (?:OR REPLACE )?(TABLE|VIEW|MACRO) (?:IF NOT EXISTS )?(?:(\w+)\.)?(\w+)")
_USED = re.compile(r"\bmetrics\.(\w+)")
_PLACEHOLDER = re.compile(r"\{(\w+)\} stands for each of ([^.]+)\.")
_TOKEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\w+|[^\w\s]")


class Statement(Struct, frozen=True):
    """One SQL statement with the names of the parameters that it binds."""

    sql: str
    parameters: frozenset[str]

    def bound(self, values: Mapping[str, object]) -> dict[str, object]:
        """The values that the statement names: DuckDB refuses any other."""
        return {name: values[name] for name in self.parameters}


class Created(Struct, frozen=True):
    """What a CREATE statement makes; schema is empty for what only a published file has."""

    kind: Literal["TABLE", "VIEW", "MACRO"]
    schema: str
    name: str


class SqlFile(Struct, frozen=True):
    """One file: its definition in words, what it creates, and how rows are made."""

    name: str
    definition: str
    creates: tuple[Statement, ...]
    fills: tuple[Statement, ...]
    created: tuple[Created, ...]
    uses: frozenset[str]
    """Objects of schema metrics that it reads, without its own."""
    is_of_jira: bool = False

    @property
    def kind(self) -> str:
        """Of the first thing that it creates; empty for a file that only fills."""
        return self.created[0].kind if self.created else ""

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Names and types of its table's columns."""
        return tuple(_COLUMN.findall(self.creates[0].sql))

    @property
    def parameters(self) -> frozenset[str]:
        """Of the statements that fill it."""
        return frozenset().union(*(statement.parameters for statement in self.fills))


class SqlText(NamedTuple):
    """A file's definition in words, and its SQL with the repetitions written out."""

    definition: str
    body: str


def source(name: str) -> bytes:
    """A file as it is."""
    return _files()[name].read_bytes()


@cache
def sql_text(name: str) -> SqlText:
    text = _files()[name].read_text(encoding="utf-8")
    head = _HEAD.match(text)
    definition = re.sub(r"^-- ?", "", head[0], flags=re.MULTILINE).strip() if head else ""
    return SqlText(definition, _expanded(text[head.end() :] if head else text, definition))


@cache
def sql_file(name: str) -> SqlFile:
    definition, body = sql_text(name)
    statements = [_statement(part) for part in _END.sub(rf"\1{_MARK}", body).split(_MARK) if part.strip()]
    creates = tuple(s for s in statements if _CREATE.search(s.sql))
    created = tuple(
        Created(*match.groups(default=""))  # type: ignore[arg-type]
        for s in creates
        if (match := _CREATE.search(s.sql))
    )
    uses = {used for s in statements for used in _USED.findall(_COMMENT.sub("", s.sql))}
    return SqlFile(
        name,
        definition,
        creates,
        tuple(s for s in statements if s not in creates),
        created,
        frozenset(uses.difference(one.name for one in created)),
        _is_of_jira(name),
    )


@cache
def file_names() -> tuple[str, ...]:
    """Of all files, those of optional sources too, without ".sql"."""
    return tuple(sorted(_files()))


@cache
def sql_files() -> tuple[SqlFile, ...]:
    """All of them, by name."""
    return tuple(map(sql_file, file_names()))


@cache
def _files() -> dict[str, Traversable]:
    """By name; a name is unique over the folders."""
    folder = resources.files(__package__).joinpath("sql")
    files = [file for place in (folder, folder / JIRA) for file in place.iterdir()]
    return {file.name.removesuffix(".sql"): file for file in files if file.name.endswith(".sql")}


def _is_of_jira(name: str) -> bool:
    return resources.files(__package__).joinpath("sql", JIRA, f"{name}.sql").is_file()


@cache
def essence(sql: str) -> str:
    """SQL without its comments and white space: equal for texts that differ in nothing else."""
    return " ".join(token for token in _TOKEN.findall(sql) if not token.startswith("--"))


def _statement(text: str) -> Statement:
    sql = text.strip()
    return Statement(sql, frozenset(_PARAMETER.findall(_COMMENT.sub("", sql))))


def _expanded(body: str, definition: str) -> str:
    for placeholder, listed in _PLACEHOLDER.findall(" ".join(definition.split())):
        mark = f"{{{placeholder}}}"
        names = [name for name in re.findall(r"\w+", listed) if name != "and"]
        for lines in re.findall(rf"(?:^.*{re.escape(mark)}.*\n)+", body, re.MULTILINE):
            body = body.replace(lines, _repeated(lines, mark, names))
    return body


def _repeated(lines: str, mark: str, names: list[str]) -> str:
    """The lines once for each name, with commas between."""
    comma = "," if lines.rstrip().endswith(",") else ""
    copies = [lines.rstrip().removesuffix(",").replace(mark, name) for name in names]
    return ",\n".join(copies) + comma + "\n"
