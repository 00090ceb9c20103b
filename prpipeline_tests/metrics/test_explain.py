"""explain describes odd pull requests correctly, and their numbers follow from the description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from prpipeline.app.explain import Story, explain
from prpipeline.publish.reader import open_published
from prpipeline.settings import MetricSettings
from prpipeline_tests.support import flow_reference
from prpipeline_tests.support.folders import new_folder
from prpipeline_tests.support.metrics_lab import MetricsLab, with_own_reviews
from prpipeline_tests.support.reference import History, Person, Review

OPENED = datetime(2026, 5, 4, 10)
Explain = Callable[[str], tuple[list[str], dict[str, str], Story]]
ANN, BOB = Person(1, "ann"), Person(2, "bob")


def at(hours: float) -> datetime:
    return OPENED + timedelta(hours=hours)


HISTORIES = {
    "a draft that was never ready": History(
        ANN, OPENED, is_draft=True, closed_at=at(3), reviews=[Review(0, BOB, "CHANGES_REQUESTED", at(1))]
    ),
    "a draft, and ready again, after the merge": History(
        ANN,
        OPENED,
        is_draft=True,
        merged_at=at(1),
        toggles=[(at(2), "ready_for_review"), (at(3), "converted_to_draft")],
    ),
    "closed": History(ANN, OPENED, closed_at=at(1)),
    "reviewed and closed": History(
        ANN, OPENED, closed_at=at(2), reviews=[Review(0, BOB, "COMMENTED", at(1))]
    ),
    "ready and approved in the same second": History(
        ANN,
        OPENED,
        reviews=[Review(0, BOB, "APPROVED", at(1))],
        toggles=[(at(1), "ready_for_review"), (at(2), "converted_to_draft"), (at(3), "ready_for_review")],
    ),
    "closed and reopened": History(ANN, OPENED, toggles=[(at(2), "closed"), (at(5), "reopened")]),
    "all stages": History(
        ANN,
        OPENED,
        is_draft=False,
        toggles=[(at(2), "ready_for_review")],
        reviews=[Review(0, BOB, "COMMENTED", at(3)), Review(0, BOB, "APPROVED", at(5.5))],
        first_commit_at=at(-26),
    ),
    "nothing happened": History(ANN, OPENED),
}


@pytest.fixture(scope="module")
def histories() -> Iterator[tuple[MetricsLab, Path]]:
    """All of them, and the published file."""
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    lab.store(with_own_reviews(list(HISTORIES.values())))
    store_told(lab)
    lab.rebuild(MetricSettings(ticket_prefixes=("ABC",)), aggregates=False)
    yield lab, lab.publish(new_folder())
    lab.connection.close()


def store_told(lab: MetricsLab) -> None:
    """One with labels, tickets, and requests that are not answered, in octo/told."""
    lab.repository(2, "octo/told")
    asked = [(at(1), "review_requested", BOB), (at(2), "review_requested", Person(None, None))]
    lab.store([History(ANN, OPENED, title="ABC-2, ABC-1: fix", requests=asked)], 2)
    common = {"repository_id": 2, "pull_request_id": 2_000_001, "number": 1}
    for label in ("docs", "bug"):
        lab.insert("raw.pull_request_labels", common | {"label": label})
    for hour, team in ((3, 70), (4, 71)):
        lab.event(
            common,
            at(hour),
            "review_requested",
            subject_id=team,
            subject_login=f"octo/t{team}",
            subject_is_team=True,
        )
    flow_reference.store_members(lab, {71: flow_reference.Members(OPENED.date(), {3: (None, None)})})
    lab.insert("raw.reviews", common | {"review_id": 9, "node_id": "R_9", "reviewer_id": 3, "reviewer_login": "cid",
                                        "reviewer_is_bot": False, "state": "COMMENTED", "submitted_at": at(6)})  # fmt: skip
    lab.connection.execute("UPDATE raw.pull_requests SET head_ref = 'fix/ABC-2' WHERE repository_id = 2")


@pytest.fixture
def explained(histories: tuple[MetricsLab, Path]) -> Explain:
    def of(name: str) -> tuple[list[str], dict[str, str], Story]:
        """The steps without the day, the reason for each number, and the whole explanation."""
        with open_published(histories[1]) as connection:
            story = explain(connection, f"octo/app#{list(HISTORIES).index(name) + 1}")
        steps = [f"{step.at:%H:%M} {step.what} - {step.note}" for step in story.steps]
        return steps, {metric.name: metric.because for metric in story.metrics}, story

    return of


def test_a_draft_that_was_never_ready(explained: Explain) -> None:
    steps, because, story = explained("a draft that was never ready")
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
    steps, because, _ = explained("a draft, and ready again, after the merge")
    assert steps == [
        "10:00 ann opened it as a draft - review and cycle time start; draft time starts",
        "11:00 it was merged - cycle time stops; draft time stops",
        "12:00 somebody marked it ready for review - ",
        "13:00 somebody made it a draft - ",
    ]
    assert because["time_to_merge_hours"] == "it was merged before it was ready"
    assert because["draft_hours"] == "2026-05-04 10:00 to the merge"


def test_waiting_ends_with_the_close(explained: Explain) -> None:
    steps, _, _ = explained("closed")
    assert steps[-1] == "11:00 it was closed without a merge - waiting ends"


def test_waiting_ended_with_the_review(explained: Explain) -> None:
    steps, _, _ = explained("reviewed and closed")
    assert steps[-1] == "12:00 it was closed without a merge - "


def test_ready_and_approved_in_the_same_second(explained: Explain) -> None:
    steps, because, _ = explained("ready and approved in the same second")
    assert steps[1:3] == [
        "11:00 somebody marked it ready for review - draft time stops; pickup and merge time start",
        "11:00 bob approved it - review time stops; pickup time stops; time to first approval stops",
    ]
    assert (
        because["draft_hours"] == "2026-05-04 10:00 to 2026-05-04 11:00; 2026-05-04 12:00 to 2026-05-04 13:00"
    )
    assert because["review_rounds"] == "no qualifying review requested changes"


def test_waiting_pauses_while_it_is_closed(explained: Explain) -> None:
    steps, because, _ = explained("closed and reopened")
    assert [step.rpartition(" - ")[2] for step in steps[1:]] == ["waiting ends", "waiting goes on"]
    assert because["waiting_hours"] == (
        "open and ready 2026-05-04 10:00 to 2026-05-04 12:00; 2026-05-04 15:00 to now"
    )


def test_the_stages_are_the_published_ones(explained: Explain, histories: tuple[MetricsLab, Path]) -> None:
    _, _, story = explained("all stages")
    published = histories[0].rows(
        "SELECT stage, started_at, ended_at, hours FROM metrics.pull_request_stages WHERE number = ?",
        [list(HISTORIES).index("all stages") + 1],
    )
    assert sorted((s.name, s.started_at, s.ended_at, s.hours) for s in story.stages) == sorted(
        (row["stage"].replace("_", " "), *list(row.values())[1:]) for row in published
    )
    lines = story.lines()
    start = lines.index("In which stage it was (UTC)")
    assert lines[start + 1 : start + 6] == [
        "  coding              2026-05-03 08:00 to 2026-05-04 10:00   26.00 hours",
        "  draft               2026-05-04 10:00 to 2026-05-04 12:00    2.00 hours",
        "  waiting for review  2026-05-04 12:00 to 2026-05-04 13:00    1.00 hours",
        "  in review           2026-05-04 13:00 to 2026-05-04 15:30    2.50 hours",
        "  approved            2026-05-04 15:30 to now               668.50 hours",
    ]


def test_tickets_labels_and_silent_requests_are_told(histories: tuple[MetricsLab, Path]) -> None:
    with open_published(histories[1]) as connection:
        story = explain(connection, "octo/told#1")
    assert story.remarks == (
        "tickets: ABC-2 (in the title and branch), ABC-1 (in the title)",
        "labels: bug, docs",
        "bob was asked on 2026-05-04 11:00 and has not answered, for 673.00 hours",
        "a deleted account was asked on 2026-05-04 12:00 and has not answered, for 672.00 hours",
        "octo/t70 was asked on 2026-05-04 13:00; whether a review answered that is not known",
        "octo/t71 was asked on 2026-05-04 14:00; cid answered for it",
    )
    assert story.lines()[-7:] == ["What else there is", *(f"  {line}" for line in story.remarks)]


def test_who_has_nothing_beside_gets_no_empty_heading(explained: Explain) -> None:
    _, _, story = explained("nothing happened")
    assert "What else there is" not in story.lines()
