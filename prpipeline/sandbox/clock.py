"""The sandbox's clock: every timestamp, rate limit window and Date header comes from here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> datetime:
        """The current time in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The time it was last moved to."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move on by a duration and return the new time."""
        self._now += by
        return self._now

    def set(self, to: datetime) -> None:
        """Jump to a point in time."""
        self._now = to.astimezone(UTC)


def whole_second(moment: datetime) -> datetime:
    """The moment as GitHub stores it: UTC, without fractions of a second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def iso(moment: datetime | None) -> str | None:
    """The moment as GitHub prints it."""
    return None if moment is None else moment.isoformat()[:19] + "Z"
