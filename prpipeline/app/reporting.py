"""The report of what is published: where it is, and what it takes from the settings, which the published file lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from prpipeline.metrics.calendar import working_intervals
from prpipeline.publish.reader import open_published
from prpipeline.report import FILE_NAME, EarlierVersionError, ReportInfo, ReportOptions, write_report
from prpipeline.settings import Calendar, Settings
from prpipeline.warehouse import WarehouseError

_FIRST_YEAR = 2008  # GitHub's own


def report_path(settings: Settings) -> Path:
    """Where it is: beside the published file."""
    return settings.published_path.with_name(FILE_NAME)


def report(settings: Settings) -> ReportInfo:
    """Write the report of what is published, beside it. Raises WarehouseError."""
    target = report_path(settings)
    with open_published(settings.published_path) as connection:
        try:
            return write_report(connection, target, _options(settings))
        except OSError as error:
            raise WarehouseError(
                f"The report cannot be written to {target.parent}: {error.strerror or error}."
            ) from None
        except EarlierVersionError:
            raise WarehouseError(
                "The file was published by an earlier version; run 'prpipeline sync' first, which publishes it anew."
            ) from None


def _options(settings: Settings) -> ReportOptions:
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
