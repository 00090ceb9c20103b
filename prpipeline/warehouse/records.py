"""Pull requests with their reviews and events: how they are stored, and what sync asks of those that are.

Works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prpipeline.model.body_keys import BodyKey
from prpipeline.model.pull_requests import Label, PullRequest, Review, ReviewEvent
from prpipeline.model.sql import Connection
from prpipeline.warehouse import entities, people, shortfalls
from prpipeline.warehouse.entities import Children, Entity
from prpipeline.warehouse.record_counts import Wanted
from prpipeline.warehouse.record_counts import count as count
from prpipeline.warehouse.record_counts import counts as counts
from prpipeline.warehouse.record_counts import lacking_counts as lacking_counts

PULL_REQUESTS = Entity(
    record=PullRequest,
    table="raw.pull_requests",
    key="pull_request_id",
    kind="pull_request",
    scope="repository_id",
    children=(
        Children("reviews", Review, "raw.reviews", "review_id", "review"),
        Children("events", ReviewEvent, "raw.review_events", "event_id", "review_event"),
        Children(
            "labels", Label, "raw.pull_request_labels", "label", None
        ),  # people take labels off every day
        Children("body_keys", BodyKey, "raw.pull_request_body_keys", "key", None),
    ),
    only_whole=(
        "additions",
        "deletions",
        "changed_files",
        "merged_by_id",
        "merged_by_login",
        "comments",
        "commits",
        "first_commit_at",
        "field_set",
    ),
    null_where_nobody=("merged_by_id", "merged_by_login"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows a write put in place or removed."""

    pull_requests: int = 0
    reviews: int = 0
    removed: int = 0  # pull requests and reviews that GitHub no longer has
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
    """Which state of a pull request is stored, and when GitHub gave it."""

    updated_at: datetime
    synced_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """A pull request that is stored, by GitHub's number of it."""

    node_id: str
    version: Version


@dataclass(frozen=True, slots=True)
class Held:
    """A pull request that is stored, as reconciling compares it."""

    node_id: str
    pull_request_id: int
    number: int
    updated_at: datetime
    closed_at: datetime | None
    author_id: int | None
    merged_by_id: int | None
    reviews: frozenset[tuple[int, str, int | None]]  # review_id, state, reviewer_id
    events: Mapping[str, datetime]  # created_at by event_id


@dataclass(frozen=True, slots=True)
class Lacking:
    """A stored pull request that was read without some of the fields that we know to read."""

    repository_id: int
    node_id: str
    number: int
    updated_at: datetime


def write(
    connection: Connection, pull_requests: Sequence[tuple[int, PullRequest]], synced_at: datetime
) -> Written:
    """``write_answers`` for a single answer, and its sum."""
    return sum(write_answers(connection, [(pull_requests, synced_at)]).values(), start=Written())


def write_answers(
    connection: Connection, answers: Sequence[tuple[Sequence[tuple[int, PullRequest]], datetime]]
) -> dict[int, Written]:
    """Replace the pull requests of these answers, each with its repository_id, and their reviews and events if known.

    With each answer goes the time at which GitHub gave it (UTC). Returns what was written by repository_id. See
    ``entities.replace``.
    """
    done = entities.replace(connection, PULL_REQUESTS, answers)
    for pull_requests, read_at in answers:
        shortfalls.note(connection, pull_requests, read_at)
    named = [
        ([actor for _, pr in pull_requests for actor in people.actors_of(pr)], read_at)
        for pull_requests, read_at in answers
    ]
    people.note(connection, named)
    return {
        repository_id: Written(each.records, each.children["reviews"], each.vanished["reviews"], each.added)
        for repository_id, each in done.items()
    }


def remove(
    connection: Connection, repository_id: int, pull_request_ids: Sequence[int], removed_at: datetime
) -> int:
    """Remove pull requests that GitHub no longer has, with reviews and events; how many."""
    entities.remove(connection, PULL_REQUESTS, repository_id, pull_request_ids, removed_at)
    shortfalls.forget(connection, pull_request_ids)
    return len(pull_request_ids)


def rename(connection: Connection, repository_id: int, full_name: str) -> None:
    """Change the URLs of a repository's pull requests to its new name."""
    connection.execute(
        r"""
        UPDATE raw.pull_requests
        SET url = regexp_replace(url, '^(https?://[^/]+)/[^/]+/[^/]+/pull/', '\1/' || ? || '/pull/')
        WHERE repository_id = ?
        """,
        [full_name, repository_id],
    )


def versions(connection: Connection, node_ids: Sequence[str]) -> dict[str, Version]:
    """By node id the versions of these pull requests that are stored."""
    rows = connection.execute(
        """
        SELECT node_id, updated_at, synced_at FROM raw.pull_requests
        WHERE node_id IN (SELECT unnest(?::VARCHAR[]))
        """,
        [list(node_ids)],
    ).fetchall()
    return {node_id: Version(updated_at, synced_at) for node_id, updated_at, synced_at in rows}


def identities(connection: Connection, pull_request_ids: Sequence[int]) -> dict[int, Identity]:
    """By GitHub's number, those of these pull requests that are stored."""
    rows = connection.execute(
        """
        SELECT pull_request_id, node_id, updated_at, synced_at FROM raw.pull_requests
        WHERE pull_request_id IN (SELECT unnest(?::BIGINT[]))
        """,
        [list(pull_request_ids)],
    ).fetchall()
    return {number: Identity(node_id, Version(updated, synced)) for number, node_id, updated, synced in rows}


def newest_change(connection: Connection, repository_ids: Sequence[int]) -> dict[int, datetime]:
    """By repository, when a pull request was last opened, closed or reviewed; those without any are absent."""
    if not repository_ids:
        return {}
    rows = connection.execute(
        """
        SELECT repository_id, max(happened_at) FROM (
            SELECT repository_id, greatest(created_at, closed_at) AS happened_at FROM raw.pull_requests
            UNION ALL SELECT repository_id, submitted_at FROM raw.reviews
        ) WHERE repository_id IN (SELECT unnest(?::BIGINT[])) AND happened_at IS NOT NULL GROUP BY ALL
        """,
        [list(repository_ids)],
    ).fetchall()
    return dict(rows)


def held(connection: Connection, repository_id: int) -> list[Held]:
    """All stored pull requests of a repository, as reconciling compares them."""
    rows = connection.execute(
        """
        SELECT node_id, pull_request_id, number, updated_at, closed_at, author_id, merged_by_id
        FROM raw.pull_requests WHERE repository_id = ?
        """,
        [repository_id],
    ).fetchall()
    reviews: dict[int, list[tuple[int, str, int | None]]] = {}
    for key, *review in connection.execute(
        "SELECT pull_request_id, review_id, state, reviewer_id FROM raw.reviews WHERE repository_id = ?",
        [repository_id],
    ).fetchall():
        reviews.setdefault(key, []).append((review[0], review[1], review[2]))
    events: dict[int, dict[str, datetime]] = {}
    for key, event_id, created_at in connection.execute(
        "SELECT pull_request_id, event_id, created_at FROM raw.review_events WHERE repository_id = ?",
        [repository_id],
    ).fetchall():
        events.setdefault(key, {})[event_id] = created_at
    return [
        Held(
            node_id,
            key,
            number,
            updated_at,
            closed_at,
            author_id,
            merged_by_id,
            reviews=frozenset(reviews.get(key, ())),
            events=events.get(key, {}),
        )
        for node_id, key, number, updated_at, closed_at, author_id, merged_by_id in rows
    ]


def lacking_fields(
    connection: Connection, repository_ids: Sequence[int], wanted: Wanted, most: int
) -> list[Lacking]:
    """The newest pull requests that were read without some of what is wanted; those put last come last."""
    rows = connection.execute(
        f"""
        SELECT repository_id, node_id, number, updated_at FROM raw.pull_requests
        WHERE repository_id IN (SELECT unnest(?::BIGINT[])) AND {wanted.lacking}
        ORDER BY coalesce(field_set, 1) = 0, created_at DESC, pull_request_id DESC LIMIT ?
        """,
        [list(repository_ids), most],
    ).fetchall()
    return [Lacking(*row) for row in rows]


def put_last(connection: Connection, node_ids: Sequence[str]) -> None:
    """These could not be read again: others that lack fields go before them the next time."""
    connection.execute(
        "UPDATE raw.pull_requests SET field_set = 0 WHERE node_id IN (SELECT unnest(?::VARCHAR[]))",
        [list(node_ids)],
    )


def is_settled(version: Version | None, updated_at: datetime) -> bool:
    """Whether the stored version is certainly the one that GitHub shows for ``updated_at``.

    GitHub's times have whole seconds: a state read in the second of its change may lack another change of that second.
    """
    if version is None or version.updated_at < updated_at:
        return False
    return version.updated_at > updated_at or version.synced_at > updated_at
