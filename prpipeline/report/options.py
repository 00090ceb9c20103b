"""What the repositories file says that the published file does not hold."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prpipeline.model.sql import Connection
from prpipeline.report.queries import rows
from prpipeline.settings import Targets

_TOLERANCE = 18.001  # seconds: published hours are rounded to 2 decimals


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The time zone of weekdays and hours, the calendar's working time, and the targets."""

    zone: str = "UTC"
    working_time: Sequence[tuple[int, int]] = ()
    """Intervals in seconds since 1970, UTC, in order, without overlap. Without any, nothing is said in business hours."""
    targets: Targets = field(default_factory=Targets)


DEFAULTS = ReportOptions()


def working_time(
    connection: Connection, options: ReportOptions, as_of: datetime
) -> Sequence[tuple[int, int]]:
    """The part of the calendar that the published pull requests need, up to four weeks after ``as_of``.

    None of it where the published business hours were counted by another calendar: the page's would contradict them.
    """
    intervals = options.working_time
    starts = [start for start, _ in intervals]
    worked = [0]
    for start, end in intervals:
        worked.append(worked[-1] + end - start)

    def until(second: int) -> int:
        place = bisect_right(starts, second)
        if place == 0:
            return 0
        start, end = intervals[place - 1]
        return worked[place - 1] + min(second, end) - start

    (first,) = rows(connection, "first_moment")
    if not intervals or first["created"] is None:
        return ()
    for row in rows(connection, "business_hours"):
        seconds = until(row["reviewed"]) - until(row["created"])
        if abs(row["hours"] * 3600 - seconds) > _TOLERANCE:
            return ()
    last = (as_of - datetime(1970, 1, 1)).total_seconds() + 28 * 86_400
    return [interval for interval in intervals if interval[1] > first["created"] and interval[0] < last]
