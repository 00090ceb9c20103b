"""Pages of a history that came from GitHub and are not in the warehouse yet: whoever is killed finds them again.

While one page is written the next one comes; without these files a kill would cost both. They are for the walk that
left them, never for a new one, and need not be durable: what is lost is asked for again. What is in them, the reader tells.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from pathlib import Path

from prpipeline.warehouse.tracking import Tracked

_FOLDER = ".pages"
_DAYS = 30  # by then it is left by something that is no longer tracked


class KeptPages:
    """Those of one repository's walk, in a hidden folder beside the warehouse; each is named by the cursor before it."""

    def __init__(self, warehouse: Path, tracked: Tracked) -> None:
        self._folder = warehouse.parent / _FOLDER
        self._walk = _hash(f"{tracked.tracked_as} {tracked.tracked_at}".encode())

    def get(self, after: str | None) -> bytes | None:
        """What was put there, if it is whole and as it was."""
        try:
            sum_before, _, page = self._file(after).read_bytes().partition(b"\n")
        except OSError:
            return None
        return page if sum_before == _hash(page).encode() else None

    def put(self, after: str | None, page: bytes) -> None:
        # On a full disk it is the warehouse that has to say so.
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            self._file(after).write_bytes(_hash(page).encode() + b"\n" + page)

    def drop(self, after: str | None) -> None:
        """It is in the warehouse."""
        with suppress(OSError):
            self._file(after).unlink()

    def clear(self) -> None:
        """The walk is over, or a new one begins."""
        long_ago = time.time() - _DAYS * 86_400
        with suppress(OSError):
            for file in self._folder.glob("*.json"):
                if file.name.startswith(self._walk) or file.stat().st_mtime < long_ago:
                    file.unlink()
            self._folder.rmdir()  # not where there are others'

    def _file(self, after: str | None) -> Path:
        return self._folder / f"{self._walk}-{_hash((after or '').encode())}.json"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:24]
