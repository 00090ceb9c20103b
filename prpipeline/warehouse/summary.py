"""Row counts and weekly medians of some repositories, for metadata and status. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from prpipeline.model.sql import Connection

if TYPE_CHECKING:
    import pandas as pd

COUNTED = {
    "pull_requests": "raw.pull_requests",
    "reviews": "raw.reviews",
    "review_events": "raw.review_events",
    "review_time_hours": "metrics.pull_request_times",
}


# The weeks of review_time_weekly: a macro, because they are shown before the aggregates are computed again.
_WEEK = "week, n, metrics.rounded_hours(review_time_hours[1]) AS median_hours"
_WEEKS = 26


@dataclass(frozen=True, slots=True)
class Week:
    """The pull requests that people opened in a week (its Monday), and the median hours until their first review."""

    week: date
    pull_requests: int
    median_hours: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """One repository's numbers."""

    rows: dict[str, int] = field(default_factory=dict)
    weeks: tuple[Week, ...] = ()


def summaries(connection: Connection, repository_ids: Sequence[int]) -> dict[int, Summary]:
    """Row counts by table and the last half year by week, for each of these repositories."""
    ids = list(repository_ids)
    rows = row_counts(connection, ids)
    weeks: dict[int, list[Week]] = {i: [] for i in ids}
    for repository_id, week, count, median in connection.execute(
        f"""
        FROM (SELECT repository_id, {_WEEK} FROM metrics.weeks(?::BIGINT[], false))
        QUALIFY row_number() OVER (PARTITION BY repository_id ORDER BY week DESC) <= {_WEEKS}
        ORDER BY repository_id, week
        """,
        [ids],
    ).fetchall():
        weeks[repository_id].append(Week(week, count, median))
    return {i: Summary(rows[i], tuple(weeks[i])) for i in ids}


def weeks_of_all(connection: Connection) -> tuple[Week, ...]:
    """The last half year by week, over all repositories."""
    rows = connection.execute(
        f"FROM (SELECT {_WEEK} FROM metrics.weeks(NULL, true) ORDER BY week DESC LIMIT {_WEEKS}) ORDER BY week"
    ).fetchall()
    return tuple(Week(*row) for row in rows)


def row_counts(connection: Connection, repository_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many rows each of these repositories has, by table."""
    rows = {i: dict.fromkeys(COUNTED, 0) for i in repository_ids}
    for name, table in COUNTED.items():
        counted = connection.execute(
            f"SELECT repository_id, count(*) FROM {table} "
            "WHERE repository_id IN (SELECT unnest(?::BIGINT[])) GROUP BY ALL",
            [list(repository_ids)],
        ).fetchall()
        for repository_id, count in counted:
            rows[repository_id][name] = count
    return rows


def count_rows(connection: Connection, tables: Sequence[str]) -> dict[str, int]:
    """How many rows each of these tables has, by its name without the schema."""
    return {
        table.rpartition(".")[2]: int(
            (connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,))[0]
        )
        for table in tables
    }


def preview(connection: Connection, table: str, repository_id: int) -> pd.DataFrame:
    """The newest rows of a repository in one of the tables of ``COUNTED``, its main columns."""
    columns, order = {
        "pull_requests": ("number, title, state, author_login, created_at, merged_at", "number DESC"),
        "reviews": ("number, reviewer_login, state, submitted_at", "submitted_at DESC"),
        "review_events": ("number, event, actor_login, subject_login, created_at", "created_at DESC"),
        "review_time_hours": (
            "number, title, author_login, state, review_time_hours, null_reason, first_reviewer_login",
            "number DESC",
        ),
    }[table]
    source = "metrics.review_time_hours" if table == "review_time_hours" else COUNTED[table]
    rows: pd.DataFrame = connection.execute(
        f"SELECT {columns} FROM {source} WHERE repository_id = ? ORDER BY {order} LIMIT 8",
        [repository_id],
    ).df()
    return rows
