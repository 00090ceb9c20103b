"""What is the same cause tomorrow, and what a stranger's words cannot do in a message."""

from __future__ import annotations

from datetime import datetime

import pytest

from prpipeline.alerts.conditions import cause_of
from prpipeline.alerts.periods import is_due, period
from prpipeline.alerts.text import plain
from prpipeline.model.failures import FailureKind
from prpipeline.settings import ClockTime, DigestSettings


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        (("GitHub answered 502.", "Overloaded"), ("No answer came.", "NetworkTrouble"), True),
        (("Until 12:40.", "LimitReached"), ("No reason.", "UnexplainedRefusal"), True),
        (("GitHub answered 502.", "Overloaded"), ("Until 12:40.", "LimitReached"), False),
        (("Refused, id 4711.", "AccessDenied"), ("Refused, id 815.", "AccessDenied"), True),
        (("It lacks “contents”.", "AccessDenied"), ("Single sign-on.", "AccessDenied"), False),
        (("From before kinds were recorded, 1.", None), ("From before kinds were recorded, 2.", None), True),
    ],
)
def test_the_same_cause(
    one: tuple[str, FailureKind | None], other: tuple[str, FailureKind | None], are_same: bool
) -> None:
    assert (cause_of(*one) == cause_of(*other)) is are_same


def test_a_title_calls_nobody_and_breaks_no_line() -> None:
    assert plain("Ask @everyone\nand @Here, ann@example.com\x1b[1m") == (
        "Ask @\u200beveryone and @\u200bHere, ann@example.com [1m"
    )


@pytest.mark.parametrize(
    ("moment", "days_due", "week"),
    [  # Berlin is an hour ahead of UTC, the week starts on Monday the 23rd
        ("2026-11-22T23:30+00:00", False, "week of 2026-11-23"),
        ("2026-11-24T07:59+00:00", False, "week of 2026-11-23"),
        ("2026-11-24T08:00+00:00", True, "week of 2026-11-23"),
        ("2026-11-29T22:59+00:00", True, "week of 2026-11-23"),
        ("2026-11-29T23:00+00:00", False, "week of 2026-11-30"),
    ],
)
def test_a_weekly_digest_is_due_from_its_time_to_the_end_of_the_week(
    moment: str, days_due: bool, week: str
) -> None:
    settings = DigestSettings(every="week", weekday="tuesday", time=ClockTime(9), timezone="Europe/Berlin")
    assert is_due(settings, datetime.fromisoformat(moment)) is days_due
    assert period(settings, datetime.fromisoformat(moment)) == week


def test_a_daily_digest_is_due_once_a_day() -> None:
    settings = DigestSettings(every="day", time=ClockTime(9), timezone="UTC")
    assert not is_due(settings, datetime.fromisoformat("2026-11-24T08:59+00:00"))
    assert is_due(settings, datetime.fromisoformat("2026-11-24T09:00+00:00"))
    assert period(settings, datetime.fromisoformat("2026-11-24T09:00+00:00")) == "2026-11-24"
    assert not is_due(DigestSettings(every="never"), datetime.fromisoformat("2026-11-24T09:00+00:00"))
