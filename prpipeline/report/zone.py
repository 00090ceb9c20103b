"""The UTC offsets of a time zone. Python resolves them, because DuckDB needs an extension for time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_STEP = timedelta(minutes=30)  # no change of offset in between


def clock(zone: str, first: datetime, last: datetime) -> dict[str, list[datetime] | list[timedelta]]:
    """How far the zone is ahead of UTC (``ahead``) from which time on (``since``), from ``first`` to ``last``, UTC."""
    place = ZoneInfo(zone)
    since: list[datetime] = []
    ahead: list[timedelta] = []
    moment = first.replace(minute=0, second=0, microsecond=0)
    while moment <= last:
        offset = moment.replace(tzinfo=UTC).astimezone(place).utcoffset() or timedelta()
        if not ahead or offset != ahead[-1]:
            since.append(moment)
            ahead.append(offset)
        moment += _STEP
    return {"since": since, "ahead": ahead}
