"""Transactions on the warehouse: one writer at a time, atomic, on tables of the current version.

Knows neither where the tables are (``store``) nor their contents.
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
from prpipeline.warehouse.file_store import STORAGE_VERSION as STORAGE_VERSION
from prpipeline.warehouse.file_store import FileStore
from prpipeline.warehouse.file_store import quoted as quoted
from prpipeline.warehouse.leases import wait
from prpipeline.warehouse.lock import LockError
from prpipeline.warehouse.store import Snapshot, Store

log = logging.getLogger("prpipeline")

_IDLE_SECONDS = 0.25
_LONGEST_HOLD_SECONDS = 1.0
_CHECKED_SECONDS = 60.0  # how long the version of tables that stay attached is believed


class Warehouse:
    """A store's tables; ``Warehouse(path)`` for a local file. Safe for threads and processes, but not over a fork."""

    def __init__(self, place: Path | Store) -> None:
        self.store: Store = FileStore(place) if isinstance(place, Path) else place
        self._threads = threading.RLock()  # the store's lock is one for all threads of a process
        self._open = _Open()
        self._is_current = False  # the tables are known to be of the present version
        self._sessions = 0
        self._locked_at = 0.0
        self._checked_at: float | None = None  # when their version was looked at
        self._idle_since: float | None = None  # nothing happens, and the lock is held
        self._timer: threading.Timer | None = None  # one for many transactions, for starting a thread is slow
        weakref.finalize(self, _close_at_exit, self._threads, self._open, os.getpid())

    @property
    def path(self) -> Path:
        """The local file, or the one beside which the store's local files are."""
        return self.store.path

    def exists(self) -> bool:
        return self.store.exists()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection inside a transaction: committed at the end of the block, rolled back on an exception.

        Raises WarehouseError.
        """
        with self._threads, self._explained():
            connection = self._take()
            connection.execute("BEGIN")
            yield connection
            self.store.lock.confirm()
            connection.execute("COMMIT")
            if self._sessions and time.monotonic() - self._locked_at < _LONGEST_HOLD_SECONDS:
                self._let_go_soon()
            else:
                self._let_go()

    @contextmanager
    def session(self) -> Iterator[None]:
        """Transactions that follow closely in the block share the lock and the attachment: closing a file costs most.

        Both are given up while nothing happens, and every second, so that other processes get their turn.
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
        """No other process writes during the block, and the tables are not attached here. Raises WarehouseError."""
        with self._threads:
            with self._explained():
                self._let_go()
                self.store.lock.acquire()
                self._detach()
            try:
                yield
            finally:
                self.store.lock.release()

    @contextmanager
    def frozen(self) -> Iterator[Snapshot]:
        """The tables as they are now, for connections of the block's own; one block at a time, over all processes.

        A file is locked meanwhile; a store that stays attached may be written to. Raises WarehouseError.
        """
        if not self.store.keeps_attached:
            with self.exclusive():
                yield self.store.snapshot(None)
            return
        leases = self.store.leases()
        try:
            wait(leases, "publication", f"Waiting for another pipeline that publishes {self.store.where}.")
            with self.transaction() as connection:
                snapshot = self.store.snapshot(connection)
            yield snapshot
        finally:
            leases.close()

    def maintain(self) -> None:
        """Keep the store small and fast, where it needs that. Raises WarehouseError."""
        with self._threads, self._explained():
            self.store.maintain(self._take())
            self._let_go()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """On any exception close all and unlock, so that nothing half done remains; DuckDB's errors become sentences."""
        try:
            yield
        except BaseException as error:
            self._open.close()
            self.store.lock.release()
            if isinstance(error, duckdb.InterruptException) or str(error) == "Query interrupted":
                raise KeyboardInterrupt from None  # DuckDB's error for a signal that comes during a query
            if isinstance(error, duckdb.Error):
                raise WarehouseError(errors.sentence(error, self.store)) from None
            if isinstance(error, LockError):
                raise WarehouseError(str(error)) from None
            if isinstance(error, schema.SchemaError):
                raise WarehouseError(f"{self.store.where} {error}") from None
            raise

    def _take(self) -> duckdb.DuckDBPyConnection:
        """A connection with the store locked and attached. Starting DuckDB costs 30 ms, attaching a file 3."""
        self._idle_since = None
        if self._open.connection is not None and self._open.is_locked:
            return self._open.connection
        self.store.lock.acquire()
        self._open.is_locked = True
        self._locked_at = time.monotonic()
        if self._open.connection is None:
            self._open.connection = start(self.path)
        connection = self._open.connection
        if not self._open.is_attached:
            if not self.store.exists():
                self.store.create(connection, schema.create)
                self._is_current = True
            self.store.attach(connection)
            self._open.is_attached = True
            self._checked_at = None
        if self._checked_at is None or self._locked_at - self._checked_at > _CHECKED_SECONDS:
            self._check_version(connection)
            self._checked_at = self._locked_at
        return connection

    def _check_version(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Refuse tables of a newer version, migrate those of an older one."""
        version = schema.find_version(connection)
        if version < schema.SCHEMA_VERSION or not self._is_current:
            connection.execute("BEGIN")
            if version:
                schema.bring_forward(connection, version)
            else:
                schema.create(connection)
            connection.execute("COMMIT")
            self._is_current = True

    def _let_go(self) -> None:
        """Unlock, and detach what must not stay attached then."""
        self._idle_since = None
        if self._open.connection is not None and self._open.is_locked:
            if not self.store.keeps_attached:
                self._detach()
            self._open.is_locked = False
            self.store.lock.release()

    def _detach(self) -> None:
        if self._open.connection is not None and self._open.is_attached:
            self.store.detach(self._open.connection)
            self._open.is_attached = False

    def _let_go_soon(self) -> None:
        self._idle_since = time.monotonic()
        if self._timer is None:
            self._start_timer(_IDLE_SECONDS)

    def _start_timer(self, seconds: float) -> None:
        # By a weak reference: a thread that sleeps while Python ends must not keep the warehouse alive.
        self._timer = threading.Timer(seconds, _let_go_idle, [weakref.ref(self)])
        self._timer.daemon = True
        self._timer.start()

    def _let_go_if_idle(self) -> None:
        self._timer = None
        if self._idle_since is not None:
            idle = time.monotonic() - self._idle_since
            if idle < _IDLE_SECONDS:
                self._start_timer(_IDLE_SECONDS - idle)
            else:
                self._let_go()


@dataclass
class _Open:
    """The state of the connection; not part of the Warehouse, so that it can be closed after that is gone."""

    connection: duckdb.DuckDBPyConnection | None = None
    is_attached: bool = False
    is_locked: bool = False

    def close(self) -> None:
        """Close the connection in any state, which detaches and rolls back everything."""
        connection, self.connection, self.is_attached, self.is_locked = self.connection, None, False, False
        if connection is not None:
            connection.close()


def utc_now() -> datetime:
    """The time now as the warehouse stores times: UTC, without a time zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def start(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection to memory, whose temporary files are beside the path."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": f"{path}.tmp",  # the default is the working directory
        "preserve_insertion_order": "false",  # nothing relies on it, and inserts use all cores without
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    return duckdb.connect(":memory:", config=config)


def _let_go_idle(reference: weakref.ref[Warehouse]) -> None:
    warehouse = reference()
    if warehouse is None:
        return
    with warehouse._threads:
        try:
            with warehouse._explained():
                warehouse._let_go_if_idle()
        except WarehouseError as error:
            # Nothing is lost: all is committed to the .wal. The next transaction raises if the problem persists.
            log.warning("%s", error)


def _close_at_exit(threads: threading.RLock, opened: _Open, pid: int) -> None:
    # A forked child must not close its parent's connection: closing writes to the file.
    if pid == os.getpid() and threads.acquire(timeout=1):
        try:
            opened.close()
        finally:
            threads.release()
