"""When the schedules are due: as cron lines for Dagster, and as times for people. Imports no Dagster, so that status is quick."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from prpipeline.settings import WEEKDAYS, ScheduleSettings


def daily_cron(schedule: ScheduleSettings) -> str:
    return f"{schedule.time.minute} {schedule.time.hour} * * *"


def weekly_cron(schedule: ScheduleSettings) -> str:
    weekday = (WEEKDAYS.index(schedule.reconcile_day) + 1) % 7  # cron's week starts on Sunday
    return f"{schedule.reconcile_time.minute} {schedule.reconcile_time.hour} * * {weekday}"


def next_runs(schedule: ScheduleSettings, now: datetime) -> dict[str, datetime]:
    """When each schedule that is on comes next after ``now`` (with a zone), in UTC, by the schedule's name."""
    zone = ZoneInfo(schedule.timezone)
    found = {}
    if schedule.enabled:
        found["daily_sync"] = _next(schedule.time, zone, now, set(range(7)))
    if schedule.reconcile:
        found["weekly_reconcile"] = _next(
            schedule.reconcile_time, zone, now, {WEEKDAYS.index(schedule.reconcile_day)}
        )
    return found


def next_run(schedule: ScheduleSettings, now: datetime) -> datetime | None:
    """When the next of all schedules comes, in UTC; None where all are off."""
    return min(next_runs(schedule, now).values(), default=None)


def sync_period(schedule: ScheduleSettings) -> timedelta | None:
    """How often every repository is synced; None where no schedule is on."""
    if schedule.enabled:
        return timedelta(days=1)
    return timedelta(days=7) if schedule.reconcile else None


def _next(at: time, zone: ZoneInfo, now: datetime, weekdays: set[int]) -> datetime:
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=n) for n in range(-1, 9))
    return next(
        moment for day in days if day.weekday() in weekdays and (moment := _moment(day, at, zone)) > now
    )


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A clock time as a moment: what the clock skips comes when it goes on, what it repeats comes the last time."""
    local = datetime.combine(day, at, zone)
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return second if first <= second else _gap_end(first, zone)


def _gap_end(after: datetime, zone: ZoneInfo) -> datetime:
    """When the clock went on after the gap that ``after`` lies behind."""
    offset, minute = after.astimezone(zone).utcoffset(), timedelta(minutes=1)
    while (after - minute).astimezone(zone).utcoffset() == offset:
        after -= minute
    return after
