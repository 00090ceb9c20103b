"""Random histories: the SQL agrees with the definitions in plain Python."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prpipeline.metrics.calendar import working_intervals
from prpipeline.metrics.checks import all_checks
from prpipeline.settings import WEEKDAYS, Calendar, ClockTime, DayEnd, MetricSettings
from prpipeline_tests.support import reference
from prpipeline_tests.support import reference_aggregates as aggregates
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.reference import History, Person, Review

START = datetime(2026, 3, 27, 8, 0)
PEOPLE = [
    Person(1, "ann"),
    Person(2, "bob"),
    Person(3, "cat"),
    Person(4, "robot[bot]", True),
    Person(5, "CI-Runner"),
    Person(6, "helper[BOT]"),
    Person(1, "annabel"),
    Person(None, None),
]

# Few different seconds, so that ties are common; multiples of half a hundredth of an hour, to test rounding.
moments = st.integers(0, 60).map(lambda n: START + timedelta(seconds=n * 1278))
people = st.sampled_from(PEOPLE)
states = st.sampled_from(["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"])
reviews = st.builds(
    lambda by, state, at, was, has_text: Review(
        0, by, state, at, was if state == "DISMISSED" else None, has_text
    ),
    people,
    states,
    moments,
    st.sampled_from(["APPROVED", "CHANGES_REQUESTED", "COMMENTED", None]),
    st.sampled_from([True, True, False, False, False, None]),
)
requests = st.tuples(
    moments,
    st.sampled_from(["review_requested", "review_requested", "review_request_removed"]),
    st.sampled_from(PEOPLE[:7]),
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    toggles = sorted(draw(st.sets(moments, max_size=4)))
    becomes_draft = draw(st.booleans())
    events = []
    for at in toggles:
        events.append((at, "converted_to_draft" if becomes_draft else "ready_for_review"))
        becomes_draft = not becomes_draft
        if draw(st.integers(0, 9)) == 0:  # an event is missing
            becomes_draft = not becomes_draft
    closings = sorted(draw(st.sets(moments, max_size=4)))
    if draw(st.integers(0, 4)):  # else the last event contradicts that it is open
        closings = closings[: len(closings) // 2 * 2]
    events += [(at, ("closed", "reopened")[n % 2]) for n, at in enumerate(closings)]
    ended = draw(st.sampled_from(["merged", "closed", "open", "open"]))
    end = draw(moments) + timedelta(hours=1)
    return History(
        author=draw(st.sampled_from([PEOPLE[0], PEOPLE[3], PEOPLE[4], PEOPLE[7]])),
        created_at=START,
        is_draft=draw(st.booleans()),
        merged_at=end if ended == "merged" else None,
        closed_at=end if ended == "closed" else None,
        reviews=draw(st.lists(reviews, max_size=6)),
        toggles=events,
        requests=sorted(draw(st.lists(requests, max_size=3, unique_by=lambda r: r[0])), key=lambda r: r[0]),
        first_commit_at=draw(st.none() | moments.map(lambda at: at - timedelta(hours=9))),
    )


CALENDARS = [
    Calendar(),
    Calendar(timezone="Europe/Berlin", start=ClockTime(8), holidays=(date(2026, 3, 30),)),
    Calendar(timezone="Pacific/Auckland", days=WEEKDAYS, start=ClockTime(0), end=DayEnd.read("24:00")),
]

metric_settings = st.builds(
    MetricSettings,
    calendar=st.sampled_from(CALENDARS),
    bots=st.sampled_from([(), ("ci-runner",), ("CI-RUNNER[bot]", "bob")]),
    exclude_bots=st.booleans(),
    exclude_self=st.booleans(),
)


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[MetricsLab]:
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    yield lab
    lab.connection.close()


@pytest.mark.examples
@given(st.lists(histories(), min_size=1, max_size=25), metric_settings, st.randoms(use_true_random=False))
def test_the_sql_agrees_with_the_definitions(shared_lab, found, chosen, dice):  # type: ignore[no-untyped-def]
    ids = list(range(100, 100 + sum(len(history.reviews) for history in found)))
    dice.shuffle(ids)
    for history in found:
        for review in history.reviews:
            review.id = ids.pop()
    shared_lab.clear()
    shared_lab.store(found)
    shared_lab.rebuild(chosen, aggregates=False)
    rows = shared_lab.rows("SELECT * FROM metrics.review_time_hours ORDER BY number")
    assert len(rows) == len(found)
    for history, row in zip(found, rows, strict=True):
        expected = reference.metrics(history, chosen, AS_OF)
        assert {name: row[name] for name in expected} == expected
    evidence = {row["review_id"]: row for row in shared_lab.rows("FROM metrics.review_evidence")}
    for history in found:
        for review in history.reviews:
            reason = reference.disqualified_by(history, review, chosen)
            assert evidence[review.id]["disqualified_by"] == reason
            assert evidence[review.id]["is_qualifying"] == (reason is None)
            assert evidence[review.id]["is_in_draft"] == reference.is_draft_at(history, review.at)


calendars = st.builds(
    lambda zone, days, start, length, holidays: Calendar(
        timezone=zone,
        days=tuple(sorted(days)),
        start=ClockTime(start),
        end=DayEnd(min(23, start + length), 30) if start + length < 28 else DayEnd(0),
        holidays=tuple(holidays),
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    st.integers(4, 20),
    st.integers(1, 18),
    st.sets(st.dates(date(2026, 3, 20), date(2026, 4, 10)), max_size=3),
)


@pytest.mark.examples
@given(
    calendars,
    st.lists(st.tuples(st.integers(0, 86_400 * 6), st.integers(0, 86_400 * 9)), min_size=1, max_size=4),
)
def test_business_hours_equal_counted_minutes(shared_lab, calendar, spans):  # type: ignore[no-untyped-def]
    # Clocks change in Berlin on 29 March, in Auckland on 5 April.
    start = datetime(2026, 3, 25)
    found = []
    for index, (opened, waited) in enumerate(spans):
        created = start + timedelta(seconds=opened)
        review = Review(100 + index, Person(2, "bob"), "COMMENTED", created + timedelta(seconds=waited))
        found.append(History(Person(1, "ann"), created, reviews=[review]))
    shared_lab.clear()
    shared_lab.store(found)
    shared_lab.rebuild(MetricSettings(calendar=calendar), aggregates=False)
    rows = shared_lab.rows(
        "SELECT review_time_business_hours AS h FROM metrics.review_time_hours ORDER BY number"
    )
    expected = [
        round(reference.business_seconds(calendar, h.created_at, h.reviews[0].at) / 3600, 2) for h in found
    ]
    assert [row["h"] for row in rows] == expected


# When the clock first shows the start and last shows the end, or skips them; 24:00 is the start of the next day.
@pytest.mark.parametrize(
    ("zone", "day", "start", "end", "expected"),
    [
        ("America/New_York", "2026-03-08", "02:30", "17:00", ("07:00", "21:00")),  # no 02:30: 02:00 is 03:00
        ("America/New_York", "2026-03-08", "00:30", "02:30", ("05:30", "07:00")),
        ("America/New_York", "2026-11-01", "01:30", "17:00", ("05:30", "22:00")),  # 01:30 twice
        ("America/New_York", "2026-11-01", "00:30", "01:30", ("04:30", "06:30")),
        ("Europe/Berlin", "2026-03-29", "12:00", "24:00", ("10:00", "22:00")),
        (
            "America/Havana",
            "2026-10-31",
            "09:00",
            "24:00",
            ("13:00", "04:00"),
        ),  # the next day has 00:00 twice
        ("America/Santiago", "2026-09-06", "00:00", "09:00", ("04:00", "12:00")),  # no 00:00
    ],
)
def test_a_day_on_which_the_clock_changes(zone, day, start, end, expected):  # type: ignore[no-untyped-def]
    calendar = Calendar(timezone=zone, days=WEEKDAYS, start=ClockTime.read(start), end=DayEnd.read(end))
    on_that_day = [
        (f"{datetime.fromtimestamp(one.start, UTC):%H:%M}", f"{datetime.fromtimestamp(one.end, UTC):%H:%M}")
        for one in working_intervals(calendar, 2026, 2026)
        if datetime.fromtimestamp(one.start, ZoneInfo(zone)).date().isoformat() == day
    ]
    assert on_that_day == [expected]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana", "Africa/Cairo"])
def test_whole_days_leave_out_only_the_weekend(zone: str) -> None:
    calendar = Calendar(timezone=zone, start=ClockTime(0), end=DayEnd.read("24:00"))
    intervals = list(working_intervals(calendar, 2026, 2026))
    assert all(
        one.end == two.start for one, two in itertools.pairwise(intervals) if two.start - one.end < 86_400
    )
    # An hour less in spring, an hour more in autumn, on Sundays or Fridays.
    assert abs(sum(one.end - one.start for one in intervals) - 261 * 86_400) <= 3600


@pytest.mark.examples
@given(calendars)
def test_working_days_do_not_overlap(calendar: Calendar) -> None:
    intervals = list(working_intervals(calendar, 2026, 2026))
    assert all(one.end <= two.start for one, two in itertools.pairwise(intervals))


def moved(history: History, by: timedelta) -> History:
    """The same at another time."""
    history.created_at += by
    history.merged_at, history.closed_at, history.first_commit_at = (
        None if at is None else at + by
        for at in (history.merged_at, history.closed_at, history.first_commit_at)
    )
    for review in history.reviews:
        review.at += by
    history.toggles = [(at + by, event) for at, event in history.toggles]
    history.requests = [(at + by, event, who) for at, event, who in history.requests]
    return history


@pytest.mark.examples
@given(st.lists(st.tuples(histories(), st.integers(0, 40)), min_size=1, max_size=25), metric_settings)
def test_every_cell_of_the_aggregates_agrees(shared_lab, found, chosen):  # type: ignore[no-untyped-def]
    ids = iter(range(100, 10_000))
    chosen_histories = [moved(history, timedelta(days=days)) for history, days in found]
    for history in chosen_histories:
        for review in history.reviews:
            review.id = next(ids)
    shared_lab.clear()
    shared_lab.store(chosen_histories)
    shared_lab.rebuild(chosen)

    def rows(table: str, *key: str) -> dict[Any, dict[str, Any]]:
        return {
            tuple(row[name] for name in key): row
            for row in shared_lab.rows(f"FROM metrics.{table}")
            if row["repository_id"] == 1
        }

    expected = aggregates.weekly(chosen_histories, chosen, AS_OF)
    weeks = rows("review_time_weekly", "week")
    assert weeks.keys() == {(week,) for week in expected}
    for week, cells in expected.items():
        assert {name: weeks[(week,)][name] for name in cells} == cells
    by_author: dict[int | None, list[History]] = {}
    for history in chosen_histories:
        by_author.setdefault(history.author.id, []).append(history)
    authors = rows("author_weekly", "author_id", "week")
    count = 0
    for author, of_author in by_author.items():
        for week, cells in aggregates.weekly(of_author, chosen, AS_OF).items():
            row, count = authors[author, week], count + 1
            assert {name: row[name] for name in cells if name in row} == {
                n: v for n, v in cells.items() if n in row
            }
    assert count == len(authors)
    reviewers, expected_reviewers = (
        rows("reviewer_weekly", "reviewer_id", "week"),
        aggregates.reviewers_weekly(chosen_histories, chosen),
    )
    assert reviewers.keys() == expected_reviewers.keys()
    for key, cells in expected_reviewers.items():
        assert {name: reviewers[key][name] for name in cells} == cells
    months, expected_months = (
        rows("review_time_survival", "month"),
        aggregates.survival(chosen_histories, chosen, AS_OF),
    )
    assert months.keys() == {(month,) for month in expected_months}
    for month, cells in expected_months.items():
        assert {name: months[(month,)][name] for name in cells} == cells
    found_by_checks = {
        check.name: shared_lab.rows(check.sql) for check in all_checks(None) if check.severity == "error"
    }
    assert {name: rows for name, rows in found_by_checks.items() if rows} == {}
