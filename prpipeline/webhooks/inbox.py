"""The inbox: a SQLite file beside the warehouse, so that a delivery is stored durably while a sync holds the warehouse.

Several processes may use it. What waits in it is read and settled in ``waiting.py``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path

from prpipeline.model.deliveries import InboxError, Notice

FILE_NAME = "webhooks.sqlite"
VERSION = 1
_APPLICATION = 0x50525748  # marks the file as ours
_BUSY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook that has sent something."""

    hook_id: int
    last_delivery_at: datetime
    problem: str
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Summary:
    """How the inbox is; times are naive UTC."""

    received: int = 0
    refused: int = 0
    untracked: int = 0
    depth: int = 0
    parked: int = 0
    oldest_at: datetime | None = None
    last_delivery_at: datetime | None = None
    hooks: tuple[Hook, ...] = ()

    def oldest_seconds(self, now: datetime) -> float | None:
        """The age of what has waited longest."""
        return None if self.oldest_at is None else round(max(0.0, (now - self.oldest_at).total_seconds()), 1)


class Inbox:
    """The file; opened when it is first used. For one thread at a time. Raises InboxError throughout."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    def exists(self) -> bool:
        return self.path.exists()

    def close(self) -> None:
        """Close the file; it is opened again where needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    # ── receiving ────────────────────────────────────────────────────────────────────────────────────

    def store(self, delivery: str, hook_id: int | None, notice: Notice, now: datetime) -> bool:
        """Keep what is to be looked at, durably, and count the delivery; False where it was stored before."""
        at = to_text(now)
        with self.transaction() as connection:
            known = "SELECT 1 FROM deliveries WHERE delivery = ?"
            if connection.execute(known, [delivery]).fetchone():
                return False
            connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'received'")
            if notice.is_kept:
                self._insert(connection, delivery, hook_id, notice, at)
            if hook_id is not None or notice.hook_id is not None:
                self._note_hook(connection, hook_id, notice, at)
            if notice.kind == "pull_request":
                connection.execute(
                    "INSERT INTO repositories VALUES (?, ?) "
                    "ON CONFLICT (repository_id) DO UPDATE SET last_delivery_at = excluded.last_delivery_at",
                    [notice.repository_id, at],
                )
        return True

    @staticmethod
    def _insert(
        connection: sqlite3.Connection, delivery: str, hook_id: int | None, notice: Notice, at: str
    ) -> None:
        connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'seq'")
        row = {
            "delivery": delivery,
            "hook_id": hook_id,
            "event": notice.event,
            "action": notice.action,
            "repository_id": notice.repository_id,
            "pull_request_id": notice.pull_request_id,
            "number": notice.number,
            "node_id": notice.node_id,
            "updated_at": notice.updated_at and to_text(notice.updated_at),
            "repositories": None if notice.repositories is None else json.dumps(notice.repositories),
            "received_at": at,
            "state": "new",
            "attempts": 0,
        }
        connection.execute(
            f"INSERT INTO deliveries (seq, {', '.join(row)}) "
            f"VALUES ((SELECT value FROM counters WHERE name = 'seq'), {', '.join('?' * len(row))})",
            list(row.values()),
        )

    @staticmethod
    def _note_hook(connection: sqlite3.Connection, hook_id: int | None, notice: Notice, at: str) -> None:
        about = hook_id if notice.hook_id is None else notice.hook_id
        connection.execute(
            "INSERT INTO hooks VALUES (?, ?, '', NULL) "
            "ON CONFLICT (hook_id) DO UPDATE SET last_delivery_at = excluded.last_delivery_at, deleted_at = NULL",
            [about, at],
        )
        if notice.kind == "ping":
            connection.execute("UPDATE hooks SET problem = ? WHERE hook_id = ?", [notice.problem, about])
        elif notice.kind == "hook_deleted":
            connection.execute("UPDATE hooks SET deleted_at = ? WHERE hook_id = ?", [at, about])

    def count_refused(self, number: int) -> None:
        """So many deliveries were refused."""
        with self.transaction() as connection:
            connection.execute("UPDATE counters SET value = value + ? WHERE name = 'refused'", [number])

    def check(self, now: datetime) -> None:
        """That a delivery could be stored now: writes to the disk as storing does."""
        with self.transaction() as connection:
            connection.execute("UPDATE health SET looked_at = ?", [to_text(now)])

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def summary(self) -> Summary:
        """How it is; nothing but zeros where there is no file."""
        if not self.exists():
            return Summary()
        with self.transaction() as connection:
            counters = dict(connection.execute("SELECT name, value FROM counters").fetchall())
            depth, oldest = connection.execute(
                "SELECT count(*), min(received_at) FROM deliveries WHERE state = 'new'"
            ).fetchone()
            (parked,) = connection.execute(
                "SELECT count(*) FROM deliveries WHERE state = 'parked'"
            ).fetchone()
            latest = newest_delivery(connection)
            hooks = connection.execute("SELECT * FROM hooks ORDER BY hook_id").fetchall()
        return Summary(
            received=counters["received"],
            refused=counters["refused"],
            untracked=counters["untracked"],
            depth=depth,
            parked=parked,
            oldest_at=from_text(oldest),
            last_delivery_at=latest,
            hooks=tuple(
                Hook(hook_id, datetime.fromisoformat(last), problem, from_text(deleted))
                for hook_id, last, problem, deleted in hooks
            ),
        )

    def last_told(self) -> dict[int, datetime]:
        """When each repository was last told of, by its number."""
        if not self.exists():
            return {}
        with self.transaction() as connection:
            rows = connection.execute("SELECT * FROM repositories").fetchall()
        return {repository_id: datetime.fromisoformat(at) for repository_id, at in rows}

    # ── the file ─────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction that writes: durable at the end of the block, undone on an exception."""
        try:
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self.close()  # after an error of the disk, what it remembers may be wrong
            raise InboxError(_sentence(self.path, error)) from None
        except BaseException:
            self.close()  # which undoes
            raise

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and self._identity != _identity(self.path):
            self.close()  # the file was moved or deleted: what is written to it would be lost
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection, self._identity = connection, _identity(self.path)
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if version > VERSION and application == _APPLICATION:
            raise InboxError(
                f"{self.path} was written by a newer prpipeline (its version is {version}, this one knows {VERSION}); "
                "upgrade prpipeline."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # an answer of 202 is a promise
        if version == 0:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone() == (0,):
                self._create(connection)
            connection.execute("COMMIT")
        elif application != _APPLICATION:
            raise InboxError(_not_ours(self.path))

    def _create(self, connection: sqlite3.Connection) -> None:
        if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise InboxError(_not_ours(self.path))
        text = resources.files(__package__).joinpath("inbox.sql").read_text(encoding="utf-8")
        lines = "\n".join(line.partition("--")[0] for line in text.splitlines())
        for statement in lines.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def to_text(moment: datetime) -> str:
    """A time as the file keeps it: text that sorts."""
    return moment.isoformat(timespec="microseconds")


def from_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def newest_delivery(connection: sqlite3.Connection) -> datetime | None:
    """When the newest delivery came, of any kind that we know the hook of or kept."""
    (latest,) = connection.execute(
        "SELECT max(at) FROM (SELECT max(received_at) AS at FROM deliveries "
        "UNION ALL SELECT max(last_delivery_at) FROM hooks)"
    ).fetchone()
    return from_text(latest)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _not_ours(path: Path) -> str:
    return f"{path} is a SQLite file, but not prpipeline's; move it away, or set PRPIPELINE_DATA_DIR to another folder."


def _sentence(path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in reason:
        return f"{path} is damaged or no SQLite file; move it away: the next sync reads what its deliveries told of."
    if "malformed" in reason:
        return f"{path} is damaged; move it away: the next sync reads what its deliveries told of."
    return f"{path} cannot be used ({reason}); correct that, or set PRPIPELINE_DATA_DIR to a folder that can be written to."
