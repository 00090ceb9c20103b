"""When Dagster syncs and reconciles, and how long it keeps its records of runs."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from prpipeline.settings.section import ClockTime, Section, Weekday, check_zone


class ScheduleSettings(Section, frozen=True, kw_only=True):
    """The daily sync and the weekly reconciliation, in a time zone."""

    enabled: bool = True
    time: ClockTime = ClockTime(3, 15)
    timezone: str = "UTC"
    reconcile: bool = True
    reconcile_day: Weekday = "sunday"
    reconcile_time: ClockTime = ClockTime(5, 15)
    keep_runs_days: Annotated[int, Meta(ge=1, le=36_500)] = 90

    def __post_init__(self) -> None:
        check_zone(self.timezone)
