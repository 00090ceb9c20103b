"""What conditional requests remember: an address's ETag, and what its answer came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Etags(Protocol):
    """A store; ETags are a credential's own, one that another left only costs a full answer."""

    def get(self, key: str) -> tuple[str, str] | None:
        """The ETag and the value put under a key."""

    def put(self, key: str, etag: str, value: str) -> None:
        """Remember both."""

    def forget(self, key: str) -> None:
        """Remember nothing under a key."""


class MemoryEtags:
    """As long as the process lives; ``fresh`` is what differs from ``known``, to be kept longer (None: forgotten)."""

    def __init__(self, known: Mapping[str, tuple[str, str]] | None = None) -> None:
        self.fresh: dict[str, tuple[str, str] | None] = {}
        self._known = known or {}

    def get(self, key: str) -> tuple[str, str] | None:
        return self.fresh[key] if key in self.fresh else self._known.get(key)

    def put(self, key: str, etag: str, value: str) -> None:
        self.fresh[key] = (etag, value)

    def forget(self, key: str) -> None:
        if self.get(key):
            self.fresh[key] = None
