"""The working hours of a calendar as numbers that SQL can subtract.

Zones, daylight saving and holidays are resolved here, once per working day; the SQL sees UTC seconds only.
Which spans are counted is not decided here: see review_time_hours.sql.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from prpipeline.settings import WEEKDAYS, Calendar

HALF_DAY_SECONDS = 43_200

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EMPTY = (0, 0)


class Interval(Struct, frozen=True):
    """Working time from one second (UTC, since 1970) up to, not including, another."""

    start: int
    end: int


class HalfDays(Struct, frozen=True):
    """One row per half day of UTC, column by column as the SQL binds them.

    Half days, because working days start at least some 23 hours apart: so no half day holds parts of more
    than two of them, in any zone.
    """

    half_day: list[int] = field(default_factory=list)
    worked_before: list[int] = field(default_factory=list)
    first_start: list[int] = field(default_factory=list)
    first_length: list[int] = field(default_factory=list)
    second_start: list[int] = field(default_factory=list)
    second_length: list[int] = field(default_factory=list)


def working_intervals(calendar: Calendar, first_year: int, last_year: int) -> Iterator[Interval]:
    """The working interval of each working day of these years, in order.

    It runs from when the local clock first shows the start until it last shows the end. Where the clock leaps over one
    of them, it is the moment of the leap.
    """
    zone = ZoneInfo(calendar.timezone)
    days = {WEEKDAYS.index(day) for day in calendar.days}
    holidays = frozenset(calendar.holidays)
    day = dt.date(first_year, 1, 1)
    while day.year <= last_year:
        if day.weekday() in days and day not in holidays:
            start = dt.datetime.combine(day, calendar.start, zone)
            end = dt.datetime.combine(day, calendar.end, zone).replace(fold=1)
            if calendar.end == dt.time(0):  # at the end of the day: where the next one begins
                end = dt.datetime.combine(day + dt.timedelta(days=1), calendar.end, zone)
            interval = Interval(_shown(start), _shown(end))
            if interval.start < interval.end:
                yield interval
        day += dt.timedelta(days=1)


@lru_cache(maxsize=8)
def half_days(calendar: Calendar, first_year: int, last_year: int) -> HalfDays:
    """Working seconds up to each half day of these years, and the working time within it."""
    parts: dict[int, list[tuple[int, int]]] = {}
    for interval in working_intervals(calendar, first_year, last_year):
        start = interval.start
        while start < interval.end:
            half_day = start // HALF_DAY_SECONDS
            end = min(interval.end, (half_day + 1) * HALF_DAY_SECONDS)
            parts.setdefault(half_day, []).append((start, end - start))
            start = end
    table = HalfDays()
    worked = 0
    # A day more on either side: the years are the zone's, the half days are UTC's.
    first = _seconds(dt.datetime(first_year, 1, 1, tzinfo=dt.UTC)) // HALF_DAY_SECONDS - 2
    last = _seconds(dt.datetime(last_year, 12, 31, tzinfo=dt.UTC)) // HALF_DAY_SECONDS + 3
    for half_day in range(first, last + 1):
        one, two = [*parts.get(half_day, ()), _EMPTY, _EMPTY][:2]
        table.half_day.append(half_day)
        table.worked_before.append(worked)
        table.first_start.append(one[0])
        table.first_length.append(one[1])
        table.second_start.append(two[0])
        table.second_length.append(two[1])
        worked += one[1] + two[1]
    return table


def _shown(wall: dt.datetime) -> int:
    """When the clock of its zone shows this; for a time that the clock leaps over, the moment of the leap."""
    first, last = (_seconds(wall.replace(fold=fold)) for fold in (0, 1))
    if first <= last:
        return last if wall.fold else first
    # By the old offset it is after the leap, by the new one before it.
    return bisect_left(
        range(first),
        wall.replace(tzinfo=None),
        lo=last,
        key=lambda second: dt.datetime.fromtimestamp(second, wall.tzinfo).replace(tzinfo=None),
    )


def _seconds(moment: dt.datetime) -> int:
    return int((moment - _EPOCH).total_seconds())
