"""Stages, open work by day, requests, tickets, sizes and dates: what a reader of single cases would expect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline import metrics
from prpipeline.settings import Calendar, MetricSettings, SizeLimits
from prpipeline_tests.support import flow_reference
from prpipeline_tests.support.flow_reference import Team, Work
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.reference import Person, Review

ANN, BOB, CAT, GHOST = Person(1, "ann"), Person(2, "bob"), Person(3, "cat"), Person(None, None)
ROBOT, CORE = Person(9, "robot[bot]", True), Team(7, "octo/core")
MONDAY = datetime(2026, 5, 4, 10, 0)


@pytest.fixture(scope="module")
def of_module() -> Iterator[MetricsLab]:
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    yield lab
    lab.connection.close()


@pytest.fixture
def lab(of_module: MetricsLab) -> MetricsLab:
    of_module.clear()
    return of_module


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def work(**facts: Any) -> Work:
    """Times in hours since Monday; reviews as (hours, who, state)."""
    reviews = [
        Review(100 + n, who, state, at(hours))
        for n, (hours, who, state) in enumerate(facts.pop("reviews", ()))
    ]
    for name in ("toggles", "switches", "asks"):
        facts[name] = [(at(hours), *more) for hours, *more in facts.get(name, ())]
    for name in ("merged_at", "closed_at", "first_commit_at"):
        facts[name] = None if facts.get(name) is None else at(facts[name])
    return Work(author=facts.pop("author", ANN), created_at=MONDAY, reviews=reviews, **facts)


def rows_by_case(
    lab: MetricsLab, works: list[Work], table: str, settings: MetricSettings | None = None
) -> list[list[dict[str, Any]]]:
    """The table's rows of each of these pull requests, stored and computed together."""
    flow_reference.store(lab, works)
    lab.rebuild(settings, aggregates=False)
    rows = lab.rows(f"FROM metrics.{table} ORDER BY ALL")
    return [[row for row in rows if row["number"] == number] for number in range(1, len(works) + 1)]


# What happens, and the stages with their hours.
STAGES: tuple[tuple[dict[str, Any], list[tuple[str | None, float]]], ...] = (
    ({"merged_at": 3}, [("waiting_for_review", 3)]),
    (
        {"reviews": [(5, BOB, "COMMENTED"), (6, BOB, "APPROVED")], "merged_at": 8},
        [("waiting_for_review", 5), ("in_review", 1), ("approved", 2)],
    ),
    (  # approved at once, and again: nothing was in review
        {"reviews": [(5, BOB, "APPROVED"), (6, CAT, "CHANGES_REQUESTED")], "closed_at": 8},
        [("waiting_for_review", 5), ("approved", 3)],
    ),
    (  # bots, the author, and reviews after the merge end no wait
        {"reviews": [(1, ROBOT, "APPROVED"), (2, ANN, "COMMENTED"), (9, BOB, "APPROVED")], "merged_at": 8},
        [("waiting_for_review", 8)],
    ),
    (  # a review of the draft is not of what is ready
        {"toggles": [(4, "ready_for_review")], "reviews": [(2, BOB, "APPROVED"), (5, BOB, "APPROVED")],
            "merged_at": 6},
        [("draft", 4), ("waiting_for_review", 1), ("approved", 1)],
    ),
    (  # a draft again in the middle of a review
        {"toggles": [(2, "converted_to_draft"), (5, "ready_for_review")],
            "reviews": [(1, BOB, "COMMENTED"), (6, BOB, "APPROVED")], "merged_at": 7},
        [("waiting_for_review", 1), ("in_review", 1), ("draft", 3), ("in_review", 1), ("approved", 1)],
    ),
    (  # closed for two days
        {"switches": [(24, "closed"), (72, "reopened")], "merged_at": 73},
        [("waiting_for_review", 24), ("waiting_for_review", 1)],
    ),
    (  # reviewed while it was closed
        {"switches": [(24, "closed"), (72, "reopened")], "reviews": [(30, BOB, "COMMENTED")], "merged_at": 73},
        [("waiting_for_review", 24), ("in_review", 1)],
    ),
    ({"is_draft": True, "closed_at": 3}, [("draft", 3)]),
    ({"merged_at": 0}, []),
    ({}, [("waiting_for_review", 674)]),
    (  # the first commit was authored the day before
        {"first_commit_at": -26, "reviews": [(5, BOB, "COMMENTED"), (6, BOB, "APPROVED")], "merged_at": 8},
        [("coding", 26), ("waiting_for_review", 5), ("in_review", 1), ("approved", 2)],
    ),
    ({"first_commit_at": 1, "merged_at": 3}, [("waiting_for_review", 3)]),  # rebased
    # Events are missing: it is no draft now, and nothing says since when.
    ({"toggles": [(2, "converted_to_draft")], "merged_at": 8}, [(None, 8)]),
    ({"switches": [(24, "closed")]}, [("waiting_for_review", 674)]),
)  # fmt: skip


def test_stages(lab: MetricsLab) -> None:
    works = [work(**facts) for facts, _ in STAGES]
    for number, review in enumerate(review for one in works for review in one.reviews):
        review.id = number
    found = rows_by_case(lab, works, "pull_request_stages")
    for (facts, expected), rows in zip(STAGES, found, strict=True):
        rows.sort(key=lambda row: row["started_at"])
        assert [(row["stage"], row["hours"]) for row in rows] == expected, facts


def test_weeks_of_stages(lab: MetricsLab) -> None:
    """Medians of those that left the stage; a bot's pull request, a running one and one without events are counted apart."""
    reviewed = [work(reviews=[(hours, BOB, "APPROVED")], merged_at=hours + 1) for hours in (2, 4, 9)]
    for n, one in enumerate(reviewed):
        one.reviews[0].id = 200 + n
    others = [
        work(author=ROBOT, merged_at=500),
        work(),
        work(toggles=[(2, "converted_to_draft")], merged_at=8),
    ]
    flow_reference.store(lab, [*reviewed, *others])
    lab.rebuild(aggregates=False)
    approved, waiting = lab.rows("SELECT * EXCLUDE (repository_id) FROM metrics.stage_weekly ORDER BY stage")
    common = {"repository": "octo/app", "week": date(2026, 5, 4), "n": 5, "n_bot_authors": 1, "n_null": 1}
    assert approved == common | {
        "stage": "approved", "n_in_stage": 3, "n_running": 0,
        "hours_median": 1.0, "hours_p75": 1.0, "hours_p90": 1.0, "hours_total": 3.0,
    }  # fmt: skip
    assert waiting == common | {
        "stage": "waiting_for_review", "n_in_stage": 4, "n_running": 1,
        "hours_median": 4.0, "hours_p75": 6.5, "hours_p90": 8.0, "hours_total": 15.0,
    }  # fmt: skip
    lab.rebuild(MetricSettings(exclude_bots=False), aggregates=False)
    (waiting,) = lab.rows("FROM metrics.stage_weekly WHERE stage = 'waiting_for_review'")
    assert (waiting["n"], waiting["n_bot_authors"], waiting["n_in_stage"]) == (6, 0, 5)


def test_open_work_by_day(lab: MetricsLab) -> None:
    """A pull request is open on the day of its opening, and no longer on that of its merge."""
    flow_reference.store(
        lab,
        [
            work(reviews=[(26, BOB, "APPROVED")], merged_at=50),
            work(switches=[(25, "closed"), (49, "reopened")]),
            work(toggles=[(24, "converted_to_draft"), (48, "ready_for_review")]),
            work(merged_at=1),
            work(author=ROBOT, closed_at=30),
        ],
    )
    lab.rebuild()
    rows = lab.rows("FROM metrics.open_daily ORDER BY day")
    names = ("opened", "reopened", "closed", "merged", "open", "draft", "waiting", "bots_open", "bots_closed")
    assert [tuple(row[name] for name in names) for row in rows[:4]] == [
        (4, 0, 0, 1, 3, 0, 3, 1, 0),
        (0, 0, 1, 0, 2, 1, 0, 0, 1),
        (0, 1, 0, 1, 2, 0, 2, 0, 0),
        (0, 0, 0, 0, 2, 0, 2, 0, 0),
    ]
    assert rows[-1]["day"] == AS_OF.date()
    assert len(rows) == (AS_OF.date() - MONDAY.date()).days + 1
    (queue,) = lab.rows("SELECT count(*) AS n FROM metrics.review_queue WHERE NOT is_bot_author")
    assert rows[-1]["waiting"] == queue["n"]


ASK, REMOVE = "review_requested", "review_request_removed"


# What happens, and the requests: who, asked when, its outcome, and hours to the answer.
REQUESTS: tuple[tuple[dict[str, Any], list[tuple[Any, ...]]], ...] = (
    ({"asks": [(0, ASK, BOB)]}, [("bob", 0, "pending", None)]),  # in the second of the opening
    ({"asks": [(1, ASK, BOB)], "reviews": [(3, BOB, "COMMENTED")]}, [("bob", 1, "answered", 2.0)]),
    ({"asks": [(1, ASK, BOB)], "reviews": [(1, BOB, "COMMENTED")]}, [("bob", 1, "answered", 0.0)]),
    # asked twice
    ({"asks": [(1, ASK, BOB), (2, ASK, BOB)]}, [("bob", 1, "pending", None)]),
    # asked again after the review, not answered again
    (
        {"asks": [(1, ASK, BOB), (4, ASK, BOB)], "reviews": [(3, BOB, "CHANGES_REQUESTED")]},
        [("bob", 1, "answered", 2.0), ("bob", 4, "pending", None)],
    ),
    # withdrawn, and asked again; a removal and a request in one second
    (
        {"asks": [(1, ASK, BOB), (2, REMOVE, BOB), (2, ASK, BOB)], "reviews": [(5, BOB, "APPROVED")]},
        [("bob", 1, "withdrawn", None), ("bob", 2, "answered", 3.0)],
    ),
    # GitHub drops it in the second of the review
    (
        {"asks": [(1, ASK, BOB), (3, REMOVE, BOB)], "reviews": [(3, BOB, "APPROVED")]},
        [("bob", 1, "answered", 2.0)],
    ),
    ({"asks": [(1, ASK, BOB)], "reviews": [(3, CAT, "APPROVED")]}, [("bob", 1, "pending", None)]),
    ({"asks": [(1, ASK, BOB)], "closed_at": 4}, [("bob", 1, "closed", None)]),
    ({"asks": [(1, ASK, BOB)], "closed_at": 4, "reviews": [(9, BOB, "APPROVED")]}, [("bob", 1, "answered", 8.0)]),
    ({"asks": [(1, ASK, BOB)], "merged_at": 4, "reviews": [(9, BOB, "APPROVED")]}, [("bob", 1, "closed", None)]),
    ({"asks": [(1, ASK, CORE)]}, [("octo/core", 1, "pending", None)]),
    ({"asks": [(1, ASK, CORE)], "reviews": [(2, ROBOT, "COMMENTED"), (3, ANN, "COMMENTED")]},
        [("octo/core", 1, "pending", None)]),
    # perhaps a member of the team
    ({"asks": [(1, ASK, CORE)], "reviews": [(3, BOB, "APPROVED")]}, [("octo/core", 1, None, None)]),
    ({"asks": [(1, ASK, CORE), (2, REMOVE, CORE)]}, [("octo/core", 1, "withdrawn", None)]),
    # deleted accounts cannot be told apart
    ({"asks": [(1, ASK, GHOST)]}, [(None, 1, "pending", None)]),
    ({"asks": [(1, ASK, GHOST)], "reviews": [(3, GHOST, "APPROVED")]}, [(None, 1, None, None)]),
    ({"asks": [(1, REMOVE, BOB)], "reviews": [(3, BOB, "APPROVED")]}, []),
)  # fmt: skip


def test_requests(lab: MetricsLab) -> None:
    works = [work(**facts) for facts, _ in REQUESTS]
    for number, review in enumerate(review for one in works for review in one.reviews):
        review.id = number
    found = rows_by_case(lab, works, "review_requests")
    for (facts, expected), rows in zip(REQUESTS, found, strict=True):
        rows.sort(key=lambda row: row["asked_at"])
        assert [(row["reviewer_login"], row["asked_at"], row["outcome"], row["hours"]) for row in rows] == [
            (login, at(asked), outcome, hours) for login, asked, outcome, hours in expected
        ], facts


def test_a_bot_that_was_asked_is_named_so(lab: MetricsLab) -> None:
    """It answers within minutes; the person who was asked as well does not."""
    asked = [(0, ASK, ROBOT), (0, ASK, BOB), (0, ASK, CORE)]
    flow_reference.store(lab, [work(asks=asked, reviews=[(0.1, ROBOT, "COMMENTED")])])
    lab.rebuild(aggregates=False)
    rows = lab.rows("FROM metrics.review_requests ORDER BY reviewer_login")
    assert [(row["is_bot"], row["is_team"], row["reviewer_id"], row["hours"]) for row in rows] == [
        (False, False, 2, None), (False, True, None, None), (True, False, 9, 0.1),
    ]  # fmt: skip
    assert [row["waiting_hours"] for row in rows] == [674.0, 674.0, None]
    lab.rebuild(MetricSettings(bots=("bob",)), aggregates=False)
    bob, *_ = lab.rows("FROM metrics.review_requests ORDER BY reviewer_login")
    assert bob["is_bot"]


def test_working_hours_of_a_request(lab: MetricsLab) -> None:
    """From Monday 16:00 to Wednesday 10:00, with nine to five and a holiday between."""
    flow_reference.store(lab, [work(asks=[(6, ASK, BOB)], reviews=[(48, BOB, "APPROVED")])])
    for calendar, hours in ((Calendar(), 10.0), (Calendar(holidays=(date(2026, 5, 5),)), 2.0)):
        lab.rebuild(MetricSettings(calendar=calendar), aggregates=False)
        (row,) = lab.rows("FROM metrics.review_requests")
        assert (row["hours"], row["business_hours"]) == (42.0, hours)


TITLES: tuple[tuple[str, list[str]], ...] = (
    ("ABC-12: fix", ["ABC-12"]),
    ("Fix (ABC-1), ABC-2/ABC-3-ABC-4.", ["ABC-1", "ABC-2", "ABC-3", "ABC-4"]),
    ("x_ABC-1 x.ABC-2", ["ABC-1", "ABC-2"]),
    ("XABC-1 1ABC-1 ABC-1x", []),
    ("éABC-1 ABC-2é ABC-3\uff12 修复ABC-4问题", ["ABC-1", "ABC-2", "ABC-3", "ABC-4"]),
    ("ABC-1_x ABC-2-fix", ["ABC-1", "ABC-2"]),
    ("ABC-01 ABC-0 ABC-1234567890 ABC- ABC -1", []),
    ("ABC-123456789", ["ABC-123456789"]),
    ("ABC-2 before ABC-1 and ABC-2 again", ["ABC-2", "ABC-1"]),
    ("ABC-OPS_2-7", ["OPS_2-7"]),
    ("abc-1 Abc-2", []),
    ("UTF-8, SHA-256, CVE-2024-1 and 11-245", []),
    ("AB-1 ABCD-1 \uff21BC-1", []),
)  # fmt: skip


def test_keys_in_titles(lab: MetricsLab) -> None:
    works = [work(title=title) for title, _ in TITLES]
    found = rows_by_case(lab, works, "pull_request_keys", MetricSettings(ticket_prefixes=("abc", "OPS_2")))
    for (title, keys), rows in zip(TITLES, found, strict=True):
        rows.sort(key=lambda row: row["position"])
        assert [row["key"] for row in rows] == keys, title
        assert [row["position"] for row in rows] == list(range(1, len(keys) + 1))
        assert [row["is_primary"] for row in rows] == [n == 0 for n in range(len(keys))]
    lab.rebuild(aggregates=False)
    assert lab.rows("FROM metrics.pull_request_keys") == []


@pytest.mark.parametrize(
    ("title", "branch", "expected"),
    [
        ("Fix", "abc-12-fix", [("branch", "ABC-12", 1, True)]),
        ("ABC-7: fix", "fix/abc-12", [("title", "ABC-7", 1, True), ("branch", "ABC-12", 1, False)]),
        ("ABC-7", "ABC-7-abc-7", [("title", "ABC-7", 1, True), ("branch", "ABC-7", 1, False)]),
    ],
)
def test_keys_in_branches(lab: MetricsLab, title: str, branch: str, expected: list[tuple[Any, ...]]) -> None:
    """In any case, stored in upper case; the title comes first."""
    (rows,) = rows_by_case(
        lab,
        [work(title=title, branch=branch)],
        "pull_request_keys",
        MetricSettings(ticket_prefixes=("ABC",)),
    )
    rows.sort(key=lambda row: row["source"], reverse=True)
    assert [(row["source"], row["key"], row["position"], row["is_primary"]) for row in rows] == expected


def test_sizes(lab: MetricsLab) -> None:
    lines = [0, 9, 10, 49, 50, 249, 250, 999, 1000, None]
    flow_reference.store(lab, [work() for _ in lines])
    lab.connection.execute(
        "UPDATE raw.pull_requests SET deletions = 0, additions = (?::BIGINT[])[number]", [lines]
    )
    for limits, expected in (
        (SizeLimits(), ["XS", "XS", "S", "S", "M", "M", "L", "L", "XL", None]),
        (SizeLimits(xs=1, l=900), ["XS", "S", "S", "S", "M", "M", "L", "XL", "XL", None]),
    ):
        lab.rebuild(MetricSettings(size_limits=limits), aggregates=False)
        rows = lab.rows("SELECT size_class FROM metrics.review_time_hours ORDER BY number")
        assert [row["size_class"] for row in rows] == expected


def test_dates(lab: MetricsLab) -> None:
    """Every day and week of the other tables is there; a holiday is no working day."""
    flow_reference.store(lab, [work(merged_at=400)])
    calendar = Calendar(days=("monday", "sunday"), holidays=(date(2026, 5, 11),))
    lab.rebuild(MetricSettings(calendar=calendar))
    days = {row["day"]: row for row in lab.rows("FROM metrics.dates ORDER BY day")}
    assert list(days) == [date(2026, 5, 1) + timedelta(days=n) for n in range(32)]
    assert days[date(2026, 5, 10)] == {
        "day": date(2026, 5, 10), "week": date(2026, 5, 4), "iso_week": "2026-W19", "month": date(2026, 5, 1),
        "quarter": date(2026, 4, 1), "year": 2026, "weekday": 7, "weekday_name": "Sunday", "is_working_day": True,
    }  # fmt: skip
    working = [day.day for day, row in days.items() if row["is_working_day"] and day.month == 5]
    assert working == [3, 4, 10, 17, 18, 24, 25, 31]
    weeks = lab.rows("SELECT week FROM metrics.review_time_weekly")
    assert {row["week"] for row in weeks} <= set(days)


def test_an_empty_warehouse_has_no_days(lab: MetricsLab) -> None:
    lab.rebuild()
    metrics.rebuild_aggregates(lab.connection, MetricSettings(), AS_OF + timedelta(days=3))
    for table in ("dates", "open_daily", "pull_request_stages", "stage_weekly", "review_requests"):
        assert lab.rows(f"FROM metrics.{table}") == []


QUESTIONS = Path(__file__).parents[2] / "docs" / "questions"


def test_questions_of_the_flow_are_answered(lab: MetricsLab, tmp_path: Path) -> None:
    """On the published file, each by SQL of at most ten lines."""
    lab.connection.execute("DELETE FROM meta.repositories WHERE repository_id <> 1")
    opened = datetime(2026, 5, 18, 10, 0)
    works = [
        work(title="ABC-1", reviews=[(5, BOB, "APPROVED")], merged_at=8),
        work(asks=[(1, ASK, BOB), (1, ASK, CORE), (1, ASK, ROBOT)]),
        work(author=ROBOT, asks=[(1, ASK, BOB)]),
    ]
    for one in works:
        one.asks = [(moment + (opened - MONDAY), what, who) for moment, what, who in one.asks]
        one.created_at = opened
        one.merged_at = one.merged_at and one.merged_at + (opened - MONDAY)
        for review in one.reviews:
            review.at += opened - MONDAY
    flow_reference.store(lab, works)
    lab.connection.execute("UPDATE raw.pull_requests SET additions = 7, deletions = 5, comments = number")
    lab.connection.execute(
        "INSERT INTO raw.pull_request_labels BY NAME SELECT repository_id, pull_request_id, number, label "
        "FROM raw.pull_requests CROSS JOIN (VALUES ('bug'), ('docs')) AS labels(label) WHERE number = 1"
    )
    lab.rebuild(MetricSettings(ticket_prefixes=("ABC",)))
    answers = {}
    with duckdb.connect(str(lab.publish(tmp_path)), read_only=True) as connection:
        for file in sorted(QUESTIONS.glob("*.sql")):
            sql = [line for line in file.read_text(encoding="utf-8").splitlines() if line[:2] != "--"]
            assert len(sql) <= 10, file
            answers[file.stem[:2]] = connection.execute("\n".join(sql)).fetchall()
    assert [row[1:] for row in answers["11"][:2]] == [(1, 1, 0, 2, 1), (1, 1, 0, 0, 0)]
    assert answers["12"] == [
        ("bob", False, 1, 14.0, "octo/app#2"),
        ("octo/core", True, 1, 14.0, "octo/app#2"),
    ]
    assert answers["13"] == [("waiting_for_review", 2, 5.0, 62.5), ("approved", 1, 3.0, 37.5)]
    assert answers["14"] == [("S", 2, 5.0, 8.0)]
    assert answers["15"] == [("ABC-1", 1, "octo/app#1", 8.0)]
    assert answers["19"] == [
        ("bug", 1, 1, 5.0, 8.0, 1.0),
        ("docs", 1, 1, 5.0, 8.0, 1.0),
        (None, 1, 0, None, None, 2.0),
    ]
    assert answers["20"] == [(date(2026, 5, 18), 1, 1, 1.0, 8.0, 0)]
    assert len(answers) == 20
