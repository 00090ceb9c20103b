"""One writer at a time, across the processes of a machine; first come, first served.

The locks are the operating system's: they end with their process, so a file left behind locks nobody out.
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
    """The lock is not to be had; the message says why and what to do."""


class WriterLock:
    """``warehouse.lock`` beside ``warehouse.duckdb``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.with_suffix(".lock"), thread_local=False)
        # Whoever lets go and comes back at once would always be faster than those who look now and then:
        # he meets them here, where one of them stands in line already.
        self._line = FileLock(path.with_suffix(".line.lock"), thread_local=False)

    def acquire(self) -> None:
        """Wait for it. Raises LockError."""
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
                f"{self._path.parent} cannot be written to ({reason}); mend that, or set PRPIPELINE_DATA_DIR to "
                "a folder that can."
            ) from None

    def release(self) -> None:
        """Give it up, if we have it."""
        self._lock.release(force=True)

    def _try(self, seconds: float) -> None:
        with self._line.acquire(timeout=seconds, poll_interval=_POLL_SECONDS):
            self._lock.acquire(timeout=seconds, poll_interval=_POLL_SECONDS)
