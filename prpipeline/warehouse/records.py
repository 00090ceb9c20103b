"""Pull requests with their reviews and events, into and out of ``raw``. Works inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from prpipeline.model.sql import Connection

if TYPE_CHECKING:
    from prpipeline.model.pull_requests import PullRequest

# What only a whole pull request tells, and neither a list nor a review's webhook.
_WHOLE_ONLY = ("additions", "deletions", "changed_files", "merged_by_id", "merged_by_login")


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did."""

    pull_requests: int = 0
    reviews: int = 0
    removed: int = 0
    added: int = 0  # of the pull requests, those that were not there before

    def __add__(self, other: Written) -> Written:
        return Written(
            self.pull_requests + other.pull_requests,
            self.reviews + other.reviews,
            self.removed + other.removed,
            self.added + other.added,
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
    connection: Connection,
    pull_requests: Sequence[tuple[int, PullRequest]],
    synced_at: datetime,
) -> Written:
    """Replace these pull requests (with their repository_id) and their children, where known.

    An older state never overwrites a newer one. Reviews that GitHub no longer has are removed, and
    recorded in ``meta.removals``.
    """
    return write_answers(connection, [(pull_requests, synced_at)])


def write_answers(
    connection: Connection,
    answers: Sequence[tuple[Sequence[tuple[int, PullRequest]], datetime]],
) -> Written:
    """``write`` for several answers, each of its own time, at the price of one."""
    incoming: dict[int, tuple[int, PullRequest, datetime]] = {}
    for pull_requests, synced_at in answers:
        for repository_id, pr in pull_requests:
            other = incoming.get(pr.pull_request_id)
            if other is None or (pr.updated_at, synced_at) >= (other[1].updated_at, other[2]):
                incoming[pr.pull_request_id] = (repository_id, pr, synced_at)
    held_rows = _held_rows(connection, list(incoming))
    rows = []
    for pull_request_id, (repository_id, pr, synced_at) in list(incoming.items()):
        row = _pull_request_row(repository_id, pr, synced_at)
        if held_row := held_rows.get(pull_request_id):
            if (held_row["updated_at"], held_row["synced_at"]) > (pr.updated_at, synced_at):
                del incoming[pull_request_id]
                continue
            if held_row["updated_at"] == pr.updated_at:
                # A list's or webhook's object lacks these; what a whole one told of the same state holds.
                row |= {field: held_row[field] for field in _WHOLE_ONLY if row[field] is None}
        rows.append(row)
    whole = [
        (repository_id, pr)
        for repository_id, pr, _ in incoming.values()
        if pr.reviews is not None and pr.events is not None
    ]
    reviews = {
        row["review_id"]: row for repository_id, pr in whole for row in _review_rows(repository_id, pr)
    }
    events = {row["event_id"]: row for repository_id, pr in whole for row in _event_rows(repository_id, pr)}
    removed = 0
    if held_rows:
        replaced = [pr.pull_request_id for _, pr in whole if pr.pull_request_id in held_rows]
        now = max(synced_at for _, synced_at in answers)
        removed = _record_vanished(connection, replaced, list(reviews), now)
        _delete(connection, "raw.pull_requests", [i for i in incoming if i in held_rows])
        _delete(connection, "raw.reviews", replaced)
        _delete(connection, "raw.review_events", replaced)
    insert(connection, "raw.pull_requests", rows)
    insert(connection, "raw.reviews", list(reviews.values()))
    insert(connection, "raw.review_events", list(events.values()))
    added = sum(pull_request_id not in held_rows for pull_request_id in incoming)
    return Written(len(rows), len(reviews), removed, added)


def _held_rows(connection: Connection, pull_request_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    columns = ("pull_request_id", "updated_at", "synced_at", *_WHOLE_ONLY)
    found = connection.execute(
        f"SELECT {', '.join(columns)} FROM raw.pull_requests WHERE pull_request_id IN (SELECT unnest(?::BIGINT[]))",
        [pull_request_ids],
    ).fetchall()
    return {row[0]: dict(zip(columns, row, strict=True)) for row in found}


def _record_vanished(
    connection: Connection, pull_request_ids: list[int], review_ids: list[int], now: datetime
) -> int:
    """Put on record the reviews of these pull requests that are not among these; how many there are."""
    row = connection.execute(
        """
        INSERT INTO meta.removals
        SELECT repository_id, 'review', review_id::VARCHAR, number, ? FROM raw.reviews
        WHERE pull_request_id IN (SELECT unnest(?::BIGINT[]))
          AND review_id NOT IN (SELECT unnest(?::BIGINT[]))
        """,
        [now, pull_request_ids, review_ids],
    ).fetchone()
    return int(row[0]) if row else 0


def _delete(connection: Connection, table: str, pull_request_ids: list[int]) -> None:
    if pull_request_ids:
        connection.execute(
            f"DELETE FROM {table} WHERE pull_request_id IN (SELECT unnest(?::BIGINT[]))", [pull_request_ids]
        )


def remove(
    connection: Connection, repository_id: int, pull_request_ids: Sequence[int], removed_at: datetime
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


def rename(connection: Connection, repository_id: int, full_name: str) -> None:
    """Let the addresses of a repository's pull requests follow its new name."""
    connection.execute(
        r"""
        UPDATE raw.pull_requests
        SET url = regexp_replace(url, '^(https?://[^/]+)/[^/]+/[^/]+/pull/', '\1/' || ? || '/pull/')
        WHERE repository_id = ?
        """,
        [full_name, repository_id],
    )


def versions(connection: Connection, node_ids: Sequence[str]) -> dict[str, Version]:
    """Which states of these pull requests we hold."""
    rows = connection.execute(
        """
        SELECT node_id, updated_at, synced_at FROM raw.pull_requests
        WHERE node_id IN (SELECT unnest(?::VARCHAR[]))
        """,
        [list(node_ids)],
    ).fetchall()
    return {node_id: Version(updated_at, synced_at) for node_id, updated_at, synced_at in rows}


def held(connection: Connection, repository_id: int) -> list[Held]:
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


def count(connection: Connection, repository_id: int) -> int:
    """How many pull requests of a repository we hold."""
    return counts(connection, [repository_id]).get(repository_id, 0)


def counts(connection: Connection, repository_ids: Sequence[int]) -> dict[int, int]:
    """How many pull requests of each of these repositories we hold; those without any are absent."""
    rows = connection.execute(
        """
        SELECT repository_id, count(*) FROM raw.pull_requests
        WHERE repository_id IN (SELECT unnest(?::BIGINT[])) GROUP BY ALL
        """,
        [list(repository_ids)],
    ).fetchall()
    return dict(rows)


def is_settled(version: Version | None, updated_at: datetime) -> bool:
    """Whether what we hold is surely what GitHub shows for ``updated_at``.

    GitHub's times have whole seconds: a state that was read in the very second of its change may miss a
    second change in it.
    """
    if version is None or version.updated_at < updated_at:
        return False
    return version.updated_at > updated_at or version.synced_at > updated_at


def insert(connection: Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows, given as JSON would have them; one statement, columns by name."""
    if rows:
        connection.execute(
            f"INSERT INTO {table} BY NAME SELECT unnest(from_json(?::JSON, ?), recursive := true)",
            [json.dumps(rows, default=datetime.isoformat), _structure(connection, table)],
        )


_structures: dict[str, str] = {}


def _structure(connection: Connection, table: str) -> str:
    """A table's columns and types, as from_json takes them; the tables do not change while we run."""
    if table not in _structures:
        columns = connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {table})").fetchall()
        _structures[table] = json.dumps([dict(columns)])
    return _structures[table]


def _pull_request_row(repository_id: int, pr: PullRequest, synced_at: datetime) -> dict[str, Any]:
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
        "created_at": pr.created_at,
        "updated_at": pr.updated_at,
        "closed_at": pr.closed_at,
        "merged_at": pr.merged_at,
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
            "submitted_at": review.submitted_at,
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
            "created_at": event.created_at,
        }
