"""What conditional requests remember: an address's ETag, and what its answer came to."""

from __future__ import annotations

from typing import Protocol


class Etags(Protocol):
    """A store; ETags are a credential's own, one that another left only costs a full answer."""

    def get(self, key: str) -> tuple[str, str] | None:
        """The ETag and the value put under a key."""

    def put(self, key: str, etag: str, value: str) -> None:
        """Remember both."""


class MemoryEtags:
    """As long as the process lives."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def get(self, key: str) -> tuple[str, str] | None:
        return self._known.get(key)

    def put(self, key: str, etag: str, value: str) -> None:
        self._known[key] = (etag, value)
