"""The UTC offsets of a time zone. Python resolves them, because DuckDB needs an extension for time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_STEP = timedelta(minutes=30)  # no change of offset in between
_DAY = timedelta(days=1)  # no two changes in between


def clock(zone: str, first: datetime, last: datetime) -> list[tuple[datetime, timedelta]]:
    """From which time on, UTC, the zone is how far ahead of UTC, from ``first`` to ``last``."""
    place = ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta:
        return moment.replace(tzinfo=UTC).astimezone(place).utcoffset() or timedelta()

    moment = first.replace(minute=0, second=0, microsecond=0)
    end = moment + (last - moment) // _STEP * _STEP
    changes = [(moment, offset(moment))]
    while moment < end:
        day_after = min(moment + _DAY, end)
        is_same = offset(day_after) == changes[-1][1]
        while not is_same and (moment := moment + _STEP) <= day_after:
            if offset(moment) != changes[-1][1]:
                changes.append((moment, offset(moment)))
        moment = day_after
    return changes
