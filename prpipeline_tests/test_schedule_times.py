"""People and Dagster agree on when the next run comes, in any zone, when the clocks change too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from hypothesis import given, settings
from hypothesis import strategies as st

from prpipeline.app.schedule_times import daily_cron, next_run, next_runs, sync_period, weekly_cron
from prpipeline.settings import WEEKDAYS, ClockTime, ScheduleSettings
from prpipeline.settings.load import Weekday

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


@settings(max_examples=150, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    st.builds(ClockTime, st.integers(0, 23), st.integers(0, 59)),
    st.sampled_from(ZONES),
    st.sampled_from(WEEKDAYS),
)
def test_dagster_agrees(now: datetime, at: ClockTime, zone: str, day: Weekday) -> None:
    schedule = ScheduleSettings(time=at, reconcile_time=at, timezone=zone, reconcile_day=day)
    found = next_runs(schedule, now)
    for name, cron in (("daily_sync", daily_cron(schedule)), ("weekly_reconcile", weekly_cron(schedule))):
        times = schedule_execution_time_iterator(now.timestamp(), cron, zone, ascending=True)
        assert found[name] == next(time for time in times if time > now)


@pytest.mark.parametrize(
    ("schedule", "names", "period"),
    [
        (ScheduleSettings(), {"daily_sync", "weekly_reconcile"}, timedelta(days=1)),
        (ScheduleSettings(enabled=False), {"weekly_reconcile"}, timedelta(days=7)),
        (ScheduleSettings(enabled=False, reconcile=False), set(), None),
    ],
)
def test_what_is_off_does_not_come(
    schedule: ScheduleSettings, names: set[str], period: timedelta | None
) -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert next_runs(schedule, now).keys() == names
    assert sync_period(schedule) == period
    assert (next_run(schedule, now) is None) == (not names)
