"""The pipeline's own DuckDB file: one writer at a time, one transaction a time, whatever happens.

Opens, locks, creates and migrates the file. What is in the tables is not its business.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from prpipeline import metrics

log = logging.getLogger("prpipeline")

# Readable by DuckDB 1.2 and later, whichever version wrote it.
STORAGE_VERSION = "v1.2.0"
SCHEMA_VERSION = 1
_LOCK_SECONDS = 600.0
_QUICK_SECONDS = 5.0
_IDLE_SECONDS = 0.1
_LONGEST_HOLD_SECONDS = 1.0


class WarehouseError(Exception):
    """The warehouse cannot be used; the message says why and what to do. It was not changed."""


class Warehouse:
    """``warehouse.duckdb`` in a folder. No connection outlives a ``with`` block of ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path.with_suffix(".lock"), thread_local=False)
        self._threads = threading.RLock()  # the file lock is one for all threads of a process
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._is_prepared = self._is_attached = False
        self._sessions = 0
        self._taken_at = 0.0
        self._timer: threading.Timer | None = None

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection inside a transaction: committed at the end of the block, rolled back on an exception.

        Raises WarehouseError.
        """
        with self._threads:
            connection = self._take()
            try:
                connection.execute("BEGIN")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    self._roll_back(connection)
                    raise
            except BaseException as error:
                self._drop()
                if isinstance(error, duckdb.Error):
                    raise self._explain(error) from None
                raise
            if self._sessions and time.monotonic() - self._taken_at < _LONGEST_HOLD_SECONDS:
                self._timer = threading.Timer(_IDLE_SECONDS, self._let_go)
                self._timer.daemon = True
                self._timer.start()
            else:
                self._let_go()

    @contextmanager
    def session(self) -> Iterator[None]:
        """Transactions that follow closely in the block find the file open still: closing it costs most.

        It is let go while nothing happens, and every second, so that others get their turn.
        """
        self._sessions += 1
        try:
            yield
        finally:
            self._sessions -= 1
            self._let_go()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else writes during the block, and the file is closed. Raises WarehouseError."""
        with self._threads:
            self._let_go()
            self._acquire()
            try:
                yield
            finally:
                self._lock.release()

    def _acquire(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=_QUICK_SECONDS)
            except Timeout:
                log.info("Waiting for another pipeline that is writing to %s.", self.path)
                self._lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout:
            raise WarehouseError(
                f"Another pipeline has held {self._lock.lock_file} for {_LOCK_SECONDS / 60:.0f} minutes; "
                "end it, or wait for it."
            ) from None
        except OSError as error:
            raise WarehouseError(
                f"{self.path.parent} cannot be written to ({error.strerror}); "
                "free it, or set PRPIPELINE_DATA_DIR to a folder that can."
            ) from None

    def exists(self) -> bool:
        return self.path.exists()

    def _take(self) -> duckdb.DuckDBPyConnection:
        """The file locked and attached; starting DuckDB costs 30 ms, attaching a file 3."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_attached and self._instance is not None:
            return self._instance
        self._acquire()
        self._taken_at = time.monotonic()
        try:
            if self._instance is None:
                self._instance = duckdb.connect(":memory:")
                weakref.finalize(self, self._instance.close)
            connection = self._instance
            self._is_prepared = self._is_prepared and self.path.exists()
            file = str(self.path).replace("'", "''")
            connection.execute(f"ATTACH '{file}' AS warehouse (STORAGE_VERSION '{STORAGE_VERSION}')")
            self._is_attached = True
            connection.execute("USE warehouse")
            if not self._is_prepared:
                self._prepare(connection)
                self._is_prepared = True
        except BaseException as error:
            self._drop()
            if isinstance(error, duckdb.Error):
                raise self._explain(error) from None
            raise
        return connection

    def _let_go(self) -> None:
        """Close the file and give up the lock, if we have them."""
        with self._threads:
            if not self._is_attached or self._instance is None:
                return
            try:
                for (table,) in self._instance.execute(
                    "SELECT table_name FROM duckdb_tables() WHERE temporary"
                ).fetchall():
                    self._instance.execute(f'DROP TABLE temp."{table}"')
                self._instance.execute("USE memory")
                self._instance.execute("DETACH warehouse")
            except duckdb.Error as error:
                self._drop()
                raise self._explain(error) from None
            self._is_attached = False
            self._lock.release()

    def _drop(self) -> None:
        """Give everything up, whatever state it is in: the file is free when the instance is gone."""
        if self._instance is not None:
            self._instance.close()
        self._instance = None
        self._is_attached = False
        self._lock.release(force=True)

    def _prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the tables in an empty file; bring an older one forward; refuse a newer or foreign one."""
        version = self._schema_version(connection)
        if version > SCHEMA_VERSION:
            raise WarehouseError(
                f"{self.path} was written by a newer prpipeline (its schema is {version}, this one knows "
                f"{SCHEMA_VERSION}); upgrade prpipeline."
            )
        connection.execute("BEGIN")
        try:
            if version == 0:
                connection.execute(_sql("schema.sql"))
            else:
                for step in range(version + 1, SCHEMA_VERSION + 1):
                    connection.execute(_sql(f"migrations/{step:04}.sql"))
            if version < SCHEMA_VERSION:
                connection.execute(
                    "INSERT INTO meta.schema_version VALUES (?, ?)", [SCHEMA_VERSION, utc_now()]
                )
            metrics.create_tables(connection)
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise

    def _schema_version(self, connection: duckdb.DuckDBPyConnection) -> int:
        """0 for an empty file. Raises WarehouseError for a file that is not ours."""
        tables = {
            f"{schema}.{table}"
            for schema, table in connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'warehouse'"
            ).fetchall()
        }
        if not tables:
            return 0
        if "meta.schema_version" not in tables:
            raise WarehouseError(
                f"{self.path} is a DuckDB file, but not prpipeline's; "
                "move it away, or set PRPIPELINE_DATA_DIR to another folder."
            )
        row = connection.execute("SELECT max(version) FROM meta.schema_version").fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    @staticmethod
    def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
        try:
            connection.execute("ROLLBACK")
        except duckdb.Error as error:  # a fatal error (disk full) has ended the transaction already
            log.debug("nothing to roll back: %s", error)

    def _explain(self, error: duckdb.Error) -> WarehouseError:
        text = str(error).splitlines()[0]
        lowered = str(error).lower()
        if "conflicting lock" in lowered or "could not set lock" in lowered:
            holder = re.search(r"held in (.*?PID \d+)", str(error))
            who = f" ({holder[1]})" if holder else ""
            return WarehouseError(
                f"{self.path} is open in another program{who}; close it there and open "
                "published/prpipeline.duckdb instead, which is for readers."
            )
        if "no space left" in lowered or "disk full" in lowered or "out of disk" in lowered:
            return WarehouseError(f"The disk of {self.path.parent} is full; free some space and run again.")
        if "version number" in lowered or "newer version" in lowered or "storage version" in lowered:
            return WarehouseError(
                f"{self.path} was written by another DuckDB than {duckdb.__version__} can read; upgrade duckdb."
            )
        if "permission denied" in lowered or "read-only" in lowered:
            return WarehouseError(
                f"{self.path} cannot be written to; mend its permissions, or set PRPIPELINE_DATA_DIR."
            )
        if isinstance(error, (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException)) or (
            "not a valid duckdb" in lowered or "corrupt" in lowered
        ):
            return WarehouseError(
                f"{self.path} is damaged or no DuckDB file ({text}); move it away and sync again, or restore a backup."
            )
        return WarehouseError(f"DuckDB refuses to work on {self.path}: {text}")


def utc_now() -> datetime:
    """Now, as the warehouse keeps times."""
    return datetime.now(UTC).replace(tzinfo=None)


def _sql(name: str) -> str:
    return (resources.files("prpipeline.warehouse") / name).read_text(encoding="utf-8")
