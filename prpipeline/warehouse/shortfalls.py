"""Lists in which GitHub counts more than it gives, again and again. Works inside the caller's transaction.

What such a list gave is kept, and that it is short is remembered here until it is whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from prpipeline.model.sql import Connection
from prpipeline.warehouse.rows import insert

if TYPE_CHECKING:
    from prpipeline.model.answers import Head
    from prpipeline.model.pull_requests import PullRequest

_WATCHED = timedelta(days=1)
"""A list that was short is asked for again by each sync until it was so for this long: a replica may be behind."""


class Shortfall(Struct, frozen=True):
    """A row of ``meta.shortfalls``."""

    repository_id: int
    number: int | None  # of the pull request; None: the repository's own list of pull requests
    counted: int
    listed: int

    @property
    def sentence(self) -> str:
        """What people are told."""
        what = "pull requests" if self.number is None else f"reviews of #{self.number}"
        return f"GitHub counts {self.counted:,} {what}, and lists {self.listed:,}."


def note(connection: Connection, pull_requests: Iterable[tuple[int, PullRequest]], read_at: datetime) -> None:
    """Remember which of these have fewer reviews than GitHub counts, and forget it of those that are whole."""
    whole = {pr.pull_request_id: (owner, pr) for owner, pr in pull_requests if pr.reviews is not None}
    before = _of_pull_requests(connection, list(whole))
    rows = [
        _row(owner, pr, pr.reviews_counted, len(pr.reviews or ()), read_at, before.get(pr.pull_request_id))
        for owner, pr in whole.values()
        if pr.reviews_counted is not None
    ]
    forget(connection, list(before))
    insert(connection, "meta.shortfalls", rows)


def note_list(
    connection: Connection, repository_id: int, counted: int | None, listed: int, read_at: datetime
) -> None:
    """Remember, or forget, that GitHub lists fewer pull requests of a repository than it counts."""
    where = "repository_id = ? AND pull_request_id IS NULL"
    found = connection.execute(
        f"SELECT counted, listed, first_read_at FROM meta.shortfalls WHERE {where}", [repository_id]
    ).fetchall()
    if found:
        connection.execute(f"DELETE FROM meta.shortfalls WHERE {where}", [repository_id])
    if counted is not None and counted > listed:
        rows = [_row(repository_id, None, counted, listed, read_at, found[0] if found else None)]
        insert(connection, "meta.shortfalls", rows)


def forget(connection: Connection, pull_request_ids: Sequence[int]) -> None:
    """Of pull requests that are whole, or gone."""
    if pull_request_ids:
        connection.execute(
            "DELETE FROM meta.shortfalls WHERE pull_request_id IN (SELECT unnest(?::BIGINT[]))",
            [list(pull_request_ids)],
        )


def known(connection: Connection, pull_request_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """By pull_request_id, how many reviews were counted and how many listed, of those that were short."""
    found = _of_pull_requests(connection, pull_request_ids)
    return {key: (counted, listed) for key, (counted, listed, _) in found.items()}


def missing_rows(connection: Connection, repository_ids: Sequence[int]) -> dict[int, int]:
    """By repository, how many pull requests GitHub was found to count and not to list."""
    rows = connection.execute(
        "SELECT repository_id, counted - listed FROM meta.shortfalls "
        "WHERE pull_request_id IS NULL AND repository_id IN (SELECT unnest(?::BIGINT[]))",
        [list(repository_ids)],
    ).fetchall()
    return dict(rows)


def watched(connection: Connection, repository_ids: Sequence[int]) -> dict[int, list[Head]]:
    """By repository, the pull requests that were found short so lately that their reviews may only be late."""
    rows = connection.execute(
        """
        SELECT pr.repository_id, pr.node_id, pr.updated_at, pr.number
        FROM meta.shortfalls AS short JOIN raw.pull_requests AS pr USING (repository_id, pull_request_id)
        WHERE repository_id IN (SELECT unnest(?::BIGINT[])) AND short.last_read_at < short.first_read_at + ?
        """,
        [list(repository_ids), _WATCHED],
    ).fetchall()
    from prpipeline.model.answers import Head

    found: dict[int, list[Head]] = {}
    for repository_id, *head in rows:
        found.setdefault(repository_id, []).append(Head(*head))
    return found


def all_of(connection: Connection, repository_ids: Sequence[int]) -> list[Shortfall]:
    """What is short in these repositories: their own lists first, then pull requests by number."""
    rows = connection.execute(
        "SELECT repository_id, number, counted, listed FROM meta.shortfalls "
        "WHERE repository_id IN (SELECT unnest(?::BIGINT[])) ORDER BY repository_id, number NULLS FIRST",
        [list(repository_ids)],
    ).fetchall()
    return [Shortfall(*row) for row in rows]


def _of_pull_requests(
    connection: Connection, pull_request_ids: Sequence[int]
) -> dict[int, tuple[int, int, datetime]]:
    rows = connection.execute(
        "SELECT pull_request_id, counted, listed, first_read_at FROM meta.shortfalls "
        "WHERE pull_request_id IN (SELECT unnest(?::BIGINT[]))",
        [list(pull_request_ids)],
    ).fetchall()
    return {key: (counted, listed, first) for key, counted, listed, first in rows}


def _row(
    repository_id: int,
    pull_request: PullRequest | None,
    counted: int | None,
    listed: int,
    read_at: datetime,
    before: tuple[int, int, datetime] | None,
) -> dict[str, object]:
    """The same counts as before are one shortfall, as old as the first time that it was seen."""
    is_same = before is not None and before[:2] == (counted, listed)
    return {
        "repository_id": repository_id,
        "pull_request_id": pull_request and pull_request.pull_request_id,
        "number": pull_request and pull_request.number,
        "counted": counted,
        "listed": listed,
        "first_read_at": before[2] if before and is_same else read_at,
        "last_read_at": read_at,
    }
