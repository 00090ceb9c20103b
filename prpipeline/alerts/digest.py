"""The digest of the published file: what waits longer than the target, and what changed against last week."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from prpipeline.alerts.text import counted, hours, plain
from prpipeline.model.alerts import Message
from prpipeline.model.sql import Connection

FEWEST = 5
"""Below so many first reviews, no week is called faster or slower."""

_SHOWN = 10
_SHOWN_REPOSITORIES = 5
_NO_TEAM = "Repositories without a team"

Row = dict[str, Any]


class UnknownTeam(ValueError):
    """No published repository is of this team; the message names those that there are."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """All repositories, those of a team, or (``team`` None) those without."""

    everything: bool = False
    team: str | None = None

    def rows(self, connection: Connection, name: str, **values: object) -> list[Row]:
        result = connection.execute(
            _query(name), {"everything": self.everything, "team": self.team, **values}
        )
        columns = [column[0] for column in result.description]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def digest(connection: Connection, team: str | None, target_hours: float) -> Message:
    """The digest of a team; without one of all repositories, team by team. Raises UnknownTeam."""
    as_of: datetime = connection.execute("SELECT as_of FROM pipeline_status").fetchone()[0]
    teams = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT team FROM repositories ORDER BY team NULLS LAST"
        ).fetchall()
    ]
    if team is not None and team not in teams:
        there = ", ".join(name for name in teams if name is not None) or "none"
        raise UnknownTeam(f"No published repository is of team {team!r}; the teams are: {there}.")
    if team is not None:
        parts = [_section(connection, _Scope(team=team), as_of, target_hours)]
    elif any(teams):
        parts = [
            f"{'Team ' + plain(each) if each is not None else _NO_TEAM}\n"
            + _section(connection, _Scope(team=each), as_of, target_hours)
            for each in teams
        ]
    else:
        parts = [_section(connection, _Scope(everything=True), as_of, target_hours)]
    late = sum(
        row["waiting_hours"] > target_hours for row in _Scope(team is None, team).rows(connection, "waiting")
    )
    title = f"Reviews{f' of {plain(team)}' if team else ''}: {late:,} waiting longer than {target_hours:g} h"
    return Message("info", title, "\n\n".join([*parts, f"As of {as_of:%Y-%m-%d %H:%M} UTC."]))


def _section(connection: Connection, scope: _Scope, as_of: datetime, target_hours: float) -> str:
    waiting = scope.rows(connection, "waiting")
    changes = scope.rows(connection, "reviewed", as_of=as_of)
    return "\n".join([*_waiting(waiting, target_hours), *_changes(changes)])


def _waiting(rows: list[Row], target_hours: float) -> Iterator[str]:
    late = [row for row in rows if row["waiting_hours"] > target_hours]
    those = counted(len(rows), "pull request waits", "pull requests wait")
    if not late:
        yield f"{those} for a first review, none longer than {target_hours:g} h."
        return
    yield f"{those} for a first review, {len(late):,} longer than {target_hours:g} h, the longest first:"
    for row in late[:_SHOWN]:
        asked = row["requested_reviewers"]
        who = f"asked: {plain(asked)}" if asked else "nobody is asked"
        author = plain(row["author_login"] or "a deleted account")
        yield (
            f"- {hours(row['waiting_hours'])}: {row['repository']}#{row['number']} {plain(row['title'])} "
            f"(by {author}; {who})\n  {row['url']}"
        )
    if len(late) > _SHOWN:
        yield f'- and {len(late) - _SHOWN:,} more: prpipeline sql "FROM review_queue"'


def _changes(rows: list[Row]) -> Iterator[str]:
    whole, *repositories = rows
    if not whole["n"] and not whole["n_before"]:
        yield "No first reviews in the last 14 days."
        return
    yield f"First reviews of the last 7 days, against the 7 before, median hours since opening: {_change(whole)}"
    judged = [row for row in repositories if _is_judged(row)]
    if len(repositories) > 1:
        judged.sort(key=lambda row: -abs(_difference(row)))
        for row in judged[:_SHOWN_REPOSITORIES]:
            yield f"- {row['repository']}: {_change(row)}"
        if left := len(repositories) - len(judged):
            few = counted(left, "repository has", "repositories have")
            yield f"- {few} fewer than {FEWEST} in one of the weeks, too few to compare."


def _change(row: Row) -> str:
    now, before = _median(row["median_hours"], row["n"]), _median(row["median_hours_before"], row["n_before"])
    if not _is_judged(row):
        return f"{now}, before {before}; too few to compare."
    difference = _difference(row)
    if abs(difference) < 0.05:  # none in the digits that are shown
        return f"{now}, before {before}; unchanged."
    return f"{now}, before {before}; {hours(abs(difference))} {'slower' if difference > 0 else 'faster'}."


def _median(value: float | None, n: int) -> str:
    return f"{hours(value)} (n = {n:,})" if value is not None else "none (n = 0)"


def _is_judged(row: Row) -> bool:
    return bool(min(row["n"], row["n_before"]) >= FEWEST)


def _difference(row: Row) -> float:
    difference: float = row["median_hours"] - row["median_hours_before"]
    return difference


@cache
def _query(name: str) -> str:
    return resources.files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
