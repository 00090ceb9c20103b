"""Odd histories that GitHub gives: events that are missing, in the same second, or after the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab, with_own_reviews
from prpipeline_tests.support.reference import History, Person, Review

ANN, BOB = Person(1, "ann"), Person(2, "bob")
ROBOT, GHOST = Person(9, "robot[bot]"), Person(None, None)
OPENED = datetime(2026, 5, 4, 10, 0)
READY, DRAFT = "ready_for_review", "converted_to_draft"


def at(hours: float) -> datetime:
    return OPENED + timedelta(hours=hours)


def opened(**more: Any) -> History:
    return History(ANN, OPENED, **more)


def said(*states: str) -> list[Review]:
    """Bob's reviews, one an hour."""
    return [Review(0, BOB, state, at(n + 1)) for n, state in enumerate(states)]


def seen_by(*people: Person) -> list[Review]:
    """A comment of each, one an hour."""
    return [Review(0, person, "COMMENTED", at(n + 1)) for n, person in enumerate(people)]


# A history, and columns of review_time_hours.
CASES: dict[str, tuple[History, dict[str, Any]]] = {
    "never a draft": (opened(), {"ready_at": OPENED, "draft_hours": 0.0, "is_draft": False}),
    "a draft without events was opened as one": (
        opened(is_draft=True),
        {
            "ready_at": None,
            "waiting_hours": None,
            "draft_hours": (AS_OF - OPENED).total_seconds() / 3600,
        },
    ),
    "a draft that was closed without ever being ready": (
        opened(is_draft=True, closed_at=at(3)),
        {"ready_at": None, "draft_hours": 3.0, "time_to_merge_hours": None},
    ),
    "a draft that was merged by a push": (
        opened(is_draft=True, merged_at=at(3)),
        {"draft_hours": 3.0, "time_to_merge_hours": None, "cycle_time_hours": 3.0},
    ),
    "ready only after the merge makes no negative time": (
        opened(merged_at=at(3), toggles=[(at(5), READY)]),
        {"ready_at": at(5), "time_to_merge_hours": None, "draft_hours": 3.0},
    ),
    "opened ready and converted to a draft": (
        opened(is_draft=True, toggles=[(at(2), DRAFT)], closed_at=at(6)),
        {"ready_at": OPENED, "draft_hours": 4.0},
    ),
    # Events that contradict the state.
    "it is ready, but became a draft": (opened(toggles=[(at(1), DRAFT)]), {"draft_hours": None}),
    "it is a draft, but became ready": (
        opened(is_draft=True, toggles=[(at(1), READY)]),
        {"draft_hours": None},
    ),
    "it is a draft, but became ready again": (
        opened(is_draft=True, toggles=[(at(1), DRAFT), (at(2), READY)]),
        {"draft_hours": None},
    ),
    "a repeated event changes nothing": (
        opened(toggles=[(at(1), DRAFT), (at(2), DRAFT), (at(4), READY), (at(5), READY)]),
        {"ready_at": OPENED, "draft_hours": 3.0},
    ),
    "ready and a draft in one second": (
        opened(toggles=[(at(1), READY), (at(1), DRAFT), (at(2), DRAFT), (at(5), READY)]),
        {"ready_at": OPENED, "draft_hours": 3.0},
    ),
    "a draft and ready in one second": (
        opened(toggles=[(at(1), DRAFT), (at(1), READY), (at(2), DRAFT), (at(5), READY)]),
        {"ready_at": OPENED, "draft_hours": 3.0},
    ),
    "ready for zero seconds, but that is when it first was": (
        opened(toggles=[(at(1), READY), (at(1), DRAFT), (at(4), READY)]),
        {"ready_at": at(1), "draft_hours": 4.0},
    ),
    "the approval of a draft does not count from ready": (
        opened(toggles=[(at(2), READY)], merged_at=at(5), reviews=said("APPROVED")),
        {
            "review_time_hours": 1.0,
            "reviewed_in_draft": True,
            "pickup_time_hours": None,
            "time_to_first_approval_hours": None,
        },
    ),
    "a review in the second of the merge counts": (
        opened(merged_at=at(1), reviews=said("APPROVED")),
        {"review_time_hours": 1.0, "merged_without_review": False},
    ),
    "approved at once": (opened(reviews=said("APPROVED")), {"review_rounds": 0}),
    "changes requested": (opened(reviews=said("CHANGES_REQUESTED")), {"review_rounds": 1}),
    "changes requested, then approved": (
        opened(reviews=said("CHANGES_REQUESTED", "APPROVED")),
        {"review_rounds": 2},
    ),
    "approved, then changes requested": (
        opened(reviews=said("APPROVED", "CHANGES_REQUESTED")),
        {"review_rounds": 1},
    ),
    "changes requested twice, then approved": (
        opened(reviews=said("CHANGES_REQUESTED", "COMMENTED", "CHANGES_REQUESTED", "APPROVED", "APPROVED")),
        {"review_rounds": 3},
    ),
    "a revert": (opened(title='Revert "Add a thing"'), {"is_revert": True, "is_hotfix": False}),
    "a hotfix": (opened(title="HOTFIX: stop the leak"), {"is_revert": False, "is_hotfix": True}),
    "neither": (opened(title="Make it irrevertible"), {"is_revert": False, "is_hotfix": False}),
    "both": (opened(title="hotfix: revert the thing"), {"is_revert": True, "is_hotfix": True}),
    "only the author's own review": (
        opened(reviews=seen_by(ANN)),
        {"review_time_hours": None, "null_reason": "only_self"},
    ),
    "only the author's and a bot's": (
        opened(reviews=seen_by(ANN, ROBOT)),
        {"review_time_hours": None, "null_reason": "only_self_and_bots"},
    ),
    "only a bot's": (
        opened(reviews=seen_by(Person(8, "Robot[Bot]"))),
        {"review_time_hours": None, "null_reason": "only_bots"},
    ),
    "only the author's, who was renamed": (
        opened(reviews=seen_by(Person(1, "ann-renamed"))),
        {"review_time_hours": None, "null_reason": "only_self"},
    ),
    "a deleted author and a deleted reviewer are not the same person": (
        History(GHOST, OPENED, reviews=seen_by(GHOST)),
        {"review_time_hours": 1.0, "reviewers": 1, "first_reviewer_login": None},
    ),
}


@pytest.fixture(scope="module")
def computed() -> Iterator[dict[str, dict[str, Any]]]:
    """The row of each, all computed together."""
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    lab.store(with_own_reviews([history for history, _ in CASES.values()]))
    lab.rebuild(aggregates=False)
    yield dict(zip(CASES, lab.rows("FROM metrics.review_time_hours ORDER BY number"), strict=True))
    lab.connection.close()


@pytest.mark.parametrize("case", CASES)
def test_history(computed: dict[str, dict[str, Any]], case: str) -> None:
    expected = CASES[case][1]
    assert {name: computed[case][name] for name in expected} == expected
