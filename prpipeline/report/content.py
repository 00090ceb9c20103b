"""The report's data, read from the published database by SQL, ready for JSON.

The database aggregates everything; single pull requests are read for the queue only, a limited number.
Not here: how it looks, and how it is escaped in the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary
from prpipeline.report.queries import Row, rows
from prpipeline.report.scopes import Scopes, measures, packed, short
from prpipeline.report.zone import clock

Content = dict[str, Any]

WEEKS = 104
"""How far back the weekly trend goes."""

_REPOSITORIES_WITH_CHARTS = 300
_IN_QUEUE = 300
_IN_QUEUE_OF_A_REPOSITORY = 15
_REVIEWERS = 30

_DEFINED = (
    "review_time_hours",
    "waiting_hours",
    "null_reason",
    "ready_at",
    "time_to_merge_hours",
    "merged_without_review",
    "is_bot_author",
)


def read_content(connection: Connection, zone: str = "UTC") -> Content:
    """All data of the report; weekdays and hours are those of the time zone ``zone``."""
    (status,) = rows(connection, "status")
    as_of: datetime = status["published_at"]
    last_week = as_of.date() - timedelta(days=as_of.weekday())
    first_week = last_week - timedelta(weeks=WEEKS - 1)

    def week(row: Row) -> int:
        return int((row["week"] - first_week).days // 7)

    def read(name: str, **values: object) -> list[Row]:
        return rows(connection, name, **values)

    repositories = read("repositories", as_of=as_of)
    scopes = Scopes(repositories, most=_REPOSITORIES_WITH_CHARTS)
    scopes.put("headline", read("headline", as_of=as_of), measures)
    for name in ("weekly_pull_requests", "weekly_reviews"):
        found = read(name, first_week=first_week, last_week=last_week)
        scopes.series("weekly", found, WEEKS, week)
    scopes.put("distribution", read("distribution", as_of=as_of), measures)
    hours = clock(zone, as_of - timedelta(weeks=52, hours=1), as_of)
    scopes.gather("heat_map", read("heat_map", as_of=as_of, **hours), _slot)
    scopes.gather("reviewers", read("reviewers", as_of=as_of, most=_REVIEWERS), _reviewer)
    scopes.gather("authors", read("people_and_bots", as_of=as_of), measures)
    queue = read(
        "queue",
        most=_IN_QUEUE,
        per_repository=_IN_QUEUE_OF_A_REPOSITORY,
        with_charts=scopes.repository_ids,
    )
    return {
        "repositories_failed": sum(
            row["last_error"] is not None and row["status"] != "untracked" for row in repositories
        ),
        "status": {name: _plain(value) for name, value in status.items()},
        "first_week": first_week.isoformat(),
        "weeks": WEEKS,
        "zone": zone,
        "repositories": packed([_repository(row, scopes) for row in repositories]),
        "scopes": list(scopes),
        "queue": packed([_waiting(row) for row in queue]),
        "waiting": queue[0]["in_all"] if queue else 0,
        "definitions": _definitions(_DEFINED),
    }


def _repository(row: Row, scopes: Scopes) -> Row:
    key = Scopes.key(row) if row["repository_id"] is not None else None
    shown = {name: _plain(value) for name, value in row.items() if name != "has_pull_requests"}
    return shown | {"scope": key if key is not None and key in scopes else None}


def _slot(row: Row) -> list[object]:
    return [row["slot"], row["opened"], short(row["median_hours"]), row["reviews"]]


def _reviewer(row: Row) -> list[object]:
    return [
        row["login"],
        row["is_bot"],
        row["reviews"],
        row["pull_requests"],
        row["first_reviews"],
        short(row["median_hours"]),
        int(row["reviews_in_all"]),
        row["reviewers_in_all"],
        row["verdicts"],
        row["inline_only"],
        int(row["verdicts_in_all"]),
    ]


def _waiting(row: Row) -> Row:
    shown = {name: _plain(value) for name, value in row.items() if name not in {"repository_id", "in_all"}}
    return shown | {"scope": Scopes.key(row), "url": web_address(row["url"])}


def web_address(url: str | None) -> str | None:
    """The address, if it leads to a web page: a stored address could be anything, such as a script."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def _plain(value: object) -> object:
    return f"{value:%Y-%m-%dT%H:%M:%S}Z" if isinstance(value, datetime) else short(value)


def _definitions(names: Sequence[str]) -> list[list[str]]:
    table = dictionary.load().table("review_time_hours")
    return [[name, table.column(name).description] for name in names]
