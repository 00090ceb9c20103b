"""The record of alerts: troubles of whole runs and releases, what targets were told, and messages on their way.

Works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from prpipeline.model.alerts import ConditionKind, Message, TroubleKind
from prpipeline.model.sql import Connection
from prpipeline.warehouse.counters import KEPT_DAYS, next_id


@dataclass(frozen=True, slots=True)
class Trouble:
    """A row of ``meta.troubles``."""

    kind: TroubleKind
    caller: str
    cause: str
    says: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that was wrong when its target was told; ``subject`` is a tracked name, or who ran."""

    kind: ConditionKind
    subject: str
    cause: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that its target has not accepted yet."""

    message_id: int
    message: Message


def note_trouble(connection: Connection, trouble: Trouble) -> None:
    """Put on record that this is wrong; ``since`` stays what it was where the cause is the same."""
    known = [row for row in troubles(connection) if (row.kind, row.caller) == (trouble.kind, trouble.caller)]
    since = next((row.since for row in known if row.cause == trouble.cause), trouble.since)
    clear_trouble(connection, trouble.kind, trouble.caller)
    connection.execute(
        "INSERT INTO meta.troubles VALUES (?, ?, ?, ?, ?)",
        [trouble.kind, trouble.caller, trouble.cause, trouble.says, since],
    )


def clear_trouble(connection: Connection, kind: TroubleKind, caller: str) -> None:
    """Put on record that it went well."""
    connection.execute("DELETE FROM meta.troubles WHERE kind = ? AND caller = ?", [kind, caller])


def troubles(connection: Connection) -> list[Trouble]:
    """What is wrong with runs and releases as a whole."""
    rows = connection.execute("SELECT kind, caller, cause, says, since FROM meta.troubles").fetchall()
    return sorted((Trouble(*row) for row in rows), key=lambda row: (row.kind, row.caller))


def told(connection: Connection, target: str) -> set[Told]:
    """What this target was told, or is about to be, and has not been told to be well again."""
    rows = connection.execute(
        "SELECT kind, subject, cause FROM meta.alerts WHERE target = ? AND kind <> 'digest'", [target]
    ).fetchall()
    return {Told(*row) for row in rows}


def tell(
    connection: Connection,
    target: str,
    message: Message | None,
    now: datetime,
    *,
    wrong: Iterable[Told] = (),
    over: Iterable[Told] = (),
) -> None:
    """Put the message on its way, with what its target knows by it: what is wrong now, and what is over."""
    for each in over:
        connection.execute(
            "DELETE FROM meta.alerts WHERE target = ? AND kind = ? AND subject = ? AND cause = ?",
            [target, each.kind, each.subject, each.cause],
        )
    if message is None:
        return
    message_id = _send_later(connection, target, message, now)
    for each in wrong:
        _remember(connection, target, each.kind, each.subject, each.cause, message_id, now)


def tell_digest(
    connection: Connection, target: str, team: str, period: str, message: Message, now: datetime
) -> None:
    """Put the digest of a team (empty: of all) for a day or week on its way."""
    message_id = _send_later(connection, target, message, now)
    _remember(connection, target, "digest", team, period, message_id, now)
    connection.execute(
        "DELETE FROM meta.alerts WHERE kind = 'digest' AND told_at < ?", [now - timedelta(days=KEPT_DAYS)]
    )


def has_digest(connection: Connection, target: str, team: str, period: str) -> bool:
    """Whether the digest of a team for a day or week was sent to this target, or is on its way."""
    found = connection.execute(
        "SELECT 1 FROM meta.alerts WHERE target = ? AND kind = 'digest' AND subject = ? AND cause = ? LIMIT 1",
        [target, team, period],
    ).fetchone()
    return found is not None


def next_message(connection: Connection, target: str) -> Waiting | None:
    """The oldest message that this target has not accepted."""
    row = connection.execute(
        "SELECT message_id, level, title, body FROM meta.alert_outbox WHERE target = ? ORDER BY message_id LIMIT 1",
        [target],
    ).fetchone()
    return Waiting(row[0], Message(*row[1:])) if row else None


def accepted(connection: Connection, message_id: int, now: datetime) -> None:
    """Put on record that the target accepted the message."""
    connection.execute("UPDATE meta.alerts SET accepted_at = ? WHERE message_id = ?", [now, message_id])
    connection.execute("DELETE FROM meta.alert_outbox WHERE message_id = ?", [message_id])


def waiting(connection: Connection) -> dict[str, int]:
    """How many messages each target has not accepted."""
    rows = connection.execute("SELECT target, count(*) FROM meta.alert_outbox GROUP BY target").fetchall()
    return dict(rows)


def forget_others(connection: Connection, targets: Collection[str]) -> None:
    """Delete what is kept of targets that the repositories file names no more."""
    for table in ("meta.alerts", "meta.alert_outbox"):
        connection.execute(
            f"DELETE FROM {table} WHERE target NOT IN (SELECT unnest(?::VARCHAR[]))", [list(targets)]
        )


def forget(connection: Connection, *names: str) -> None:
    """Delete what is kept about a repository or project of Jira with these names.

    Digests on their way that name it are to be made anew.
    """
    connection.execute("DELETE FROM meta.alerts WHERE list_contains(?::VARCHAR[], subject)", [list(names)])
    for name in names:
        digests = connection.execute(
            """
            SELECT message_id FROM meta.alert_outbox SEMI JOIN (FROM meta.alerts WHERE kind = 'digest') USING (message_id)
            WHERE contains(body, ?)
            """,
            [name],
        ).fetchall()
        for table in ("meta.alerts", "meta.alert_outbox"):
            connection.execute(
                f"DELETE FROM {table} WHERE message_id IN (SELECT unnest(?::BIGINT[]))",
                [[row[0] for row in digests]],
            )


def _send_later(connection: Connection, target: str, message: Message, now: datetime) -> int:
    message_id = next_id(connection, "messages")
    connection.execute(
        "INSERT INTO meta.alert_outbox VALUES (?, ?, ?, ?, ?, ?)",
        [message_id, target, message.level, message.title, message.body, now],
    )
    return message_id


def _remember(
    connection: Connection, target: str, kind: str, subject: str, cause: str, message_id: int, now: datetime
) -> None:
    connection.execute(
        "INSERT INTO meta.alerts VALUES (?, ?, ?, ?, ?, ?, NULL)",
        [target, kind, subject, cause, message_id, now],
    )
