"""The story of an issue of Jira: its statuses, the pull requests about it with their waiting, and each number.

Joins published tables and computes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from prpipeline.app.explain_parts import ExplainError, Metric, metric_lines, section
from prpipeline.model.sql import Connection, rows_of

_KEY = re.compile(r"[A-Z][A-Z0-9_]*-[1-9][0-9]{0,8}", re.IGNORECASE)
_PAGE = re.compile(rf"https?://[^/\s]+(?:/[^?#\s]*)?/browse/({_KEY.pattern})(?:[?#].*)?", re.IGNORECASE)

_Row = dict[str, Any]


def key_in(text: str) -> str | None:
    """The key in ``ABC-123`` or in the address of an issue's page, in upper case; None for anything else."""
    wanted = text.strip()
    found = _PAGE.fullmatch(wanted)
    if found:
        return found[1].upper()
    return wanted.upper() if _KEY.fullmatch(wanted) else None


def explain_issue(connection: Connection, key: str) -> list[str]:
    """The story of an issue as text, a line each, by a present or former key. Raises ExplainError."""
    if not has_issues(connection):
        raise ExplainError(
            "There are no issues of Jira in this database; select projects under jira.projects, and run 'prpipeline sync'."
        )
    issue = _issue(connection, key)
    by_id = [issue["issue_id"]]
    spans = rows_of(connection, "FROM issue_status_spans WHERE issue_id = ? ORDER BY started_at", by_id)
    (times,) = rows_of(connection, "FROM issue_times WHERE issue_id = ?", by_id)
    links = rows_of(
        connection,
        "SELECT * FROM pull_request_issues JOIN review_time_hours USING (repository_id, pull_request_id) "
        "WHERE issue_id = ? ORDER BY created_at, pull_request_id, source DESC",
        by_id,
    )
    return [
        f"{issue['issue_key']}  {issue['summary']}",
        issue["url"],
        *(f"{sentence}." for sentence in _about(connection, issue, key)),
        *section("In which status it was (UTC)", _span_lines(spans)),
        *section("Pull requests about it", _link_lines(links)),
        "",
        "What it amounts to",
        *metric_lines(tuple(_metrics(issue, times))),
    ]


def has_issues(connection: Connection) -> bool:
    """Whether the published file has issues of Jira."""
    found = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND table_name = 'issues'"
    )
    return found.fetchone() is not None


def remarks(connection: Connection, key: str, ids: list[Any]) -> Iterator[str]:
    """The issues that a pull request is about, for its own story: ``key`` is the condition that finds it, by ``ids``."""
    found: dict[str, tuple[list[str], _Row]] = {}
    links = rows_of(
        connection,
        f"SELECT link.issue_key AS written, link.source, issues.* FROM (FROM pull_request_issues {key}) AS link "  # noqa: S608
        "LEFT JOIN issues USING (issue_id) ORDER BY NOT is_primary, source DESC, position",
        ids,
    )
    for row in links:
        found.setdefault(row["written"], ([], row))[0].append(row["source"])
    for written, (sources, row) in found.items():
        where = f"in the {' and '.join(dict.fromkeys(sources))}"
        if row["issue_id"] is None:
            yield f"issue {written} ({where}), of which nothing is known"
        else:
            moved = f", now {row['issue_key']}" if row["issue_key"] != written else ""
            yield f"issue {written}{moved} ({where}): {row['summary']}; {_status(row)}"


def _issue(connection: Connection, key: str) -> _Row:
    found = rows_of(connection, "FROM issues WHERE issue_key = ?", [key])
    if not found:
        found = rows_of(
            connection,
            "SELECT * FROM issues WHERE issue_id IN (SELECT issue_id FROM pull_request_issues WHERE issue_key = ?)",
            [key],
        )
    if not found:
        raise ExplainError(f"There is no issue {key} in this database; is its project under jira.projects?")
    return found[0]


def _about(connection: Connection, issue: _Row, asked: str) -> Iterator[str]:
    if asked != issue["issue_key"]:
        yield f"{asked} is a former key of it"
    points = issue["story_points"]
    parts = [
        issue["issue_type"] or "an issue",
        f"priority {issue['priority']}" if issue["priority"] else None,
        f"parent {issue['parent_key']}" if issue["parent_key"] else None,
        f"{points:g} {'point' if points == 1 else 'points'}" if points is not None else None,
    ]
    yield ", ".join(filter(None, parts))
    yield f"It is {_status(issue)}"
    people = rows_of(
        connection,
        "SELECT * FROM people_accounts WHERE account_id IN (?, ?)",
        [issue["assignee_id"], issue["reporter_id"]],
    )
    for role, verb in (("assignee_id", "assigned to"), ("reporter_id", "reported by")):
        if logins := [row["login"] for row in people if row["account_id"] == issue[role]]:
            yield f"It is {verb} {' or '.join(logins)}"
    if issue["is_gone"]:
        yield "Jira shows it no more: it was deleted, or is hidden from the account that asks"
    elif not issue["is_tracked"]:
        yield f"Its project, {issue['project_key']}, is not selected: it is as it was read last"


def _status(issue: Mapping[str, Any]) -> str:
    return f"{issue['status']} ({issue['status_category'] or 'of no known category'})"


def _span_lines(spans: Sequence[_Row]) -> Iterator[str]:
    width = max((len(span["status"]) for span in spans), default=0)
    for span in spans:
        until = _moment(span["ended_at"]) if span["ended_at"] else f"{'now':<16}"
        took = f"  {_hours(span['started_at'], span['ended_at']):>9,.2f} hours" if span["ended_at"] else ""
        category = span["status_category"] or "unknown"
        yield f"{span['status']:<{width}}  {category:<13}  {_moment(span['started_at'])} to {until}{took}"


def _link_lines(links: Sequence[_Row]) -> Iterator[str]:
    """A line for each pull request: what became of it, and how long it waited."""
    found: dict[int, tuple[list[str], _Row]] = {}
    for row in links:
        found.setdefault(row["pull_request_id"], ([], row))[0].append(row["source"])
    for sources, row in found.values():
        if row["review_time_hours"] is not None:
            waiting = f"reviewed after {row['review_time_hours']:,.2f} hours"
        elif row["waiting_hours"] is not None:
            waiting = f"waits for {row['waiting_hours']:,.2f} hours"
        else:
            waiting = "without a review that counts"
        where = " and ".join(dict.fromkeys(sources))
        yield f"{row['repository']}#{row['number']}  {row['state']}, {waiting} (in the {where})  {row['title']}"


def _metrics(issue: _Row, times: _Row) -> Iterator[Metric]:
    created, started, done = (_moment(issue[at]) for at in ("created_at", "started_at", "done_at"))
    for name in (name for name in times if name.endswith("_hours")):
        value = times[name]
        hours = ", working hours only" if "business" in name else ""
        if not done:
            because = "it is not done"
        elif name.startswith("lead"):
            because = f"from {created}, when it was created, to {done}, when it was done{hours}"
        elif not started:
            because = "it was never in a status of category indeterminate"
        elif value is None:
            because = "its changelog has a gap"
        else:
            because = f"from {started}, when work began, to {done}, when it was done{hours}"
        yield Metric(name, value, because)
    yield Metric("times_reopened", times["times_reopened"], "from done to a status that is not")


def _hours(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / 3600


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
