"""What asking costs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Usage:
    """What was spent so far."""

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
