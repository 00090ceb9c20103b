"""What the clocks of a time zone show. Resolved here, because DuckDB needs an extension to know zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_STEP = timedelta(minutes=30)  # no clock has been put forward or back between


def clock(zone: str, first: datetime, last: datetime) -> dict[str, list[datetime] | list[timedelta]]:
    """How far ahead of UTC (``ahead``) the zone's clocks are from when on (``since``), from ``first`` to ``last``, UTC."""
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
