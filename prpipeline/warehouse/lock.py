"""One writer at a time, across the processes of a machine; first come, first served.

The locks are the operating system's: they end with their process, and a file that was left behind locks nothing.
"""

from __future__ import annotations

import logging
from pathlib import Path

from filelock import FileLock, Timeout

log = logging.getLogger("prpipeline")

_QUICK_SECONDS = 5.0
_PATIENCE_SECONDS = 600.0
_POLL_SECONDS = 0.01


class LockError(Exception):
    """The lock cannot be acquired; the message is one sentence that says why and what to do."""


class FileWriterLock:
    """``warehouse.lock`` beside ``warehouse.duckdb``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.with_suffix(".lock"), thread_local=False)
        # Waiting processes poll, so a process that releases the lock and wants it back would always win. Each has to
        # take this lock first, which the first waiting process already holds.
        self._queue = FileLock(path.with_suffix(".line.lock"), thread_local=False)

    def acquire(self) -> None:
        """Wait for the lock, at most ten minutes. Raises LockError."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._try(_QUICK_SECONDS)
            except Timeout:
                log.info("Waiting for another pipeline that is writing to %s.", self._path)
                self._try(_PATIENCE_SECONDS)
        except Timeout:
            raise LockError(
                f"Another pipeline has held {self._lock.lock_file} for {_PATIENCE_SECONDS / 60:.0f} minutes; "
                "end it, or wait for it."
            ) from None
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or error
            raise LockError(
                f"{self._path.parent} cannot be written to ({reason}); correct that, or set PRPIPELINE_DATA_DIR to "
                "a folder that can."
            ) from None

    def confirm(self) -> None:
        """The operating system's lock is held until it is released."""

    def release(self) -> None:
        """Release the lock; does nothing if it is not held."""
        self._lock.release(force=True)

    def _try(self, seconds: float) -> None:
        with self._queue.acquire(timeout=seconds, poll_interval=_POLL_SECONDS):
            self._lock.acquire(timeout=seconds, poll_interval=_POLL_SECONDS)
