"""What conditional requests remember: an address's ETag, and what its answer came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from prpipeline.model.answers import Probe


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


class RememberedProbes:
    """By repository, the ETag of its newest pull requests with the probe that the answer came to.

    No 304 is believed that stands for an older state than GitHub showed since, in this run or an earlier one: a cache
    in between may not know of a change.
    """

    def __init__(self, etags: Etags, address: str) -> None:
        self._etags = etags
        self._address = address
        self._seen: dict[int, datetime] = {}  # by repository_id, the newest update that any answer showed

    def get(self, repository_id: int) -> tuple[str | None, Probe | None]:
        """What to ask with, and what a 304 then stands for; neither where nothing is remembered that is to be believed."""
        etag, probe = self._remembered(repository_id)
        if probe and _newest(probe) < self._seen.get(repository_id, datetime.min):
            return None, None
        return etag, probe

    def put(self, repository_id: int, etag: str, probe: Probe) -> None:
        """Remember both."""
        self._etags.put(self._key(repository_id), etag, msgspec.json.encode(probe).decode())

    def saw(self, repository_id: int, updates: Iterable[datetime]) -> None:
        """GitHub showed pull requests of the repository that were updated then."""
        newest = max(updates, default=datetime.min)
        if newest <= self._seen.get(repository_id, datetime.min):
            return
        self._seen[repository_id] = newest
        _, probe = self._remembered(repository_id)
        if probe and _newest(probe) < newest:
            self._etags.put(self._key(repository_id), "", "")  # for later runs

    def _key(self, repository_id: int) -> str:
        return f"{self._address}/repositories/{repository_id}/pulls?newest"

    def _remembered(self, repository_id: int) -> tuple[str | None, Probe | None]:
        """Neither where another version left something else."""
        etag, value = self._etags.get(self._key(repository_id)) or (None, "")
        try:
            return (etag, msgspec.json.decode(value, type=Probe)) if etag else (None, None)
        except msgspec.DecodeError:
            return None, None


def _newest(probe: Probe) -> datetime:
    return max((head.updated_at for head in probe.heads), default=datetime.min)
