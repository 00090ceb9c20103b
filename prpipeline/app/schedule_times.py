"""When the schedules are due: as cron lines for Dagster, and as times for people. Imports no Dagster, so that status is quick."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from prpipeline.settings import WEEKDAYS, ScheduleSettings


def daily_cron(schedule: ScheduleSettings) -> str:
    """The daily sync as a cron line, in the schedule's time zone."""
    return f"{schedule.time.minute} {schedule.time.hour} * * *"


def weekly_cron(schedule: ScheduleSettings) -> str:
    """The weekly reconciliation as a cron line, in the schedule's time zone."""
    weekday = (WEEKDAYS.index(schedule.reconcile_day) + 1) % 7  # cron's week starts on Sunday
    return f"{schedule.reconcile_time.minute} {schedule.reconcile_time.hour} * * {weekday}"


def next_runs(schedule: ScheduleSettings, now: datetime) -> dict[str, datetime]:
    """When each schedule that is on comes next after ``now`` (with a zone), in UTC, by the schedule's name."""
    zone = ZoneInfo(schedule.timezone)
    found = {}
    if schedule.enabled:
        found["daily_sync"] = _next(daily_cron(schedule), zone, now)
    if schedule.reconcile:
        found["weekly_reconcile"] = _next(weekly_cron(schedule), zone, now)
    return found


def next_run(schedule: ScheduleSettings, now: datetime) -> datetime | None:
    """When the next of all schedules comes, in UTC; None where all are off."""
    return min(next_runs(schedule, now).values(), default=None)


def sync_period(schedule: ScheduleSettings) -> timedelta | None:
    """How often every repository is synced; None where no schedule is on."""
    if schedule.enabled:
        return timedelta(days=1)
    return timedelta(days=7) if schedule.reconcile else None


def _next(cron: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The first run after ``now``; of a time that a clock change repeats, the second, as Dagster has it."""
    # cronsim takes the first of the two, so it starts a day early: the second may lie between the first and now.
    runs = CronSim(cron, (now - timedelta(days=1)).astimezone(zone))
    return next(moment for run in runs if (moment := run.replace(fold=1).astimezone(UTC)) > now)
