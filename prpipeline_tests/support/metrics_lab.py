"""A warehouse that tests fill with rows, to test the SQL alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from prpipeline import metrics
from prpipeline.publish.release_file import FILE_NAME, write_release
from prpipeline.settings import MetricSettings, Teams
from prpipeline.warehouse.rows import insert
from prpipeline_tests.support import stores
from prpipeline_tests.support.reference import History
from prpipeline_tests.support.sync_lab import new_folder

AS_OF = datetime(2026, 6, 1, 12, 0, 0)
NO_DELIVERIES = {"newest_delivery_at": None, "median_delivery_seconds": None}

# What storing an answer of GitHub's does: the logins of all accounts that are not remembered yet.
_LOGINS = """
    INSERT INTO raw.actor_logins
    SELECT actor_id, login, bool_or(is_bot), now, now
    FROM (
        SELECT author_id AS actor_id, author_login AS login, author_is_bot AS is_bot FROM raw.pull_requests
        UNION ALL SELECT merged_by_id, merged_by_login, false FROM raw.pull_requests
        UNION ALL SELECT reviewer_id, reviewer_login, reviewer_is_bot FROM raw.reviews
        UNION ALL SELECT actor_id, actor_login, false FROM raw.review_events
        UNION ALL SELECT subject_id, subject_login, false FROM raw.review_events WHERE NOT subject_is_team
    )
    CROSS JOIN (SELECT ?::TIMESTAMP AS now)
    WHERE actor_id IS NOT NULL AND login IS NOT NULL AND actor_id NOT IN (SELECT actor_id FROM raw.actor_logins)
    GROUP BY ALL
"""


_EVENTS = itertools.count()


class MetricsLab:
    """Histories in, rows of the metrics out."""

    _gathered: dict[str, list[dict[str, Any]]] | None = None
    _is_undone = False

    def __init__(self) -> None:
        self.connection = stores.connected(new_folder(), "lab")
        self.connection.execute("PRAGMA disable_checkpoint_on_shutdown")  # its file goes with the test

    def repository(self, repository_id: int, name: str, team: str | None = None) -> None:
        self.connection.execute(
            "INSERT INTO meta.repositories BY NAME SELECT ? AS tracked_as, true AS is_tracked, "
            "TIMESTAMP '2026-01-01' AS tracked_at, 'cli' AS tracked_by, ? AS team, ? AS repository_id, "
            "? AS repository, 'ok' AS status",
            [name, team, repository_id, name],
        )

    def untrack(self, last_sync_at: datetime, repository_id: int = 1) -> None:
        self.connection.execute(
            "UPDATE meta.repositories SET is_tracked = false, last_sync_at = ? WHERE repository_id = ?",
            [last_sync_at, repository_id],
        )

    def track(self, repository_id: int = 1) -> None:
        self.connection.execute(
            "UPDATE meta.repositories SET is_tracked = true WHERE repository_id = ?", [repository_id]
        )

    def store(self, histories: Sequence[History], repository_id: int = 1) -> None:
        """One pull request each, numbered from 1; ids of reviews are unique over all of them."""
        base = repository_id * 1_000_000
        pull_requests: list[dict[str, Any]] = []
        reviews: list[dict[str, Any]] = []
        events: list[dict[str, Any]] = []
        for number, history in enumerate(histories, 1):
            pull_request = {
                "repository_id": repository_id,
                "pull_request_id": base + number,
                "node_id": f"PR_{base + number}",
                "number": number,
                "title": history.title,
                "state": history.state,
                "author_id": history.author.id,
                "author_login": history.author.login,
                "author_is_bot": history.author.is_bot,
                "is_draft": history.is_draft,
                "created_at": history.created_at,
                "updated_at": history.created_at,
                "closed_at": history.closed_at or history.merged_at,
                "merged_at": history.merged_at,
                "url": f"https://github.com/octo/app/pull/{number}",
                "synced_at": AS_OF,
                "first_commit_at": history.first_commit_at,
            }
            pull_requests.append(pull_request)
            common = {k: pull_request[k] for k in ("repository_id", "pull_request_id", "number")}
            for review in history.reviews:
                reviews.append(
                    common
                    | {
                        "review_id": review.id,
                        "node_id": f"R_{review.id}",
                        "reviewer_id": review.by.id,
                        "reviewer_login": review.by.login,
                        "reviewer_is_bot": review.by.is_bot,
                        "state": review.state,
                        "submitted_at": review.at,
                        "has_text": review.has_text,
                    }
                )
                if review.dismissed_from:
                    dismissed = {"review_id": review.id, "previous_state": review.dismissed_from}
                    events.append(common | _event(review.at, "review_dismissed") | dismissed)
            for at, event in history.toggles:
                events.append(common | _event(at, event))
            for at, event, who in history.requests:
                subject = {"subject_id": who.id, "subject_login": who.login}
                events.append(common | _event(at, event) | subject)
        insert(self.connection, "raw.pull_requests", pull_requests)
        insert(self.connection, "raw.reviews", reviews)
        insert(self.connection, "raw.review_events", events)

    def event(self, common: dict[str, Any], at: datetime, event: str, **more: Any) -> None:
        self.insert("raw.review_events", common | _event(at, event) | more)

    def insert(self, table: str, row: dict[str, Any]) -> None:
        if self._gathered is None:
            insert(self.connection, table, [row])
        else:
            self._gathered.setdefault(table, []).append(row)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """The rows of the block are inserted at its end, those of a table in one statement."""
        assert self._gathered is None
        self._gathered = {}
        yield
        gathered, self._gathered = self._gathered, None
        for table, added in gathered.items():
            insert(self.connection, table, added)

    def rebuild(
        self, settings: MetricSettings | None = None, *, aggregates: bool = True, teams: Teams | None = None
    ) -> None:
        settings = settings or MetricSettings()
        if not self._is_undone:
            self.connection.execute("BEGIN")
        self.connection.execute(_LOGINS, [AS_OF])
        metrics.rebuild(self.connection, None, settings, AS_OF)
        if aggregates:
            metrics.rebuild_aggregates(self.connection, settings, AS_OF, teams)
        if not self._is_undone:
            self.connection.execute("COMMIT")

    @contextmanager
    def undone(self) -> Iterator[MetricsLab]:
        """The lab, for tests that change what others share: at the end of the block all is as it was."""
        self.connection.execute("BEGIN")
        self._is_undone = True
        try:
            yield self
        finally:
            self._is_undone = False
            self.connection.execute("ROLLBACK")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        return rows(self.connection, sql, parameters)

    def publish(self, folder: Path, published_at: datetime = AS_OF) -> Path:
        """The file that users would read."""
        warehouse = folder / "warehouse.duckdb"
        self.connection.execute(f"ATTACH '{warehouse}' AS warehouse")
        self.connection.execute("COPY FROM DATABASE lab TO warehouse")
        self.connection.execute("DETACH warehouse")
        values = {"published_at": published_at, "next_run_at": None, "version": "0", **NO_DELIVERIES}
        write_release(warehouse, folder, None, values)
        return folder / FILE_NAME

    def clear(self) -> None:
        for table in ("pull_requests", "reviews", "review_events", "actor_logins", "teams", "team_members"):
            self.connection.execute(f"DELETE FROM raw.{table}")


def with_own_reviews(histories: Sequence[History]) -> Sequence[History]:
    """The histories, their reviews with ids of their own, in order."""
    ids = itertools.count(100)
    for history in histories:
        for review in history.reviews:
            review.id = next(ids)
    return histories


def _event(at: datetime, event: str) -> dict[str, Any]:
    row = {"event_id": f"E_{next(_EVENTS):09}", "event": event, "subject_is_team": False, "created_at": at}
    return row | {"actor_id": 9, "actor_login": "somebody"}


def rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    found = connection.execute(sql, list(parameters))
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
