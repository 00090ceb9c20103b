"""The UTC offsets of a time zone. Python resolves them, because DuckDB needs an extension for time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_STEP = timedelta(minutes=30)  # no change of offset in between


def clock(zone: str, first: datetime, last: datetime) -> list[tuple[datetime, timedelta]]:
    """From which time on, UTC, the zone is how far ahead of UTC, from ``first`` to ``last``."""
    place = ZoneInfo(zone)
    changes: list[tuple[datetime, timedelta]] = []
    moment = first.replace(minute=0, second=0, microsecond=0)
    while moment <= last:
        offset = moment.replace(tzinfo=UTC).astimezone(place).utcoffset() or timedelta()
        if not changes or offset != changes[-1][1]:
            changes.append((moment, offset))
        moment += _STEP
    return changes
