"""What every published table and column means: data_dictionary/ as data, and as a page.

The only source of the comments in DuckDB, the table data_dictionary, the column schemas in Dagster and
docs/data-dictionary.md. How a number is computed is said at the head of the metric's SQL file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

TYPES = ("BIGINT", "BOOLEAN", "DATE", "DOUBLE", "TIMESTAMP", "VARCHAR")
"""The column types that every BI tool's driver maps without loss."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a published table."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Table:
    """A published table; ``grain`` completes the sentence "One row per …"."""

    name: str
    group: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    is_team_joined: bool = False
    """Whether the column team is the repository's, which publishing adds."""
    key: str | None = None
    """The column that is unique and never NULL, where a single one is."""

    @property
    def comment(self) -> str:
        """What the table holds and what one row is: in DuckDB, in Dagster and in the docs."""
        return f"{self.description} One row per {self.grain}."

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True)
class Group:
    """Tables that belong together."""

    name: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All published tables, in display order."""

    groups: tuple[Group, ...]
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)

    def of_group(self, name: str) -> tuple[Table, ...]:
        return tuple(table for table in self.tables if table.group == name)


_GROUPS = ("times", "flow", "aggregates", "people", "github", "jira", "compatible", "pipeline")
"""In display order; each is a file in data_dictionary/."""

_OF_JIRA = "jira"


# The one in C takes a tenth of the time, which every publication pays.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def load(*, with_jira: bool = False) -> Dictionary:
    """Read the files, once. Raises ValueError for a column type that is not in TYPES.

    ``with_jira``: also the tables that are published only where Jira was synced.
    """
    common = _read("columns")
    groups, tables = [], []
    for name in _GROUPS:
        if name == _OF_JIRA and not with_jira:
            continue
        content = _read(name)
        groups.append(Group(name, content["title"], content["description"]))
        tables += [_table(table, name, entry, common) for table, entry in content["tables"].items()]
    return Dictionary(tuple(groups), tuple(tables))


def _read(name: str) -> Any:
    file = resources.files(__package__).joinpath("data_dictionary", f"{name}.yaml")
    return yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - one of the safe ones


def markdown() -> str:
    """The page docs/data-dictionary.md."""
    dictionary = load(with_jira=True)
    lines = [
        "# Data dictionary",
        "",
        "<!-- Rendered from prpipeline/publish/data_dictionary/ by `python -m prpipeline.publish.dictionary`; edit the files there. -->",
        "",
        "Every table of the published database, in schema `main`. Times are UTC; hours are rounded to two decimals;",
        "what is not known is NULL, never 0.",
    ]
    for group in dictionary.groups:
        lines += ["", f"## {group.title}", "", group.description]
        for table in dictionary.of_group(group.name):
            lines += ["", f"### `{table.name}`", "", table.comment, ""]
            lines += ["| column | type | meaning |", "|---|---|---|"]
            lines += [
                f"| `{column.name}` | {column.type} | {_cell(column.description)} |"
                for column in table.columns
            ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(name: str, group: str, entry: dict[str, Any], common: dict[str, Any]) -> Table:
    """A column without a value is defined in columns.yaml. Wherever a repository stands, its team stands beside it."""
    listed = entry["columns"]
    names = list(listed)
    is_team_joined = {"repository_id", "repository"} <= listed.keys() and "team" not in listed
    if is_team_joined:
        names.insert(names.index("repository") + 1, "team")
    columns = tuple(_column(key, listed.get(key) or common[key]) for key in names)
    return Table(
        name,
        group,
        _line(entry["description"]),
        _line(entry["grain"]),
        columns,
        is_team_joined=is_team_joined,
        key=entry.get("key"),
    )


def _column(name: str, entry: list[str]) -> Column:
    data_type, description = entry
    if data_type not in TYPES:
        raise ValueError(f"data_dictionary: {name} has type {data_type}; published are {', '.join(TYPES)}")
    return Column(name, data_type, _line(description))


def _line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
