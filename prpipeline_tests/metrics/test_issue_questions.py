"""The questions about issues in docs/questions/jira have the answers that a small world gives when it is counted by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from prpipeline.publish.reader import open_published
from prpipeline.publish.release import publish
from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import World
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.issue_lab import ANN, IssueLab, hours, issue_lab
from prpipeline_tests.support.jira_lab import let_pass
from prpipeline_tests.support.reference import History, Person, Review

DOCS = Path(__file__).parents[2] / "docs"
QUESTIONS = sorted((DOCS / "questions" / "jira").glob("*.sql"))
BEGUN = datetime(2026, 1, 5, 10)  # when the world begins, on a Monday
STORY, BUG = ("10001", "Story", 0), ("10002", "Bug", 0)


def world() -> World:
    """Five issues that were created and started together, some with a sprint, and done one after the other."""
    world = World(ManualClock())
    project = world.add_project("ABC")

    def day(number: int) -> datetime:
        return datetime(2026, 1, number, 9, tzinfo=UTC)

    first = world.add_sprint("A", state="closed", start=day(5), end=day(15), complete=day(16))
    second = world.add_sprint("B", state="active", start=day(19), end=day(30))
    third = world.add_sprint("C", state="future")
    chosen = [
        (STORY, 3, [first]),
        (BUG, None, [first]),  # not done in time, and not taken over
        (STORY, 5, [first, second]),
        (STORY, 2, [second]),
        (STORY, 1, [third]),
        (STORY, 8, [first]),  # deleted
    ]
    issues = []
    for kind, points, sprints in chosen:
        issue = world.create(project, kind=kind)
        world.set_points(issue, points)
        world.set_sprints(issue, sprints)
        issues.append(issue)
    let_pass(world, hours=1)
    for issue in issues:
        world.transition(issue, "3")
    for wait, number in ((49, 0), (350, 1), (20, 2), (1, 5)):
        let_pass(world, hours=wait)
        world.transition(issues[number], "10")
    let_pass(world, hours=1)
    return world


def pull_request(title: str, opened: float, merged: float | None, **more: Any) -> History:
    given = {"author": ANN, **more}
    merged_at = None if merged is None else BEGUN + hours(merged)
    return History(created_at=BEGUN + hours(opened), title=title, merged_at=merged_at, **given)


@pytest.fixture(scope="module")
def lab() -> Iterator[IssueLab]:
    with issue_lab(world(), lasting_folder()) as lab:
        lab.world.delete(next(issue for issue in lab.world.issues.values() if issue.key == "ABC-6"))
        lab.sync_well(reconcile=True)
        lab.add(
            pull_request("ABC-1", 4, 9, reviews=[Review(1, Person(2, "bob"), "APPROVED", BEGUN + hours(5))]),
            pull_request("ABC-3 ABC-1", 10, 30),
            pull_request("none", 4, 11),
            pull_request("none of a bot", 4, 90, author=Person(9, "ci[bot]", is_bot=True)),
            pull_request("ABC-2", 4, 200),
            pull_request("ABC-77, of which nothing is known", 0, 2),
            pull_request("ABC-1 is open", 0, None),
        )
        lab.compute()
        publish(lab.warehouse)
        yield lab


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("01", [("octo/app", 6, 1, 16.7)]),
        (
            "04",
            [
                (date(2026, 1, 19), "Bug", 1, None, 400.0, 399.0),
                (date(2026, 1, 19), "Story", 1, 5.0, 420.0, 419.0),
                (date(2026, 1, 5), "Story", 1, 3.0, 50.0, 49.0),
            ],
        ),
        (
            "05",
            [
                ("ABC", "B", "active", date(2026, 1, 19), 1, 5.0, 1, 2.0),
                ("ABC", "A", "closed", date(2026, 1, 5), 1, 3.0, 1, 0.0),
            ],
        ),
        ("06", [(date(2026, 1, 12), 1, 100.0, 196.0, None), (date(2026, 1, 5), 4, 75.0, 9.0, 7.0)]),
        (
            "07",
            [("2-3", 1, 5.0, 5.0, 1.0), ("4-5", 1, 20.0, 20.0, None), (None, 1, 196.0, 196.0, None)],
        ),
    ],
)
def test_a_question_has_its_answer(lab: IssueLab, question: str, answer: list[tuple[Any, ...]]) -> None:
    (file,) = [file for file in QUESTIONS if file.name.startswith(question)]
    text = file.read_text(encoding="utf-8")
    then = "(SELECT TIMESTAMP '2026-03-01' AS published_at)"  # as if it had been published soon after
    with open_published(lab.warehouse.path.parent / "published" / "prpipeline.duckdb") as connection:
        found = connection.execute(re.sub(r"\bpipeline_status\b", then, text)).fetchall()
    assert [row[: len(answer[0])] for row in found] == answer


def test_each_question_is_listed_by_its_first_words() -> None:
    page = (DOCS / "jira.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (.+\?) \| \[.*\]\(questions/jira/(.+)\) \|$", page, re.MULTILINE)
    assert [name for _, name in listed] == [file.name for file in QUESTIONS]
    for (question, _), file in zip(listed, QUESTIONS, strict=True):
        assert file.read_text(encoding="utf-8").startswith(f"-- {question.rstrip('?')}")
