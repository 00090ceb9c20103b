"""Odd histories that GitHub gives: events that are missing, in the same second, or after the end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.reference import History, Person, Review

ANN, BOB = Person(1, "ann"), Person(2, "bob")
OPENED = datetime(2026, 5, 4, 10, 0)
READY, DRAFT = "ready_for_review", "converted_to_draft"


def at(hours: float) -> datetime:
    return OPENED + timedelta(hours=hours)


def times(lab: MetricsLab, history: History) -> dict[str, Any]:
    lab.store([history])
    lab.rebuild(aggregates=False)
    (row,) = lab.rows("FROM metrics.review_time_hours")
    return row


def test_never_a_draft(lab: MetricsLab) -> None:
    row = times(lab, History(ANN, OPENED))
    assert (row["ready_at"], row["draft_hours"], row["is_draft"]) == (OPENED, 0.0, False)


def test_draft_without_events_was_opened_as_a_draft(lab: MetricsLab) -> None:
    row = times(lab, History(ANN, OPENED, is_draft=True))
    assert (row["ready_at"], row["waiting_hours"]) == (None, None)
    assert row["draft_hours"] == (AS_OF - OPENED).total_seconds() / 3600


def test_draft_closed_without_ever_being_ready(lab: MetricsLab) -> None:
    row = times(lab, History(ANN, OPENED, is_draft=True, closed_at=at(3)))
    assert (row["ready_at"], row["draft_hours"], row["time_to_merge_hours"]) == (None, 3.0, None)


def test_draft_merged_by_a_push(lab: MetricsLab) -> None:
    row = times(lab, History(ANN, OPENED, is_draft=True, merged_at=at(3)))
    assert (row["draft_hours"], row["time_to_merge_hours"], row["cycle_time_hours"]) == (3.0, None, 3.0)


def test_ready_only_after_the_merge_makes_no_negative_time(lab: MetricsLab) -> None:
    row = times(lab, History(ANN, OPENED, merged_at=at(3), toggles=[(at(5), READY)]))
    assert (row["ready_at"], row["time_to_merge_hours"], row["draft_hours"]) == (at(5), None, 3.0)


def test_opened_ready_and_converted_to_a_draft(lab: MetricsLab) -> None:
    row = times(lab, History(ANN, OPENED, is_draft=True, toggles=[(at(2), DRAFT)], closed_at=at(6)))
    assert (row["ready_at"], row["draft_hours"]) == (OPENED, 4.0)


@pytest.mark.parametrize(
    ("toggles", "is_draft"),
    [([(at(1), DRAFT)], False), ([(at(1), READY)], True), ([(at(1), DRAFT), (at(2), READY)], True)],
)
def test_events_that_contradict_the_state_make_draft_hours_unknown(
    lab: MetricsLab, toggles: list[tuple[datetime, str]], is_draft: bool
) -> None:
    assert times(lab, History(ANN, OPENED, is_draft=is_draft, toggles=toggles))["draft_hours"] is None


def test_a_repeated_event_changes_nothing(lab: MetricsLab) -> None:
    row = times(
        lab, History(ANN, OPENED, toggles=[(at(1), DRAFT), (at(2), DRAFT), (at(4), READY), (at(5), READY)])
    )
    assert (row["ready_at"], row["draft_hours"]) == (OPENED, 3.0)


@pytest.mark.parametrize("order", [[READY, DRAFT], [DRAFT, READY]])
def test_draft_events_that_cancel_out_change_nothing(lab: MetricsLab, order: list[str]) -> None:
    toggles = [(at(1), order[0]), (at(1), order[1]), (at(2), DRAFT), (at(5), READY)]
    row = times(lab, History(ANN, OPENED, toggles=toggles))
    assert (row["ready_at"], row["draft_hours"]) == (OPENED, 3.0)


def test_draft_events_of_one_second_that_make_it_ready(lab: MetricsLab) -> None:
    toggles = [(at(1), READY), (at(1), DRAFT), (at(4), READY)]
    row = times(lab, History(ANN, OPENED, toggles=toggles))
    # It was ready for zero seconds, but that is when it first was.
    assert (row["ready_at"], row["draft_hours"]) == (at(1), 4.0)


def test_approval_of_a_draft_does_not_count_from_ready(lab: MetricsLab) -> None:
    history = History(ANN, OPENED, toggles=[(at(2), READY)], merged_at=at(5))
    history.reviews = [Review(1, BOB, "APPROVED", at(1))]
    row = times(lab, history)
    assert (row["review_time_hours"], row["reviewed_in_draft"]) == (1.0, True)
    assert (row["pickup_time_hours"], row["time_to_first_approval_hours"]) == (None, None)


def test_review_in_the_second_of_the_merge_counts(lab: MetricsLab) -> None:
    history = History(ANN, OPENED, merged_at=at(2), reviews=[Review(1, BOB, "APPROVED", at(2))])
    row = times(lab, history)
    assert (row["review_time_hours"], row["merged_without_review"]) == (2.0, False)


@pytest.mark.parametrize(
    ("states", "rounds"),
    [
        (["APPROVED"], 0),
        (["CHANGES_REQUESTED"], 1),
        (["CHANGES_REQUESTED", "APPROVED"], 2),
        (["APPROVED", "CHANGES_REQUESTED"], 1),
        (["CHANGES_REQUESTED", "COMMENTED", "CHANGES_REQUESTED", "APPROVED", "APPROVED"], 3),
    ],
)
def test_review_rounds(lab: MetricsLab, states: list[str], rounds: int) -> None:
    reviews = [Review(n, BOB, state, at(n + 1)) for n, state in enumerate(states)]
    assert times(lab, History(ANN, OPENED, reviews=reviews))["review_rounds"] == rounds


@pytest.mark.parametrize(
    ("title", "is_revert", "is_hotfix"),
    [
        ('Revert "Add a thing"', True, False),
        ("HOTFIX: stop the leak", False, True),
        ("Make it irrevertible", False, False),
        ("hotfix: revert the thing", True, True),
    ],
)
def test_words_in_titles(lab: MetricsLab, title: str, is_revert: bool, is_hotfix: bool) -> None:
    row = times(lab, History(ANN, OPENED, title=title))
    assert (row["is_revert"], row["is_hotfix"]) == (is_revert, is_hotfix)


@pytest.mark.parametrize(
    ("people", "reason"),
    [
        ([ANN], "only_self"),
        ([ANN, Person(9, "robot[bot]")], "only_self_and_bots"),
        ([Person(9, "Robot[Bot]")], "only_bots"),
        ([Person(1, "ann-renamed")], "only_self"),
    ],
)
def test_reasons_for_no_review_time(lab: MetricsLab, people: list[Person], reason: str) -> None:
    reviews = [Review(n, person, "COMMENTED", at(n + 1)) for n, person in enumerate(people)]
    row = times(lab, History(ANN, OPENED, reviews=reviews))
    assert (row["review_time_hours"], row["null_reason"]) == (None, reason)


def test_deleted_author_and_deleted_reviewer_are_not_the_same_person(lab: MetricsLab) -> None:
    ghost = Person(None, None)
    row = times(lab, History(ghost, OPENED, reviews=[Review(1, ghost, "COMMENTED", at(1))]))
    assert (row["review_time_hours"], row["reviewers"], row["first_reviewer_login"]) == (1.0, 1, None)
