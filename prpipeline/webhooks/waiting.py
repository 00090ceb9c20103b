"""What waits in the inbox: folded by pull request, due when that is quiet, and settled as done, put off or parked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from prpipeline.github.webhooks import tells_of_review
from prpipeline.model.deliveries import Hint
from prpipeline.webhooks.inbox import Inbox, from_text, newest_delivery, to_text

QUIET = timedelta(seconds=5)
"""Deliveries come in bursts: who reviews sends several. A pull request is looked at when none came for so long."""

LONGEST = timedelta(seconds=60)
"""It is looked at in any case when its oldest hint is so old."""

KEPT = timedelta(days=30)
"""How long a delivery is remembered: GitHub redelivers within 3 days (Enterprise Server: 7)."""

MEASURED = timedelta(days=7)
"""Of which time the delay from a delivery to its publication is the median."""

_AT_ONCE = 500  # ids in one statement
_COLUMNS = (
    "delivery, seq, event, repository_id, pull_request_id, number, node_id, updated_at, repositories, "
    "received_at, attempts, next_attempt_at"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The hints to look at now; how many deliveries wait in all, and when the next of the others is due."""

    due: tuple[Hint, ...]
    left: int
    next_at: datetime | None
    newest: int = 0  # the highest number (seq) of those that are due


def waiting(inbox: Inbox, now: datetime, most: int | None = None) -> Waiting:
    """What waits, the oldest first; ``most`` bounds how many hints are given at once. Raises InboxError."""
    if not inbox.exists():
        return Waiting((), 0, None)
    with inbox.transaction() as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM deliveries WHERE state = 'new' ORDER BY seq"
        ).fetchall()
    groups: dict[object, list[tuple[Any, ...]]] = {}
    for row in rows:
        delivery, _, _, repository_id, pull_request_id = row[:5]
        is_roster = repository_id is None and pull_request_id is None
        groups.setdefault(delivery if is_roster else (repository_id, pull_request_id), []).append(row)
    due: list[Hint] = []
    later: list[datetime] = []
    newest = 0
    for group in groups.values():
        at = _due_at(group, now)
        if at > now:
            later.append(at)
        elif most is None or len(due) < most:
            due.append(_folded(group))
            newest = max(newest, group[-1][1])
        else:
            later.append(now)
    return Waiting(tuple(due), len(rows), min(later, default=None), newest)


def _due_at(group: Sequence[tuple[Any, ...]], now: datetime) -> datetime:
    """When these hints, in the order of their arrival, are to be looked at."""
    if put_off := from_text(group[-1][11]):  # nothing came since it was put off
        return put_off if put_off - now <= timedelta(days=1) else now
    if group[-1][4] is None:
        return now
    oldest, newest = (datetime.fromisoformat(group[i][9]) for i in (0, -1))
    if newest > now:  # our clock was set back
        return now
    return min(newest + QUIET, oldest + LONGEST)


def _folded(group: Sequence[tuple[Any, ...]]) -> Hint:
    _, _, _, repository_id, pull_request_id, number, node_id, _, repositories, _, attempts, _ = group[-1]
    times = [(row[2], moment) for row in group if (moment := from_text(row[7]))]
    return Hint(
        deliveries=tuple(row[0] for row in group),
        repository_id=repository_id,
        pull_request_id=pull_request_id,
        number=number,
        node_id=node_id,
        updated_at=max((moment for _, moment in times), default=None),
        told_of_review_at=tuple({moment for event, moment in times if tells_of_review(event)}),
        repositories=None if repositories is None else tuple(json.loads(repositories)),
        received_at=datetime.fromisoformat(group[0][9]),
        attempts=attempts,
    )


# ── settling ─────────────────────────────────────────────────────────────────────────────────────────


def done(inbox: Inbox, hints: Iterable[Hint], now: datetime, note: str | None = None) -> None:
    """What these tell is stored. Raises InboxError."""
    _set(inbox, hints, "state = 'done', done_at = ?, note = ?", [to_text(now), note])


def parked(inbox: Inbox, hints: Iterable[Hint], now: datetime, note: str) -> None:
    """These are given up; what they told of is read by an increment."""
    _set(inbox, hints, "state = 'parked', done_at = ?, note = ?", [to_text(now), note])


def put_off(inbox: Inbox, hints: Iterable[Hint], until: datetime, note: str, *, counted: bool = True) -> None:
    """Look at these again then; ``counted`` as an attempt in which GitHub did not show what they told of."""
    change = f"attempts = attempts + {int(counted)}, next_attempt_at = ?, note = ?"
    _set(inbox, hints, change, [to_text(until), note])


def _set(inbox: Inbox, hints: Iterable[Hint], change: str, values: list[Any]) -> None:
    if ids := _deliveries(hints):
        with inbox.transaction() as connection:
            for some in _chunks(ids):
                marks = ", ".join("?" * len(some))
                connection.execute(
                    f"UPDATE deliveries SET {change} WHERE state = 'new' AND delivery IN ({marks})",
                    [*values, *some],
                )


def drop_untracked(inbox: Inbox, hints: Iterable[Hint]) -> None:
    """Count these, and forget them: their repositories are none of ours."""
    if ids := _deliveries(hints):
        with inbox.transaction() as connection:
            for some in _chunks(ids):
                marks = ", ".join("?" * len(some))
                connection.execute(
                    f"DELETE FROM deliveries WHERE state = 'new' AND delivery IN ({marks})",
                    some,
                )
            connection.execute("UPDATE counters SET value = value + ? WHERE name = 'untracked'", [len(ids)])


_UNPUBLISHED = "state = 'done' AND published_at IS NULL AND note IS NULL AND pull_request_id IS NOT NULL"
"""What was read because of a delivery has no note; what was held already has one, and is not measured."""


def note_published(inbox: Inbox, done_before: datetime, published_at: datetime) -> None:
    """A release shows all that was done before; how long that took since the delivery is what is measured."""
    if inbox.exists():
        with inbox.transaction() as connection:
            connection.execute(
                f"UPDATE deliveries SET published_at = ? WHERE {_UNPUBLISHED} AND done_at <= ?",
                [to_text(published_at), to_text(done_before)],
            )


def note_no_news(inbox: Inbox, done_before: datetime) -> None:
    """What was read until then changed nothing, so that no release is to show it."""
    with inbox.transaction() as connection:
        connection.execute(
            f"UPDATE deliveries SET note = 'It changed nothing.' WHERE {_UNPUBLISHED} AND done_at <= ?",
            [to_text(done_before)],
        )


def has_unpublished(inbox: Inbox) -> bool:
    """Whether something was read that no release is known to show: its publication is to come, or was broken off."""
    if not inbox.exists():
        return False
    with inbox.transaction() as connection:
        found = connection.execute(f"SELECT 1 FROM deliveries WHERE {_UNPUBLISHED} LIMIT 1")
        return found.fetchone() is not None


def freshness(inbox: Inbox, now: datetime) -> tuple[datetime | None, float | None]:
    """When the newest delivery came, and the median seconds from a delivery to the release that shows it.

    Of a week, with a release that is made now for what none shows yet; None where nothing is known.
    """
    if not inbox.exists():
        return None, None
    with inbox.transaction() as connection:
        rows = connection.execute(
            "SELECT (julianday(coalesce(published_at, ?)) - julianday(received_at)) * 86400 FROM deliveries "
            f"WHERE published_at >= ? OR ({_UNPUBLISHED})",
            [to_text(now), to_text(now - MEASURED)],
        ).fetchall()
        return newest_delivery(connection), round(median(seconds for (seconds,) in rows), 1) if rows else None


def prune(inbox: Inbox, now: datetime) -> None:
    """Forget what was settled long ago."""
    if inbox.exists():
        with inbox.transaction() as connection:
            connection.execute(
                "DELETE FROM deliveries WHERE state <> 'new' AND done_at < ?", [to_text(now - KEPT)]
            )


def _deliveries(hints: Iterable[Hint]) -> list[str]:
    return [delivery for hint in hints for delivery in hint.deliveries]


def _chunks(ids: Sequence[str]) -> Iterable[list[str]]:
    return (list(ids[start : start + _AT_ONCE]) for start in range(0, len(ids), _AT_ONCE))
