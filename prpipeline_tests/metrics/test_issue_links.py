"""Which keys of issues are found in titles and branches, and what is said of pull requests and issues together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import World
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.issue_lab import ANN, IssueLab, hours, issue_lab, live
from prpipeline_tests.support.jira_lab import let_pass
from prpipeline_tests.support.reference import History, Person, Review

# (title, branch): what it names, as source:key in the order of their positions, the primary one first
VECTORS: dict[tuple[str, str | None], list[str]] = {
    ("ABC-1", None): ["title:ABC-1"],
    ("[ABC-1] a", None): ["title:ABC-1"],
    ("ABC-1: a", ""): ["title:ABC-1"],
    ("abc-1 a", "abc-1"): ["branch:ABC-1"],
    ("a", "feature/ABC-1-x"): ["branch:ABC-1"],
    ("a", "fix-aBc-2_more"): ["branch:ABC-2"],
    ("x_ABC-1", "y.abc-3"): ["title:ABC-1", "branch:ABC-3"],
    ("ABC-1/ABC-2", "abc-2"): ["title:ABC-1", "title:ABC-2", "branch:ABC-2"],
    ("ABC-2 ABC-1 ABC-2", None): ["title:ABC-2", "title:ABC-1"],
    ("ABC-12", None): ["title:ABC-12"],
    ("XABC-1", "xabc-1"): [],
    ("ABC-1a", "1abc-1"): [],
    ("ABC-0 ABC-007 ABC-", "abc--1"): [],
    ("ABC-1234567890", None): [],
    ("ABC2-123", None): ["title:ABC2-123"],
    ("A_B-7 and B-7", None): ["title:A_B-7"],
    ("123 UTF-8 SHA-256 CVE-2024-1 ISO-8601", "utf-8"): [],
    ("https://example.com/browse/ABC-1?x", None): ["title:ABC-1"],
    ("修复ABC-1问题", None): ["title:ABC-1"],
    ("éABC-1é", None): ["title:ABC-1"],
    ("ABC-１", "ＡＢＣ-1"): [],
    ("OUT-1", "out-1"): [],
    ("ABC-1\u200b ABC-3", None): ["title:ABC-1", "title:ABC-3"],
    ("", None): [],
}


def _world() -> World:
    world = World(ManualClock())
    for key in ("ABC", "ABC2", "A_B", "OUT"):
        project = world.add_project(key)
        for _ in range(3):
            world.create(project)
    let_pass(world, hours=1)
    return world


@pytest.fixture(scope="module")
def lab() -> Iterator[IssueLab]:
    with issue_lab(_world(), lasting_folder(), ("ABC", "ABC2", "A_B")) as lab:
        lab.add(*VECTORS)
        lab.compute()
        yield lab


LINKS = "FROM metrics.pull_request_issues ORDER BY number, is_primary DESC, source DESC, position"


@pytest.mark.parametrize("vector", VECTORS, ids=repr)
def test_keys_in_texts(lab: IssueLab, vector: tuple[str, str | None]) -> None:
    number = 1 + list(VECTORS).index(vector)
    found = [row for row in lab.table(LINKS) if row["number"] == number]
    assert [f"{row['source']}:{row['issue_key']}" for row in found] == VECTORS[vector]
    assert [row["is_primary"] for row in found] == [n == 0 for n in range(len(found))]
    for source in ("title", "branch"):
        positions = [row["position"] for row in found if row["source"] == source]
        assert positions == list(range(1, len(positions) + 1))
    issues = {row["issue_key"]: row["issue_id"] for row in lab.table("FROM metrics.issues")}
    assert [row["issue_id"] for row in found] == [issues.get(row["issue_key"]) for row in found]


def test_a_project_selected_later_links_old_pull_requests_and_asks_github_nothing(tmp_path: Path) -> None:
    with issue_lab(_world(), tmp_path) as lab:
        lab.add(("OUT-1", "abc-2"), ("OUT-9", None))
        lab.compute()
        assert [row["issue_key"] for row in lab.table(LINKS)] == ["ABC-2"]
        lab.entries = ["ABC", "OUT"]
        lab.sync_well()
        lab.compute(anew=False)
        found = [(row["issue_key"], row["is_primary"], row["issue_id"] is None) for row in lab.table(LINKS)]
        assert found == [("OUT-1", True, False), ("ABC-2", False, False), ("OUT-9", True, True)]
        lab.compute(["branch"], anew=False)
        assert [(row["issue_key"], row["is_primary"]) for row in lab.table(LINKS)] == [("ABC-2", True)]
        assert lab.table("SELECT DISTINCT sources FROM metrics.issue_links_weekly") == [{"sources": "branch"}]
        lab.select()
        lab.compute(anew=False)
        assert lab.table(LINKS) == lab.table("FROM metrics.issue_links_weekly") == []


BOT, BOB = Person(9, "ci[bot]", is_bot=True), Person(2, "bob")
BEGUN = datetime(2026, 1, 5, 10)  # when the world begins


def test_what_is_said_of_issues_and_pull_requests_together(tmp_path: Path) -> None:
    world = World(ManualClock())
    project = world.add_project("ABC")
    story = ("10001", "Story", 0)
    live(world, project, "1", (1, "3"), (49, "10"), kind=story)  # done at 50
    live(world, project, "1", kind=("10002", "Bug", 0))  # merged, and open
    live(world, project, "1", (1, "3"), kind=story)  # its pull request is open
    live(world, project, "1", kind=story)  # without any
    let_pass(world, hours=100)

    def pull_request(title: str, opened: float, merged: float | None, **more: object) -> History:
        given = {"author": ANN, "created_at": BEGUN + hours(opened), "title": title, **more}
        return History(**given, merged_at=None if merged is None else BEGUN + hours(merged))  # type: ignore[arg-type]

    reviews = [
        Review(1, BOB, "COMMENTED", BEGUN + hours(5)),
        Review(2, BOB, "APPROVED", BEGUN + hours(8)),
    ]
    with issue_lab(world, tmp_path) as lab:
        lab.add(
            pull_request("ABC-1 thrown away", 2, None, closed_at=BEGUN + hours(3)),
            pull_request("ABC-1", 4, 9, reviews=reviews, first_commit_at=BEGUN + hours(3)),
            pull_request("ABC-1 again", 45, 60),
            pull_request("ABC-2", 4, 10, reviews=[Review(3, BOB, "APPROVED", BEGUN + hours(8))]),
            pull_request("ABC-3", 4, None),
            pull_request("none", 4, 11),
            pull_request("none of a bot", 4, None, author=BOT),
            pull_request("ABC-77", 4, None),
        )
        lab.compute()
        waterfall, without, odd, times, weeks, devlake, fivetran = lab.published(
            "FROM issue_waterfall ORDER BY issue_id",
            "SELECT issue_key FROM issues_without_pull_request",
            "SELECT issue_key, kind FROM issues_out_of_step ORDER BY ALL",
            "FROM issue_review_times WHERE dimension = 'issue_type' ORDER BY value",
            "FROM issue_links_weekly",
            "SELECT lead_time_minutes, status FROM compat_devlake_issues ORDER BY issue_id",
            "SELECT open_duration_seconds, first_assigned_at FROM compat_fivetran_jira ORDER BY issue_id LIMIT 1",
        )
        first = waterfall[0]
        assert (first["number"], first["pull_requests"]) == (2, 2)
        assert [value for name, value in first.items() if name.endswith("_hours")] == [
            1.0,  # created to started
            2.0,  # to the first commit
            1.0,  # to the opening
            3.0,  # from the start to the opening
            1.0,  # to the first review
            3.0,  # to the approval
            1.0,  # to the merge
            41.0,  # until done
        ]
        assert [row["number"] for row in waterfall] == [2, 4, 5, None]
        assert waterfall[2]["opened_to_first_review_hours"] is None
        assert [row["issue_key"] for row in without] == ["ABC-4"]
        assert [(row["issue_key"], row["kind"]) for row in odd] == [
            ("ABC-1", "done_before_merge"),
            ("ABC-2", "merged_and_open"),
        ]
        assert [
            (t["value"], t["n"], t["review_time_hours_nulls"], t["review_time_hours_median"]) for t in times
        ] == [
            ("Bug", 1, 0, 4.0),
            ("Story", 4, 3, 1.0),
        ]
        (week,) = [w for w in weeks if w["n_bot_authors"]]
        assert {
            k: week[k] for k in ("n", "n_without_issue", "n_unresolved", "n_bots_without_issue", "projects")
        } == {
            "n": sum(w["n"] for w in weeks),
            "n_without_issue": 1,
            "n_unresolved": 1,
            "n_bots_without_issue": 1,
            "projects": "ABC",
        }
        assert [(d["lead_time_minutes"], d["status"]) for d in devlake] == [
            (3000, "DONE"),
            (None, "TODO"),
            (None, "IN_PROGRESS"),
            (None, "TODO"),
        ]
        assert fivetran == [{"open_duration_seconds": 180_000, "first_assigned_at": None}]
