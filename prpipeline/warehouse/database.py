"""The pipeline's own DuckDB file: one writer at a time, one transaction at a time, whatever happens.

Opens, closes, creates the file. What is in the tables is not its business.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from prpipeline.warehouse import errors, schema
from prpipeline.warehouse.errors import WarehouseError as WarehouseError
from prpipeline.warehouse.lock import LockError, WriterLock

log = logging.getLogger("prpipeline")

# Readable by DuckDB 1.2 and later, whichever version wrote it.
STORAGE_VERSION = "v1.2.0"
_IDLE_SECONDS = 0.1
_LONGEST_HOLD_SECONDS = 1.0


class Warehouse:
    """``warehouse.duckdb`` in a folder. Safe for threads, and for processes that share the folder; not over a fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = WriterLock(path)
        self._threads = threading.RLock()  # the file lock is one for all threads of a process
        self._open = _Open()
        self._is_prepared = False
        self._sessions = 0
        self._taken_at = 0.0
        self._timer: threading.Timer | None = None
        weakref.finalize(self, _close_at_exit, self._threads, self._open, os.getpid())

    def exists(self) -> bool:
        return self.path.exists()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection inside a transaction: committed at the end of the block, rolled back on an exception.

        Raises WarehouseError.
        """
        with self._threads, self._explained():
            connection = self._take()
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
            if self._sessions and time.monotonic() - self._taken_at < _LONGEST_HOLD_SECONDS:
                self._let_go_soon()
            else:
                self._let_go()

    @contextmanager
    def session(self) -> Iterator[None]:
        """Transactions that follow closely in the block find the file open still: closing it costs most.

        It is let go while nothing happens, and every second, so that others get their turn.
        """
        with self._threads:
            self._sessions += 1
        try:
            yield
        finally:
            with self._threads:
                self._sessions -= 1
                if not self._sessions:
                    with self._explained():
                        self._let_go()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else writes during the block, and the file is closed. Raises WarehouseError."""
        with self._threads:
            with self._explained():
                self._let_go()
                self._lock.acquire()
            try:
                yield
            finally:
                self._lock.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Whatever goes wrong, nothing stays open or locked, and so nothing half done; DuckDB's errors in our words."""
        try:
            yield
        except BaseException as error:
            self._open.close()
            self._lock.release()
            if isinstance(error, duckdb.InterruptException) or str(error) == "Query interrupted":
                raise KeyboardInterrupt from None  # as DuckDB calls a signal that comes during a query
            if isinstance(error, duckdb.Error):
                raise WarehouseError(errors.sentence(error, self.path)) from None
            if isinstance(error, LockError):
                raise WarehouseError(str(error)) from None
            if isinstance(error, schema.SchemaError):
                raise WarehouseError(f"{self.path} {error}") from None
            raise

    def _take(self) -> duckdb.DuckDBPyConnection:
        """The file locked and attached; starting DuckDB costs 30 ms, attaching a file 3."""
        self._stop_timer()
        if self._open.connection is not None and self._open.is_attached:
            return self._open.connection
        self._lock.acquire()
        self._taken_at = time.monotonic()
        if self._open.connection is None:
            self._open.connection = _start(self.path)
        connection = self._open.connection
        if not self.path.exists():
            self._create(connection)
        _attach(connection, self.path)
        self._open.is_attached = True
        version = schema.find_version(connection)
        if version < schema.SCHEMA_VERSION or not self._is_prepared:
            connection.execute("BEGIN")
            if version:
                schema.bring_forward(connection, version)
            else:
                schema.create(connection)
            connection.execute("COMMIT")
            self._is_prepared = True
        return connection

    def _create(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Under another name first: a file of this name is whole, wherever we are killed."""
        unfinished = self.path.with_name(f".{self.path.name}-unfinished")
        for leftover in self.path.parent.glob(f"{unfinished.name}*"):
            leftover.unlink()
        for wal in self.path.parent.glob(f"{self.path.name}.wal*"):
            log.warning("%s has lost its database file; it is kept as %s.old.", wal, wal.name)
            wal.replace(wal.with_name(f"{wal.name}.old"))
        _attach(connection, unfinished, f", STORAGE_VERSION '{STORAGE_VERSION}'")
        connection.execute("BEGIN")
        schema.create(connection)
        connection.execute("COMMIT")
        _detach(connection)
        os.replace(unfinished, self.path)
        self._is_prepared = True

    def _let_go(self) -> None:
        """Close the file and give up the lock, if we have them."""
        self._stop_timer()
        if self._open.connection is not None and self._open.is_attached:
            _detach(self._open.connection)
            self._open.is_attached = False
            self._lock.release()

    def _let_go_soon(self) -> None:
        # By a weak reference: a thread that sleeps while Python ends must not keep anything alive.
        self._timer = threading.Timer(_IDLE_SECONDS, _let_go_idle, [weakref.ref(self)])
        self._timer.daemon = True
        self._timer.start()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@dataclass
class _Open:
    """What is open right now; apart from the Warehouse, which does not live on to the end of Python."""

    connection: duckdb.DuckDBPyConnection | None = None
    is_attached: bool = False

    def close(self) -> None:
        """Whatever state it is in: the file is free when DuckDB is gone."""
        connection, self.connection, self.is_attached = self.connection, None, False
        if connection is not None:
            connection.close()


def utc_now() -> datetime:
    """Now, as the warehouse keeps times."""
    return datetime.now(UTC).replace(tzinfo=None)


def quoted(text: object) -> str:
    """For an SQL literal, where none can be bound."""
    return str(text).replace("'", "''")


def _start(path: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": f"{path}.tmp",  # not in whatever folder we were started in
        "preserve_insertion_order": "false",  # nothing relies on it, and inserts use all cores without
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    return duckdb.connect(":memory:", config=config)


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, options: str = "") -> None:
    connection.execute(f"ATTACH '{quoted(path)}' AS warehouse (TYPE duckdb{options})")
    connection.execute("USE warehouse")


def _detach(connection: duckdb.DuckDBPyConnection) -> None:
    for (table,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall():
        connection.execute(f'DROP TABLE temp."{table}"')
    connection.execute("USE memory")
    connection.execute("DETACH warehouse")


def _let_go_idle(reference: weakref.ref[Warehouse]) -> None:
    warehouse = reference()
    if warehouse is None:
        return
    with warehouse._threads:
        try:
            with warehouse._explained():
                warehouse._let_go()
        except WarehouseError as error:
            # Everything is committed: it stands in the .wal, and whoever comes next meets the trouble himself.
            log.warning("%s", error)


def _close_at_exit(threads: threading.RLock, opened: _Open, pid: int) -> None:
    # A forked child must not close what is its parent's: closing writes.
    if pid == os.getpid() and threads.acquire(timeout=1):
        try:
            opened.close()
        finally:
            threads.release()
