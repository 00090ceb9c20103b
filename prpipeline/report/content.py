"""The report's data, read from the published database by SQL, ready for JSON.

Pull requests are in it one by one, so that the page can count any range, as far as they fit; of those before, weekly sums
and the ranges that people choose most. Not here: how it looks, and how it is escaped in the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary
from prpipeline.report.options import DEFAULTS, ReportOptions, working_time
from prpipeline.report.packing import Packer
from prpipeline.report.queries import Row, rows
from prpipeline.report.rows import SIZES, pack, pack_open_days
from prpipeline.report.zone import clock
from prpipeline.settings import as_json

Content = dict[str, Any]

ONE_BY_ONE = 60_000
"""How many closed pull requests are in the page one by one. The open ones always are."""
TITLES = 20_000
"""How many of the newest have their titles."""
PRESETS = {"4w": 28, "12w": 84, "6m": 182, "1y": 365}
"""The ranges that people choose, in days; the page adds all time and free dates."""

_OPEN_DAYS = 728
_MOST_OPEN_DAYS = 150_000
_OLD_WEEKS = 104
_ALL_DAYS = 36_500

_DEFINED = (
    "review_time_hours",
    "pickup_time_hours",
    "review_time_business_hours",
    "waiting_hours",
    "null_reason",
    "ready_at",
    "time_to_merge_hours",
    "merged_without_review",
    "is_bot_author",
)


class EarlierVersionError(Exception):
    """The file was published by a version whose tables lack what the report reads."""


def read_content(
    connection: Connection, options: ReportOptions = DEFAULTS, one_by_one: int = ONE_BY_ONE
) -> Content:
    """All data of the report; ``one_by_one`` limits the closed pull requests that are in it one by one.

    Raises EarlierVersionError.
    """
    if rows(connection, "missing"):
        raise EarlierVersionError
    (status,) = rows(connection, "status")
    as_of: datetime = status.get("as_of") or status["published_at"]
    repositories = rows(connection, "repositories")
    known = [row["repository_id"] for row in repositories if row["repository_id"] is not None]
    (found,) = rows(connection, "horizon", most=one_by_one)
    horizon: datetime | None = found["horizon"]
    pull_requests = rows(connection, "pull_requests", as_of=as_of, horizon=horizon, titles=TITLES)
    ids = [row["pull_request_id"] for row in pull_requests]
    reviews = rows(connection, "reviews", as_of=as_of, pull_requests=ids)
    place = {pull_request_id: number for number, pull_request_id in enumerate(ids)}
    reviews.sort(key=lambda row: place[row["pull_request_id"]])
    days = min(_OPEN_DAYS, _MOST_OPEN_DAYS // max(1, len(known)))

    packer = Packer()
    packed = pack(packer, pull_requests, reviews, known)
    pack_open_days(packer, rows(connection, "open_daily", as_of=as_of, days=days), known)
    if horizon is not None:
        packer.texts("older", [json.dumps(_older(connection, as_of, horizon, known), separators=(",", ":"))])
    oldest = as_of - timedelta(seconds=max((row["age"] for row in pull_requests), default=0))
    return {
        "repositories_failed": sum(
            row["last_error"] is not None and row["status"] != "untracked" for row in repositories
        ),
        "status": {name: _plain(value) for name, value in status.items()},
        "as_of": int((as_of - datetime(1970, 1, 1)).total_seconds()),
        "repositories": packed_rows(_repositories(repositories, known)),
        "people": packed.people,
        "author_teams": packed.author_teams,
        "requested": packed.requested,
        "addresses": packed.addresses,
        "own_addresses": packed.own_addresses,
        "sizes": SIZES,
        "pull_requests": len(ids),
        "horizon": None if horizon is None else _plain(horizon),
        "open_days": days,
        "presets": PRESETS,
        "targets": as_json(options.targets),
        "zone": options.zone,
        "offsets": _offsets(options.zone, oldest, as_of),
        "working_time": _compact(working_time(connection, options, as_of)),
        "waiting": sum(row["is_waiting"] for row in pull_requests),
        "definitions": _definitions(_DEFINED),
        "issues": _issues(connection, place) if rows(connection, "has_issues") else None,
        "parts": packer.parts,
        "rows": packer.text(),
    }


def _issues(connection: Connection, place: Mapping[int, int]) -> Content:
    """Which pull requests name an issue of Jira, and the steps of issues; ``place``: a pull request's among those shown."""
    (sources,) = rows(connection, "issue_sources") or ({"projects": None, "sources": None},)
    linked = [
        place[row["pull_request_id"]] for row in rows(connection, "linked") if row["pull_request_id"] in place
    ]
    steps = [
        {"row": place[row.pop("pull_request_id")], **row}
        for row in rows(connection, "issue_steps")
        if row["pull_request_id"] in place
    ]
    return {**sources, "linked": sorted(linked), "steps": packed_rows(steps)}


def _older(connection: Connection, as_of: datetime, horizon: datetime, known: Sequence[int]) -> Content:
    """What stands for the pull requests up to the horizon: weeks, and the ranges that begin before it."""
    last_week = horizon.date() - timedelta(days=horizon.weekday())
    first_week = last_week - timedelta(weeks=_OLD_WEEKS - 1)
    place_of = {repository_id: place for place, repository_id in enumerate(known)}

    def scope(row: Row) -> str:
        if row["repository_id"] is not None:
            return f"repository:{place_of[row['repository_id']]}"
        return "all" if row["team"] is None else f"team:{row['team']}"

    weeks: dict[str, list[list[object]]] = {}
    for row in rows(connection, "weekly", first_week=first_week, last_week=last_week):
        week = (row["week"] - first_week).days // 7
        weeks.setdefault(scope(row), []).append(
            [week, row["opened"], row["reviewed"], _seconds(row["median"]), _seconds(row["p90"])]
        )
    presets: dict[str, dict[str, list[object]]] = {}
    columns: list[str] = []
    for name, days in {**PRESETS, "all": _ALL_DAYS}.items():
        if as_of - timedelta(days=2 * days) >= horizon:
            continue
        for row in rows(connection, "presets", as_of=as_of, days=days):
            values = {column: row[column] for column in row if column not in {"team", "repository_id"}}
            columns = list(values)
            presets.setdefault(name, {})[scope(row)] = [_seconds(value) for value in values.values()]
    return {"first_week": first_week.isoformat(), "weeks": weeks, "columns": columns, "presets": presets}


def _seconds(value: Any) -> object:
    """Whole seconds where interpolation gives others: the page shows no more."""
    if isinstance(value, list):
        return [_seconds(one) for one in value]
    return round(value, 1) if isinstance(value, float) and value % 1 else value and int(value)


def _repositories(repositories: Sequence[Row], known: Sequence[int]) -> list[Row]:
    place_of = {repository_id: place for place, repository_id in enumerate(known)}
    return [
        {name: _plain(value) for name, value in row.items()} | {"place": place_of.get(row["repository_id"])}
        for row in repositories
    ]


def _offsets(zone: str, first: datetime, last: datetime) -> list[list[int]]:
    """From when on (seconds since 1970) the zone is how many seconds ahead of UTC."""
    return [
        [int((since - datetime(1970, 1, 1)).total_seconds()), int(ahead.total_seconds())]
        for since, ahead in clock(zone, first - timedelta(hours=1), last)
    ]


def _compact(intervals: Sequence[tuple[int, int]]) -> list[int]:
    """Pauses and working times by turns, in seconds since 1970; it begins with a pause."""
    result, last = [], 0
    for start, end in intervals:
        result += [start - last, end - start]
        last = end
    return result


def packed_rows(rows: Sequence[Row]) -> Row:
    """Rows as lists, with the column names once."""
    return {"columns": list(rows[0]) if rows else [], "rows": [list(row.values()) for row in rows]}


def _plain(value: object) -> object:
    return f"{value:%Y-%m-%dT%H:%M:%S}Z" if isinstance(value, datetime) else value


def _definitions(names: Sequence[str]) -> list[list[str]]:
    table = dictionary.load().table("review_time_hours")
    return [[name, table.column(name).description] for name in names]
