"""explain describes odd pull requests correctly, and their numbers follow from the description."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from prpipeline.app.explain import Story, explain
from prpipeline.publish.reader import open_published
from prpipeline_tests.support.metrics_lab import MetricsLab
from prpipeline_tests.support.reference import History, Person, Review

OPENED = datetime(2026, 5, 4, 10)
Explain = Callable[[History], tuple[list[str], dict[str, str], Story]]
ANN, BOB = Person(1, "ann"), Person(2, "bob")


def at(hours: float) -> datetime:
    return OPENED + timedelta(hours=hours)


@pytest.fixture
def explained(lab: MetricsLab, tmp_path: Path) -> Explain:
    def of(history: History) -> tuple[list[str], dict[str, str], Story]:
        """The steps without the day, the reason for each number, and the whole explanation."""
        lab.store([history])
        lab.rebuild()
        with open_published(lab.publish(tmp_path)) as connection:
            story = explain(connection, "octo/app#1")
        steps = [f"{step.at:%H:%M} {step.what} - {step.note}" for step in story.steps]
        return steps, {metric.name: metric.because for metric in story.metrics}, story

    return of


def test_a_draft_that_was_never_ready(explained: Explain) -> None:
    review = Review(7, BOB, "CHANGES_REQUESTED", at(1))
    steps, because, story = explained(History(ANN, OPENED, is_draft=True, closed_at=at(3), reviews=[review]))
    assert steps == [
        "10:00 ann opened it as a draft - review and cycle time start; draft time starts",
        "11:00 bob requested changes - review time stops; before it was ready: pickup time has not started",
        "13:00 it was closed without a merge - draft time stops",
    ]
    assert because["pickup_time_hours"] == "it never became ready for review"
    assert because["draft_hours"] == "2026-05-04 10:00 to the close"
    assert because["review_rounds"] == "one request for changes"
    assert because["reviewers"] == "bob"
    assert "draft_hours                   3.00  2026-05-04 10:00 to the close" in "\n".join(story.lines())


def test_events_after_a_merge_start_no_clock(explained: Explain) -> None:
    toggles = [(at(2), "ready_for_review"), (at(3), "converted_to_draft")]
    steps, because, _ = explained(History(ANN, OPENED, is_draft=True, merged_at=at(1), toggles=toggles))
    assert steps == [
        "10:00 ann opened it as a draft - review and cycle time start; draft time starts",
        "11:00 it was merged - cycle time stops; draft time stops",
        "12:00 somebody marked it ready for review - ",
        "13:00 somebody made it a draft - ",
    ]
    assert because["time_to_merge_hours"] == "it was merged before it was ready"
    assert because["draft_hours"] == "2026-05-04 10:00 to the merge"


def test_waiting_ends_with_the_close(explained: Explain) -> None:
    steps, _, _ = explained(History(ANN, OPENED, closed_at=at(1)))
    assert steps[-1] == "11:00 it was closed without a merge - waiting ends"


def test_waiting_ended_with_the_review(explained: Explain) -> None:
    steps, _, _ = explained(
        History(ANN, OPENED, closed_at=at(2), reviews=[Review(7, BOB, "COMMENTED", at(1))])
    )
    assert steps[-1] == "12:00 it was closed without a merge - "


def test_ready_and_approved_in_the_same_second(explained: Explain) -> None:
    history = History(
        ANN,
        OPENED,
        reviews=[Review(7, BOB, "APPROVED", at(1))],
        toggles=[(at(1), "ready_for_review"), (at(2), "converted_to_draft"), (at(3), "ready_for_review")],
    )
    steps, because, _ = explained(history)
    assert steps[1:3] == [
        "11:00 somebody marked it ready for review - draft time stops; pickup and merge time start",
        "11:00 bob approved it - review time stops; pickup time stops; time to first approval stops",
    ]
    assert (
        because["draft_hours"] == "2026-05-04 10:00 to 2026-05-04 11:00; 2026-05-04 12:00 to 2026-05-04 13:00"
    )
    assert because["review_rounds"] == "no qualifying review requested changes"


def test_waiting_pauses_while_it_is_closed(explained: Explain) -> None:
    closings = [(at(2), "closed"), (at(5), "reopened")]
    steps, because, _ = explained(History(ANN, OPENED, toggles=closings))
    assert [step.rpartition(" - ")[2] for step in steps[1:]] == ["waiting ends", "waiting goes on"]
    assert because["waiting_hours"] == (
        "open and ready 2026-05-04 10:00 to 2026-05-04 12:00; 2026-05-04 15:00 to now"
    )
