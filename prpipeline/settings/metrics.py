"""The metrics' settings: bots, working hours, sizes, prefixes of tickets."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from msgspec import Meta

from prpipeline.settings.section import ClockTime, DayEnd, Section, Weekday, check_zone

Lines = Annotated[int, Meta(ge=1, le=1_000_000_000)]


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


class SizeLimits(Section, frozen=True, kw_only=True, rename="upper"):
    """A pull request is of a size if it adds and deletes fewer lines than this; what is of none is XL."""

    xs: Lines = 10
    s: Lines = 50
    m: Lines = 250
    l: Lines = 1000  # noqa: E741

    def __post_init__(self) -> None:
        if not self.xs < self.s < self.m < self.l:
            raise ValueError("the limits must rise from XS to L")

    @property
    def values(self) -> tuple[int, int, int, int]:
        return self.xs, self.s, self.m, self.l


class MetricSettings(Section, frozen=True, kw_only=True):
    """A change rebuilds the metrics from the raw tables, without a request."""

    bots: tuple[str, ...] = ()
    exclude_bots: bool = True
    exclude_self: bool = True
    calendar: Calendar = Calendar()
    size_limits: SizeLimits = SizeLimits()
    ticket_prefixes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for prefix in self.ticket_prefixes:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,254}", prefix):
                raise ValueError(
                    f"ticket_prefixes: {prefix!r} begins no key of a ticket; write ABC for ABC-123"
                )
