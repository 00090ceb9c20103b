"""Looks for what should not be in the warehouse: the metrics' own checks, and those of how complete and current it is.

Only reads. Not here: what is done about a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from prpipeline import metrics
from prpipeline.metrics import Check
from prpipeline.model.sql import Connection

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 8

_COMPLETE = Check(
    "count_equals_github",
    "raw.pull_requests",
    "A repository whose whole history is here has as many pull requests as GitHub counts. A few may be opened or "
    "deleted between two syncs; the weekly reconciliation finds what stays missing.",
    "warn",
    """
    SELECT known.tracked_as AS repository, count(row.number) AS here, known.pull_requests_on_github AS on_github
    FROM meta.repositories AS known LEFT JOIN raw.pull_requests AS row USING (repository_id)
    WHERE known.is_tracked AND known.status = 'ok'
      AND known.history_done_at IS NOT NULL AND known.history_days_back IS NULL
    GROUP BY known.tracked_as, known.pull_requests_on_github
    HAVING here <> known.pull_requests_on_github
    """,
)
_IN_ORDER = Check(
    "no_review_before_pull_request",
    "raw.reviews",
    "No review is older than its pull request; imported repositories may have such.",
    "warn",
    """
    SELECT review.repository_id, review.number, review.review_id, review.submitted_at, pull_request.created_at
    FROM raw.reviews AS review JOIN raw.pull_requests AS pull_request USING (pull_request_id)
    WHERE review.submitted_at < pull_request.created_at
    """,
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What one check found: how many rows, and the first of them."""

    check: Check
    count: int
    rows: pd.DataFrame


def all_checks(sync_period: timedelta | None) -> tuple[Check, ...]:
    """Every check; the last one only where syncs come by themselves, once in ``sync_period``."""
    current = () if sync_period is None else (_current(sync_period),)
    return (*metrics.CHECKS, _COMPLETE, _IN_ORDER, *current)


def find(connection: Connection, checks: Sequence[Check]) -> Iterator[Findings]:
    """Run the checks, one after the other."""
    for check in checks:
        rows = connection.execute(
            f"SELECT *, count(*) OVER () AS of_rows FROM ({check.sql}) LIMIT {_SHOWN}"
        ).df()
        count = int(rows.pop("of_rows").iloc[0]) if len(rows) else 0
        if count and "repository_id" in rows:  # people know repositories by name
            names = dict(connection.execute("SELECT repository_id, repository FROM metrics.names").fetchall())
            rows.insert(0, "repository", rows["repository_id"].map(names))
        yield Findings(check, count, rows)


def _current(period: timedelta) -> Check:
    hours = round(2 * period.total_seconds() / 3600)
    return Check(
        "watermark_is_current",
        "raw.pull_requests",
        f"Everything that changed up to {hours} hours ago (two periods of the schedule) is here, of every tracked "
        "repository. One that GitHub no longer shows counts too, until it is untracked.",
        "warn",
        f"""
        SELECT tracked_as AS repository, status, watermark_at, last_error FROM meta.repositories
        WHERE is_tracked
          AND coalesce(watermark_at, tracked_at) < now()::TIMESTAMP - INTERVAL {hours} HOUR
        ORDER BY watermark_at NULLS FIRST
        """,
    )
