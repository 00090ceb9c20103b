"""The metrics' settings: bots and working hours."""

from __future__ import annotations

import datetime as dt

from prpipeline.settings.section import ClockTime, DayEnd, Section, Weekday, check_zone


class Calendar(Section, frozen=True, kw_only=True):
    """The working hours that business-hour columns count."""

    timezone: str = "UTC"
    days: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday")
    start: ClockTime = ClockTime(9)
    end: DayEnd = DayEnd(17)
    holidays: tuple[dt.date, ...] = ()

    def __post_init__(self) -> None:
        check_zone(self.timezone)
        if self.start >= self.end != DayEnd(0):
            raise ValueError("the working day must start before it ends")


class MetricSettings(Section, frozen=True, kw_only=True):
    """A change rebuilds the metrics from the raw tables, without a request."""

    bots: tuple[str, ...] = ()
    exclude_bots: bool = True
    exclude_self: bool = True
    calendar: Calendar = Calendar()
