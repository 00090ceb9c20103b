"""Checks of the data in schemas raw, meta and metrics: what must never, or should hardly ever, be found.

Each is a file in check_sql/, those of Jira's tables in a folder there: its first comment line gives the severity and the table under which to show it, the
following lines the description, and its query returns one row per finding. Not here: what is done about a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal, cast

from msgspec import Struct, field
from msgspec.structs import replace

from prpipeline.metrics.definitions import has_jira
from prpipeline.metrics.statements import JIRA
from prpipeline.model.sql import Connection, parsed

if TYPE_CHECKING:
    import pandas as pd

_HEAD = re.compile(r"-- (error|warn) on (raw|metrics)\.(\w+)")
_SHOWN = 8


class Check(Struct, frozen=True):
    """An error means that numbers are wrong; a warning, that someone should look."""

    name: str
    table: str
    description: str
    severity: Literal["error", "warn"]
    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    is_of_jira: bool = False

    def bound(self, parameters: Mapping[str, object]) -> Check:
        """With these values for what query and description write as $name."""
        description = self.description
        for name, value in parameters.items():
            description = description.replace(f"${name}", str(value))
        return replace(self, description=description, parameters=parameters)


class Findings(Struct, frozen=True):
    """What one check found: the number of rows, and the first few of them."""

    check: Check
    count: int
    rows: pd.DataFrame


def all_checks(sync_period: timedelta | None, *, with_jira: bool = False) -> tuple[Check, ...]:
    """Every check; that of freshness only where syncs run by themselves, once in ``sync_period``."""
    checks = tuple(check for check in _load() if with_jira or not check.is_of_jira)
    timeless = tuple(check for check in checks if "$hours" not in check.sql)
    if sync_period is None:
        return timeless
    hours = round(2 * sync_period.total_seconds() / 3600)
    return (*timeless, *(check.bound({"hours": hours}) for check in checks if check not in timeless))


def find(connection: Connection, checks: Sequence[Check]) -> Iterator[Findings]:
    """Run the checks, one after the other. Those of Jira find nothing where there are no tables of it yet."""
    lacks_jira = any(check.is_of_jira for check in checks) and not has_jira(connection)
    for check in checks:
        if check.is_of_jira and lacks_jira:
            yield Findings(check, 0, connection.execute("SELECT 1 LIMIT 0").df())
            continue
        sql = f"SELECT *, count(*) OVER () AS row_count FROM ({check.sql}) LIMIT {_SHOWN}"
        rows = connection.execute(parsed(connection, sql), check.parameters).df()
        count = int(rows.pop("row_count").iloc[0]) if len(rows) else 0
        if count and "repository_id" in rows:  # people know repositories by name
            names = dict(
                connection.execute(
                    "SELECT repository_id, repository FROM metrics.repository_names"
                ).fetchall()
            )
            rows.insert(0, "repository", rows["repository_id"].map(names))
        yield Findings(check, count, rows)


@cache  # and not at import: the command line seldom needs them
def _load() -> tuple[Check, ...]:
    folder = resources.files(__package__).joinpath("check_sql")
    places = {JIRA: folder / JIRA, "": folder}
    files = sorted(
        (file.name, file.read_text(encoding="utf-8"), part == JIRA)
        for part, place in places.items()
        for file in place.iterdir()
        if file.name.endswith(".sql")
    )
    return tuple(_check(name.removesuffix(".sql"), text, of_jira) for name, text, of_jira in files)


def _check(name: str, text: str, is_of_jira: bool) -> Check:
    comment = [line for line in text.splitlines() if line.startswith("--")]
    head = _HEAD.fullmatch(comment[0])
    if head is None:
        raise ValueError(f"check_sql/{name}.sql must begin with '-- error on metrics.table' or the like")
    severity = cast(Literal["error", "warn"], head[1])
    description = " ".join(line[2:].strip() for line in comment[1:])
    sql = "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip().rstrip(";")
    return Check(name, f"{head[2]}.{head[3]}", description, severity, sql, is_of_jira=is_of_jira)
