"""What the report needs of the settings, which the published file does not hold."""

from __future__ import annotations

from datetime import UTC, datetime

from prpipeline.metrics.calendar import working_intervals
from prpipeline.report import ReportOptions
from prpipeline.settings import Settings

_FIRST_YEAR = 2008  # GitHub's own


def report_options(settings: Settings) -> ReportOptions:
    """The calendar's time zone and working time, and the targets."""
    calendar = settings.metrics.calendar
    intervals = working_intervals(calendar, _FIRST_YEAR - 1, datetime.now(UTC).year + 1)
    return ReportOptions(
        zone=calendar.timezone,
        working_time=[(interval.start, interval.end) for interval in intervals],
        targets=settings.file.targets,
    )
