"""Names of which each is held by one run at a time: repositories that are synced, credentials that are in use.

A run that holds one keeps it for as long as its work takes, while transactions of others go on. What a run holds ends
with its process, however that ends.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from filelock import FileLock, Timeout

from prpipeline.warehouse.errors import WarehouseError

log = logging.getLogger("prpipeline")

_POLL_SECONDS = 0.1


class Leases(Protocol):
    """Those of one run. Thread-safe; a run may take a name several times, and then has to give it back as often."""

    def take(self, names: Collection[str]) -> set[str]:
        """Take those of the names that no other run holds; returns them. Raises WarehouseError."""

    def give(self, names: Collection[str]) -> None:
        """Give names back that were taken."""

    def close(self) -> None:
        """Give all back."""


def wait(leases: Leases, name: str, note: str) -> None:
    """Take a name, as soon as it can be had; ``note`` says for the log what is waited for. Raises WarehouseError."""
    if leases.take([name]):
        return
    log.info(note)
    while not leases.take([name]):
        time.sleep(_POLL_SECONDS)


@contextmanager
def taken(leases: Leases, names: Collection[str]) -> Iterator[set[str]]:
    """``take`` for the length of the block."""
    held = leases.take(names)
    try:
        yield held
    finally:
        leases.give(held)


class FileLeases:
    """For the processes of one machine: each run lists what it holds in a file, beside a lock that ends with it.

    One lock a run, not one a name: a run may hold thousands, and a process may have a few hundred files open.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / ".leases"
        self._threads = threading.Lock()
        self._mutex = FileLock(self._folder / "mutex.lock", thread_local=False)
        self._list = self._folder / f"{uuid4().hex}.json"
        self._alive = FileLock(self._list.with_suffix(".lock"), thread_local=False)
        self._held: Counter[str] = Counter()

    def take(self, names: Collection[str]) -> set[str]:
        with self._threads, self._explained():
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._mutex:
                if not self._alive.is_locked:
                    self._alive.acquire(timeout=0)
                taken = set(names) - self._of_others()
                self._held.update(taken)
                self._write()
            return taken

    def give(self, names: Collection[str]) -> None:
        with self._threads, self._explained():
            if names:
                self._held.subtract(names)
                self._held = +self._held
                with self._mutex:
                    self._write()

    def close(self) -> None:
        with self._threads, self._explained():
            self._held.clear()
            if self._alive.is_locked:
                with self._mutex:
                    self._list.unlink(missing_ok=True)
                    self._alive.release()
                    Path(self._alive.lock_file).unlink(missing_ok=True)

    def _of_others(self) -> set[str]:
        """What other runs hold; what the dead left behind is removed."""
        names: set[str] = set()
        for file in self._folder.glob("*.json"):
            if file == self._list:
                continue
            lock = FileLock(file.with_suffix(".lock"), thread_local=False)
            try:
                with lock.acquire(timeout=0):
                    file.unlink(missing_ok=True)
                Path(lock.lock_file).unlink(missing_ok=True)
            except Timeout:
                names.update(json.loads(file.read_text(encoding="utf-8")))
        return names

    def _write(self) -> None:
        # Under another name first: a kill must not leave half of it.
        whole = self._list.with_suffix(".new")
        whole.write_text(json.dumps(sorted(self._held)), encoding="utf-8")
        os.replace(whole, self._list)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, NotImplementedError) as error:
            raise WarehouseError(
                f"{self._folder} cannot be written to ({getattr(error, 'strerror', None) or error}); correct that, or set "
                "PRPIPELINE_DATA_DIR to a folder that can."
            ) from None
