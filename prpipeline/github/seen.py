"""What a pull request was when GitHub gave it its ETags: what a 304 stands for the next time.

The records themselves are kept, not that they were stored: whatever became of the run that read them, a 304
brings back what its answer came to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from prpipeline.model.pull_requests import PullRequest, Review, ReviewEvent

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """An answer, or one page of a list."""

    etag: str | None
    content: T
    may_go_on: bool = False  # a page that was full: it stays as it is when a next one comes


@dataclass(frozen=True, slots=True)
class SeenPullRequest:
    """A pull request and the pages of its reviews and events, as one credential sees them."""

    owner: str
    body: Seen[PullRequest]
    reviews: tuple[Seen[tuple[Review, ...]], ...]
    events: tuple[Seen[tuple[ReviewEvent, ...]], ...]

    def dump(self) -> str:
        """As JSON."""
        return msgspec.json.encode(self).decode()


def load(value: str, owner: str) -> SeenPullRequest | None:
    """What ``dump`` gave; None if it is somebody else's, or nothing that this version would have left."""
    try:
        seen = msgspec.json.decode(value, type=SeenPullRequest)
    except msgspec.DecodeError:
        return None
    return seen if seen.owner == owner else None
