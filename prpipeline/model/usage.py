"""The cost of requests, and how much an API allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil

_WINDOW_SECONDS = 3600.0  # allowances are hourly


@dataclass
class Usage:
    """The cost so far."""

    requests: int = 0
    points: int = 0
    waited_seconds: float = 0.0

    def copy(self) -> Usage:
        return Usage(self.requests, self.points, self.waited_seconds)

    def plus(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.points + other.points,
            self.waited_seconds + other.waited_seconds,
        )

    def since(self, earlier: Usage) -> Usage:
        return Usage(
            self.requests - earlier.requests,
            self.points - earlier.points,
            self.waited_seconds - earlier.waited_seconds,
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimated cost; ``seconds`` excludes waiting for allowances."""

    requests: int
    points: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """A credential's hourly allowance for one resource, such as GitHub's graphql (points) or core (requests)."""

    resource: str
    limit: int
    remaining: int
    resets_at: datetime  # the server's clock, naive UTC
    read_at: datetime  # the same clock, when the server gave this allowance
    reserve_percent: int = 0

    @property
    def spare(self) -> int:
        """How much may be spent until the reset: all but the reserve, which is left to other programs."""
        return max(0, self.remaining - self._reserve)

    def seconds_for(self, points: int) -> float:
        """The seconds until so many points are allowed."""
        missing = points - self.spare
        if missing <= 0:
            return 0.0
        until_reset = max(0.0, (self.resets_at - self.read_at).total_seconds())
        a_window = max(1, self.limit - self._reserve)
        return until_reset + (ceil(missing / a_window) - 1) * _WINDOW_SECONDS

    @property
    def _reserve(self) -> int:
        return self.limit * self.reserve_percent // 100
