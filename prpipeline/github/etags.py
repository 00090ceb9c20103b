"""What conditional requests remember: an address's ETag, and what its answer came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Etags(Protocol):
    """ETags belong to a credential; one that another credential left only costs a full answer."""

    def get(self, key: str) -> tuple[str, str] | None:
        """The ETag and the value put under a key."""

    def put(self, key: str, etag: str, value: str) -> None:
        """Remember both."""


class MemoryEtags:
    """As long as the process lives; ``fresh`` is what was put, to be kept longer."""

    def __init__(self, known: Mapping[str, tuple[str, str]] | None = None) -> None:
        self.fresh: dict[str, tuple[str, str]] = {}
        self._known = known or {}

    def get(self, key: str) -> tuple[str, str] | None:
        return self.fresh.get(key) or self._known.get(key)

    def put(self, key: str, etag: str, value: str) -> None:
        self.fresh[key] = (etag, value)
