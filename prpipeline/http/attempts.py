"""The budget of requests for a query, shared by all layers that may reject its answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

from prpipeline.model.failures import ApiFailure, MalformedAnswer


class Unsettled(Exception):
    """Parts of one thing that do not fit together, because it changed while it was read: read it again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One of the requests that a query may cost."""

    number: int  # 1 for the first
    most: int
    failure: ApiFailure | None = None  # of the attempt before

    @property
    def is_last(self) -> bool:
        return self.number >= self.most


class Attempts:
    """How many requests were sent for each query while one thing is read; never more than ``most`` for any."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.failure: ApiFailure | None = None  # why the whole is being read again
        self._sent = Counter[Hashable]()

    def next(self, query: Hashable, failure: ApiFailure | None = None) -> Attempt:
        """Count one more request for a query. Raises ``failure``, or why the whole is read again, if none is left."""
        if self._sent[query] >= self.most:
            raise failure or self.failure or MalformedAnswer("The answers never fit together.")
        self._sent[query] += 1
        return Attempt(self._sent[query], self.most, failure)

    def sent(self, query: Hashable) -> int:
        return self._sent[query]

    def count(self, query: Hashable, requests: int) -> None:
        """Requests that this query shares with others and that are not counted here yet."""
        self._sent[query] += requests

    @property
    def are_used_up(self) -> bool:
        """Whether some query may not be sent again, so that the whole cannot be read again."""
        return max(self._sent.values(), default=0) >= self.most
