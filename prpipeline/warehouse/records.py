"""Pull requests with their reviews and events, into and out of ``raw``. Works inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from duckdb import DuckDBPyConnection

from prpipeline.github.records import PullRequest


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did."""

    pull_requests: int = 0
    reviews: int = 0
    removed: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(
            self.pull_requests + other.pull_requests,
            self.reviews + other.reviews,
            self.removed + other.removed,
        )


@dataclass(frozen=True, slots=True)
class Version:
    """Which state of a pull request we hold, and when GitHub gave it to us."""

    updated_at: datetime
    synced_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A pull request that we hold, as reconciling sees it."""

    node_id: str
    pull_request_id: int
    number: int
    updated_at: datetime
    closed_at: datetime | None
    reviews: int


def write(
    connection: DuckDBPyConnection,
    pull_requests: Sequence[tuple[int, PullRequest]],
    synced_at: datetime,
) -> Written:
    """Replace these pull requests (with their repository_id) and their children, where known.

    An older state never overwrites a newer one. Reviews that GitHub no longer has are removed, and
    recorded in ``meta.removals``.
    """
    stamp = synced_at.isoformat()
    rows = [_pull_request_row(repository_id, pr, stamp) for repository_id, pr in pull_requests]
    if not rows:
        return Written()
    stage(connection, "incoming", "raw.pull_requests", rows, "pull_request_id, updated_at")
    connection.execute(
        """
        DELETE FROM incoming WHERE EXISTS (
            FROM raw.pull_requests AS held
            WHERE held.pull_request_id = incoming.pull_request_id
              AND (held.updated_at, held.synced_at) > (incoming.updated_at, incoming.synced_at))
        """
    )
    # A list's or webhook's object lacks the sizes and who merged; what a whole one told of the same state holds.
    connection.execute(
        """
        UPDATE incoming SET
            additions = coalesce(incoming.additions, held.additions),
            deletions = coalesce(incoming.deletions, held.deletions),
            changed_files = coalesce(incoming.changed_files, held.changed_files),
            merged_by_id = coalesce(incoming.merged_by_id, held.merged_by_id),
            merged_by_login = coalesce(incoming.merged_by_login, held.merged_by_login)
        FROM raw.pull_requests AS held
        WHERE held.pull_request_id = incoming.pull_request_id AND held.updated_at = incoming.updated_at
        """
    )
    accepted = {row[0] for row in connection.execute("SELECT pull_request_id FROM incoming").fetchall()}
    whole = [
        (repository_id, pr)
        for repository_id, pr in pull_requests
        if pr.pull_request_id in accepted and pr.reviews is not None and pr.events is not None
    ]
    reviews = [row for repository_id, pr in whole for row in _review_rows(repository_id, pr)]
    events = [row for repository_id, pr in whole for row in _event_rows(repository_id, pr)]
    stage(connection, "incoming_reviews", "raw.reviews", reviews, "review_id, submitted_at")
    stage(connection, "incoming_events", "raw.review_events", events, "event_id, created_at")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE whole AS SELECT unnest(?::BIGINT[]) AS pull_request_id",
        [[pr.pull_request_id for _, pr in whole]],
    )
    connection.execute(
        """
        INSERT INTO meta.removals
        SELECT repository_id, 'review', review_id::VARCHAR, number, ?
        FROM raw.reviews
        WHERE pull_request_id IN (FROM whole) AND review_id NOT IN (SELECT review_id FROM incoming_reviews)
        """,
        [synced_at],
    )
    removed = _changes(connection)
    connection.execute(
        "DELETE FROM raw.pull_requests WHERE pull_request_id IN (SELECT pull_request_id FROM incoming)"
    )
    connection.execute("INSERT INTO raw.pull_requests BY NAME FROM incoming")
    for table, incoming in (("raw.reviews", "incoming_reviews"), ("raw.review_events", "incoming_events")):
        connection.execute(f"DELETE FROM {table} WHERE pull_request_id IN (FROM whole)")
        connection.execute(f"INSERT INTO {table} BY NAME FROM {incoming}")
    return Written(len(accepted), len(reviews), removed)


def remove(
    connection: DuckDBPyConnection, repository_id: int, pull_request_ids: Sequence[int], removed_at: datetime
) -> int:
    """Remove pull requests that GitHub says it no longer has, with their children; record which."""
    ids = list(pull_request_ids)
    for kind, table, key in (
        ("review_event", "raw.review_events", "event_id"),
        ("review", "raw.reviews", "review_id"),
        ("pull_request", "raw.pull_requests", "pull_request_id"),
    ):
        where = "repository_id = ? AND pull_request_id IN (SELECT unnest(?::BIGINT[]))"
        connection.execute(
            f"INSERT INTO meta.removals SELECT repository_id, '{kind}', {key}::VARCHAR, number, ? FROM {table} WHERE {where}",
            [removed_at, repository_id, ids],
        )
        connection.execute(f"DELETE FROM {table} WHERE {where}", [repository_id, ids])
    return len(ids)


def versions(connection: DuckDBPyConnection, node_ids: Sequence[str]) -> dict[str, Version]:
    """Which states of these pull requests we hold."""
    rows = connection.execute(
        """
        SELECT node_id, updated_at, synced_at FROM raw.pull_requests
        WHERE node_id IN (SELECT unnest(?::VARCHAR[]))
        """,
        [list(node_ids)],
    ).fetchall()
    return {node_id: Version(updated_at, synced_at) for node_id, updated_at, synced_at in rows}


def held(connection: DuckDBPyConnection, repository_id: int) -> list[Held]:
    """All pull requests of a repository, with how many reviews we hold of each."""
    rows = connection.execute(
        """
        SELECT pr.node_id, pr.pull_request_id, pr.number, pr.updated_at, pr.closed_at, count(review_id)
        FROM raw.pull_requests AS pr LEFT JOIN raw.reviews USING (repository_id, pull_request_id)
        WHERE repository_id = ? GROUP BY ALL
        """,
        [repository_id],
    ).fetchall()
    return [Held(*row) for row in rows]


def count(connection: DuckDBPyConnection, repository_id: int) -> int:
    """How many pull requests of a repository we hold."""
    return counts(connection, [repository_id]).get(repository_id, 0)


def counts(connection: DuckDBPyConnection, repository_ids: Sequence[int]) -> dict[int, int]:
    """How many pull requests of each of these repositories we hold; those without any are absent."""
    rows = connection.execute(
        """
        SELECT repository_id, count(*) FROM raw.pull_requests
        WHERE repository_id IN (SELECT unnest(?::BIGINT[])) GROUP BY ALL
        """,
        [list(repository_ids)],
    ).fetchall()
    return dict(rows)


def is_settled(version: Version | None, updated_at: datetime, now: datetime, overlap: timedelta) -> bool:
    """Whether what we hold is surely what GitHub shows for ``updated_at``, or may wait to be made sure.

    GitHub's times have whole seconds, and its replicas lag: a state that was read in the very second of
    its change may miss a second change in it. It is read again at once when it was read in that second,
    and once more when the overlap has passed, till when every look lists it again.
    """
    if version is None or version.updated_at < updated_at:
        return False
    if version.updated_at > updated_at:
        return True
    if version.synced_at <= updated_at:
        return False
    return version.synced_at >= updated_at + overlap or now < updated_at + overlap


def stage(
    connection: DuckDBPyConnection, name: str, like: str, rows: Sequence[dict[str, Any]], newest_by: str
) -> None:
    """Rows as a temporary table with the columns of ``like``, each key once: the first column of ``newest_by``."""
    columns = connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {like})").fetchall()
    key, order = newest_by.split(", ")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        SELECT * FROM (SELECT unnest(from_json(?::JSON, ?), recursive := true))
        QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order} DESC) = 1
        """,
        [json.dumps(rows), json.dumps([dict(columns)])],
    )


def _changes(connection: DuckDBPyConnection) -> int:
    row = connection.fetchone()
    return int(row[0]) if row else 0


def _pull_request_row(repository_id: int, pr: PullRequest, synced_at: str) -> dict[str, Any]:
    return {
        "repository_id": repository_id,
        "pull_request_id": pr.pull_request_id,
        "node_id": pr.node_id,
        "number": pr.number,
        "title": pr.title,
        "state": pr.state,
        "author_id": pr.author.id,
        "author_login": pr.author.login,
        "author_is_bot": pr.author.is_bot,
        "is_draft": pr.is_draft,
        "created_at": pr.created_at.isoformat(),
        "updated_at": pr.updated_at.isoformat(),
        "closed_at": pr.closed_at and pr.closed_at.isoformat(),
        "merged_at": pr.merged_at and pr.merged_at.isoformat(),
        "merged_by_id": pr.merged_by.id,
        "merged_by_login": pr.merged_by.login,
        "additions": pr.additions,
        "deletions": pr.deletions,
        "changed_files": pr.changed_files,
        "base_ref": pr.base_ref,
        "url": pr.url,
        "synced_at": synced_at,
    }


def _review_rows(repository_id: int, pr: PullRequest) -> Iterable[dict[str, Any]]:
    for review in pr.reviews or ():
        yield {
            "repository_id": repository_id,
            "pull_request_id": pr.pull_request_id,
            "number": pr.number,
            "review_id": review.review_id,
            "node_id": review.node_id,
            "reviewer_id": review.reviewer.id,
            "reviewer_login": review.reviewer.login,
            "reviewer_is_bot": review.reviewer.is_bot,
            "state": review.state,
            "submitted_at": review.submitted_at.isoformat(),
        }


def _event_rows(repository_id: int, pr: PullRequest) -> Iterable[dict[str, Any]]:
    for event in pr.events or ():
        yield {
            "repository_id": repository_id,
            "pull_request_id": pr.pull_request_id,
            "number": pr.number,
            "event_id": event.event_id,
            "event": event.event,
            "actor_id": event.actor.id,
            "actor_login": event.actor.login,
            "subject_id": event.subject.id,
            "subject_login": event.subject.login,
            "subject_is_team": event.subject_is_team,
            "review_id": event.review_id,
            "previous_state": event.previous_state,
            "created_at": event.created_at.isoformat(),
        }
