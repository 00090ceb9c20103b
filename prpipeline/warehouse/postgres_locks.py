"""The writer's lock and the leases of a store that several hosts use: advisory locks in its Postgres.

A lock ends with its session, so with its process; a host that is lost is noticed by TCP's keepalive, in half a minute.
A pool that shares sessions between transactions, such as pgbouncer in transaction mode, must not lie between.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from prpipeline.warehouse.errors import WarehouseError
from prpipeline.warehouse.lock import LockError

try:
    import psycopg2
except ImportError:
    raise WarehouseError(
        "The warehouse is a lake in Postgres, and psycopg2 is not installed; install prpipeline[lake]."
    ) from None

log = logging.getLogger("prpipeline")

_QUICK_MS = 5_000
_PATIENCE_SECONDS = 600.0
# The database is in the key by itself: advisory locks are per database.
_KEY = "hashtextextended('prpipeline ' || %s || ' ' || {name}, 0)"


class _Session:
    """A connection that is made when it is needed first."""

    def __init__(self, dsn: str, where: str) -> None:
        self._dsn, self.where = dsn, where
        self._connection: Any = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None and not self._connection.closed

    def run(self, sql: str, parameters: Collection[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement in a transaction of its own. Raises WarehouseError, and LockNotAvailable as it comes."""
        was_open = self.is_open
        try:
            if not was_open:
                self._connection = psycopg2.connect(
                    self._dsn,
                    application_name="prpipeline",
                    connect_timeout=15,
                    keepalives_idle=10,
                    keepalives_interval=5,
                    keepalives_count=3,
                )
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(sql, list(parameters))
                return list(cursor.fetchall()) if cursor.description else []
        except psycopg2.errors.LockNotAvailable:
            raise
        except psycopg2.Error as error:
            self.close()
            raise WarehouseError(_sentence(error, self.where, was_open=was_open)) from None

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None


class PostgresWriterLock:
    """One writer at a time; those who wait are served in their order."""

    def __init__(self, dsn: str, schema: str, where: str) -> None:
        self._session, self._schema = _Session(dsn, where), schema
        self._is_held = False

    def acquire(self) -> None:
        """Wait for the lock, at most ten minutes. Raises LockError, WarehouseError."""
        started, is_told = time.monotonic(), False
        while True:
            try:
                # Bounded waits, so that an interrupt is noticed between them.
                self._session.run(f"SET lock_timeout = {_QUICK_MS}")
                self._session.run(
                    f"SELECT pg_advisory_lock({_KEY.format(name='%s')})", [self._schema, "writer"]
                )
            except psycopg2.errors.LockNotAvailable:
                if not is_told:
                    log.info("Waiting for another pipeline that is writing to %s.", self._session.where)
                    is_told = True
                if time.monotonic() - started > _PATIENCE_SECONDS:
                    raise LockError(
                        f"Another pipeline has held the lock of {self._session.where} for "
                        f"{_PATIENCE_SECONDS / 60:.0f} minutes; end it, or wait for it."
                    ) from None
            else:
                self._is_held = True
                return

    def confirm(self) -> None:
        """Raise LockError if the lock was lost, because its session was."""
        if self._is_held:
            try:
                self._session.run("SELECT 1" if self._session.is_open else "SELECT 1/0")
            except WarehouseError:
                self._is_held = False
                raise LockError(
                    f"The connection to {self._session.where} was lost, and with it the lock; nothing was written. Run it "
                    "again."
                ) from None

    def release(self) -> None:
        """Release the lock; does nothing if it is not held."""
        if self._is_held:
            self._is_held = False
            try:
                self._session.run(
                    f"SELECT pg_advisory_unlock({_KEY.format(name='%s')})", [self._schema, "writer"]
                )
            except WarehouseError:
                self._session.close()  # which releases it


class PostgresLeases:
    """Leases over all hosts that use the store."""

    def __init__(self, dsn: str, schema: str, where: str) -> None:
        self._session, self._schema = _Session(dsn, where), schema
        self._threads = threading.Lock()
        self._taken_before = False

    def take(self, names: Collection[str]) -> set[str]:
        with self._threads:
            if self._taken_before and not self._session.is_open:
                raise WarehouseError(f"The connection to {self._session.where} was lost; run it again.")
            self._taken_before = True
            rows = self._session.run(
                f"SELECT name FROM unnest(%s::text[]) AS name WHERE pg_try_advisory_lock({_KEY.format(name='name')})",
                [sorted(names), self._schema],
            )
            return {name for (name,) in rows}

    def give(self, names: Collection[str]) -> None:
        with self._threads:
            if names and self._session.is_open:
                self._session.run(
                    f"SELECT pg_advisory_unlock({_KEY.format(name='name')}) FROM unnest(%s::text[]) AS name",
                    [self._schema, sorted(names)],
                )

    def close(self) -> None:
        with self._threads:
            self._session.close()


def has_schema(dsn: str, schema: str, where: str) -> bool:
    """Whether the database has a schema of this name. Raises WarehouseError."""
    session = _Session(dsn, where)
    try:
        return bool(session.run("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]))
    finally:
        session.close()


def shown(dsn: str) -> str:
    """The database of a connection string for messages, without its password. Raises WarehouseError."""
    try:
        parts = psycopg2.extensions.parse_dsn(dsn)
    except psycopg2.Error:
        raise WarehouseError(
            "PRPIPELINE_WAREHOUSE holds no connection that Postgres understands; write ducklake:postgres:host=… dbname=… "
            "user=…."
        ) from None
    return f"{parts.get('dbname', 'the database')} at {parts.get('host', 'this machine')}"


def _sentence(error: psycopg2.Error, where: str, *, was_open: bool) -> str:
    # libpq names host, user and database in its messages, never a password.
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].strip()
    if was_open:
        return (
            f"The connection to {where} was lost ({reason.rstrip('.')}). What was written before is kept; run it again when "
            "its Postgres runs."
        )
    return (
        f"{where} cannot be used ({reason}); see whether its Postgres runs, and correct PRPIPELINE_WAREHOUSE."
    )
