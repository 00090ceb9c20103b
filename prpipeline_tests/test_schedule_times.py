"""Our next run times equal Dagster's in any time zone, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from hypothesis import given, settings
from hypothesis import strategies as st

from prpipeline.app.schedule_times import daily_cron, next_run, next_runs, sync_period, weekly_cron
from prpipeline.settings import WEEKDAYS, ClockTime, ScheduleSettings, Weekday

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


@settings(max_examples=150, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    st.builds(ClockTime, st.integers(0, 23), st.integers(0, 59)),
    st.sampled_from(ZONES),
    st.sampled_from(WEEKDAYS),
)
def test_dagster_agrees(now: datetime, at: time, zone: str, day: Weekday) -> None:
    assert_dagster_agrees(now, at, zone, day)


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),  # 02:00 to 03:00 is skipped
        ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),  # 02:00 to 03:00 comes twice
        ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),  # by half an hour
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ],
)
def test_dagster_agrees_when_the_clock_changes(zone: str, change: datetime) -> None:
    for minutes in range(-180, 181, 20):
        now = change + timedelta(minutes=minutes)
        for at in (time(1), time(1, 45), time(2), time(2, 15), time(3)):
            assert_dagster_agrees(now, at, zone, "sunday")


def assert_dagster_agrees(now: datetime, at: time, zone: str, day: Weekday) -> None:
    clock = ClockTime(at.hour, at.minute)
    schedule = ScheduleSettings(time=clock, reconcile_time=clock, timezone=zone, reconcile_day=day)
    found = next_runs(schedule, now)
    for name, cron in (("daily_sync", daily_cron(schedule)), ("weekly_reconcile", weekly_cron(schedule))):
        times = schedule_execution_time_iterator(now.timestamp(), cron, zone, ascending=True)
        # In UTC: a time that comes twice equals none of another zone.
        assert found[name] == next(moment for moment in times if moment > now).astimezone(UTC)


@pytest.mark.parametrize(
    ("switches", "names", "period"),
    [
        ({}, {"daily_sync", "weekly_reconcile"}, timedelta(days=1)),
        ({"enabled": False}, {"weekly_reconcile"}, timedelta(days=7)),
        ({"enabled": False, "reconcile": False}, set(), None),
    ],
)
def test_disabled_schedules_have_no_next_run(
    switches: dict[str, Any], names: set[str], period: timedelta | None
) -> None:
    schedule = ScheduleSettings(**switches)
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert next_runs(schedule, now).keys() == names
    assert sync_period(schedule) == period
    assert (next_run(schedule, now) is None) == (not names)
