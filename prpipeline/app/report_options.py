"""What the report needs of the settings, which the published file does not hold."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from prpipeline.metrics.calendar import working_intervals
from prpipeline.report import ReportOptions
from prpipeline.settings import Calendar, Settings

_FIRST_YEAR = 2008  # GitHub's own


def report_options(settings: Settings) -> ReportOptions:
    """The calendar's time zone and working time, and the targets."""
    calendar = settings.metrics.calendar
    return ReportOptions(
        zone=calendar.timezone,
        working_time=_working_time(calendar, datetime.now(UTC).year + 1),
        targets=settings.file.targets,
    )


@lru_cache(maxsize=8)
def _working_time(calendar: Calendar, last_year: int) -> tuple[tuple[int, int], ...]:
    intervals = working_intervals(calendar, _FIRST_YEAR - 1, last_year)
    return tuple((interval.start, interval.end) for interval in intervals)
