"""Stages, open work by day, and requests: what a reader of single cases would expect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline import metrics
from prpipeline.settings import Calendar, MetricSettings
from prpipeline_tests.support import flow_reference
from prpipeline_tests.support.flow_cases import (
    ANN,
    BOB,
    CAT,
    CORE,
    GHOST,
    MONDAY,
    ROBOT,
    at,
    by_number,
    rows_of,
    stored,
    work,
)
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab

Rows = list[dict[str, Any]]

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


WEEKS = [
    *(work(reviews=[(hours, BOB, "APPROVED")], merged_at=hours + 1) for hours in (2, 4, 9)),
    work(author=ROBOT, merged_at=500),
    work(),
    work(toggles=[(2, "converted_to_draft")], merged_at=8),
]
DAYS = [
    work(reviews=[(26, BOB, "APPROVED")], merged_at=50),
    work(switches=[(25, "closed"), (49, "reopened")]),
    work(toggles=[(24, "converted_to_draft"), (48, "ready_for_review")]),
    work(merged_at=1),
    work(author=ROBOT, closed_at=30),
]
ASKED = work(asks=[(0, ASK, ROBOT), (0, ASK, BOB), (0, ASK, CORE)], reviews=[(0.1, ROBOT, "COMMENTED")])
ASKED_ON_MONDAY = work(asks=[(6, ASK, BOB)], reviews=[(48, BOB, "APPROVED")])


@pytest.fixture(scope="module")
def computed() -> Iterator[MetricsLab]:
    """All cases; tests only look."""
    lab = stored(
        {
            "octo/stages": [work(**facts) for facts, _ in STAGES],
            "octo/requests": [work(**facts) for facts, _ in REQUESTS],
            "octo/weeks": WEEKS,
            "octo/days": DAYS,
            "octo/asked": [ASKED],
            "octo/monday": [ASKED_ON_MONDAY],
        }
    )
    lab.rebuild()
    yield lab
    lab.connection.close()


@pytest.fixture(scope="module")
def otherwise(computed: MetricsLab) -> dict[str, Rows]:
    """Rows of some cases where bots count, bob is one of them, and Tuesday is a holiday."""
    holiday = Calendar(holidays=(date(2026, 5, 5),))
    with computed.undone() as lab:
        lab.rebuild(MetricSettings(exclude_bots=False, bots=("bob",), calendar=holiday), aggregates=False)
        return {
            "weeks": rows_of(lab, "octo/weeks", "stage_weekly"),
            "asked": rows_of(lab, "octo/asked", "review_requests", "reviewer_login"),
            "monday": rows_of(lab, "octo/monday", "review_requests"),
        }


def test_stages(computed: MetricsLab) -> None:
    found = by_number(rows_of(computed, "octo/stages", "pull_request_stages", "started_at"), len(STAGES))
    for (facts, expected), rows in zip(STAGES, found, strict=True):
        assert [(row["stage"], row["hours"]) for row in rows] == expected, facts


def test_weeks_of_stages(computed: MetricsLab, otherwise: dict[str, Rows]) -> None:
    """Medians of those that left the stage; a bot's pull request, a running one and one without events are counted apart."""
    approved, waiting = rows_of(computed, "octo/weeks", "stage_weekly", "stage")
    common = {"repository_id": 3, "repository": "octo/weeks", "week": date(2026, 5, 4)}
    common |= {"n": 5, "n_bot_authors": 1, "n_null": 1}
    assert approved == common | {
        "stage": "approved", "n_in_stage": 3, "n_running": 0,
        "hours_median": 1.0, "hours_p75": 1.0, "hours_p90": 1.0, "hours_total": 3.0,
    }  # fmt: skip
    assert waiting == common | {
        "stage": "waiting_for_review", "n_in_stage": 4, "n_running": 1,
        "hours_median": 4.0, "hours_p75": 6.5, "hours_p90": 8.0, "hours_total": 15.0,
    }  # fmt: skip
    (waiting,) = [row for row in otherwise["weeks"] if row["stage"] == "waiting_for_review"]
    assert (waiting["n"], waiting["n_bot_authors"], waiting["n_in_stage"]) == (6, 0, 5)


def test_open_work_by_day(computed: MetricsLab) -> None:
    """A pull request is open on the day of its opening, and no longer on that of its merge."""
    rows = rows_of(computed, "octo/days", "open_daily", "day")
    names = ("opened", "reopened", "closed", "merged", "open", "draft", "waiting", "bots_open", "bots_closed")
    assert [tuple(row[name] for name in names) for row in rows[:4]] == [
        (4, 0, 0, 1, 3, 0, 3, 1, 0),
        (0, 0, 1, 0, 2, 1, 0, 0, 1),
        (0, 1, 0, 1, 2, 0, 2, 0, 0),
        (0, 0, 0, 0, 2, 0, 2, 0, 0),
    ]
    assert rows[-1]["day"] == AS_OF.date()
    assert len(rows) == (AS_OF.date() - MONDAY.date()).days + 1
    queue = [row for row in rows_of(computed, "octo/days", "review_queue") if not row["is_bot_author"]]
    assert rows[-1]["waiting"] == len(queue)


def test_requests(computed: MetricsLab) -> None:
    found = by_number(rows_of(computed, "octo/requests", "review_requests", "asked_at"), len(REQUESTS))
    for (facts, expected), rows in zip(REQUESTS, found, strict=True):
        assert [(row["reviewer_login"], row["asked_at"], row["outcome"], row["hours"]) for row in rows] == [
            (login, at(asked), outcome, hours) for login, asked, outcome, hours in expected
        ], facts


def test_a_bot_that_was_asked_is_named_so(computed: MetricsLab, otherwise: dict[str, Rows]) -> None:
    """It answers within minutes; the person who was asked as well does not."""
    rows = rows_of(computed, "octo/asked", "review_requests", "reviewer_login")
    assert [(row["is_bot"], row["is_team"], row["reviewer_id"], row["hours"]) for row in rows] == [
        (False, False, 2, None), (False, True, None, None), (True, False, 9, 0.1),
    ]  # fmt: skip
    assert [row["waiting_hours"] for row in rows] == [674.0, 674.0, None]
    bob, *_ = otherwise["asked"]
    assert bob["is_bot"]


def test_working_hours_of_a_request(computed: MetricsLab, otherwise: dict[str, Rows]) -> None:
    """From Monday 16:00 to Wednesday 10:00, with nine to five and a holiday between."""
    usual = rows_of(computed, "octo/monday", "review_requests")
    for (row,), hours in ((usual, 10.0), (otherwise["monday"], 2.0)):
        assert (row["hours"], row["business_hours"]) == (42.0, hours)


def test_an_empty_warehouse_has_no_days(lab: MetricsLab) -> None:
    lab.rebuild(aggregates=False)
    metrics.rebuild_aggregates(lab.connection, MetricSettings(), AS_OF + timedelta(days=3))
    for table in ("dates", "open_daily", "pull_request_stages", "stage_weekly", "review_requests"):
        assert lab.rows(f"FROM metrics.{table}") == []


QUESTIONS = Path(__file__).parents[2] / "docs" / "questions"


def test_questions_of_the_flow_are_answered(lab: MetricsLab, tmp_path: Path) -> None:
    """On the published file, each by SQL of at most ten lines."""
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
    works[0].reviews[0].id = 1
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
