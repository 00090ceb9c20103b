"""Times and statuses of issues: lives in a stand-in for Jira, through one sync, to the tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prpipeline import metrics
from prpipeline.metrics.checks import Check, all_checks, find
from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import Issue, World
from prpipeline.sandbox.jira.model import Status
from prpipeline.sandbox.jira.world import item
from prpipeline.settings import MetricSettings
from prpipeline.warehouse import Warehouse
from prpipeline.warehouse.copying import copy
from prpipeline.warehouse.file_store import FileStore
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.issue_lab import AS_OF, IssueLab, issue_lab, live
from prpipeline_tests.support.jira_lab import let_pass

TODO, DOING, REVIEW, DONE, WONT, PARKED, NONE_SUCH = "1", "3", "4", "10", "11", "99", "777"

# name: (status at creation, (hours later, status), …; lead, cycle, times reopened, hours new, indeterminate, done, unknown)
LIVES: dict[str, tuple[str, tuple[tuple[float, str], ...], tuple[Any, ...]]] = {
    "nothing happened": (TODO, (), (None, None, 0)),
    "as usual": (TODO, ((2, DOING), (3, REVIEW), (4, DONE)), (9.0, 7.0, 0, 2.0, 7.0, 0.0, 0.0)),
    "born in progress": (DOING, ((5, DONE),), (5.0, 5.0, 0, 0.0, 5.0, 0.0, 0.0)),
    "straight to done": (TODO, ((6, DONE),), (6.0, None, 0, 6.0, 0.0, 0.0, 0.0)),
    "born done": (DONE, (), (0.0, None, 0, 0.0, 0.0, 0.0, 0.0)),
    "from done to done": (TODO, ((1, DOING), (2, DONE), (5, WONT)), (3.0, 2.0, 0, 1.0, 2.0, 0.0, 0.0)),
    "reopened twice": (
        TODO,
        ((1, DONE), (1, DOING), (1, DONE), (1, TODO), (1, WONT)),
        (5.0, 3.0, 2, 2.0, 1.0, 2.0, 0.0),
    ),
    "reopened and open": (TODO, ((1, DONE), (2, DOING)), (None, None, 1)),
    "reopened for no time": (TODO, ((1, DONE), (2, DOING), (0, DONE)), (3.0, 0.0, 1, 1.0, 0.0, 2.0, 0.0)),
    "parked": (TODO, ((1, PARKED), (2, DOING), (4, DONE)), (7.0, 4.0, 0, 1.0, 4.0, 0.0, 2.0)),
    "seconds count": (TODO, ((1 / 3600, DOING), (17.999 / 3600, DONE)), (0.01, 0.0, 0)),
    "to a status that is deleted": (
        TODO,
        ((1, DONE), (2, NONE_SUCH), (3, DONE)),
        (6.0, None, 0, 1.0, 0.0, 2.0, 3.0),
    ),
    "in a status that is deleted": (TODO, ((1, DOING), (2, NONE_SUCH)), (None, None, 0)),
}


def _special(world: World, project: Any) -> dict[str, Issue]:
    """Lives that are no list of steps."""
    without = live(world, project, TODO)
    let_pass(world, hours=1)
    world.change(without, item("status", TODO, "To Do", DONE, "Done"), status=DONE)
    resolved = live(world, project, DOING)
    world.change(resolved, resolution={"id": "1", "name": "Done"}, resolutiondate=world.now())
    twice = live(world, project, TODO)
    let_pass(world, hours=1)
    world.change(  # two items in one entry
        twice, item("status", TODO, "To Do", DOING, ""), item("status", DOING, "", DONE, ""), status=DONE
    )
    gap = live(world, project, TODO, (1, DOING))
    let_pass(world, hours=2)
    world.change(gap, status=DONE, statuscategorychangedate=world.now())
    let_pass(world, hours=1)
    world.change(gap, item("summary", None, "a", None, "b"), summary="b")
    silent = live(world, project, TODO, (1, DOING))
    world.change(silent, status=REVIEW)
    return {
        "done without resolution": without,
        "resolution without done": resolved,
        "two in one": twice,
        "gap": gap,
        "silent": silent,
    }


@pytest.fixture(scope="module")
def lab() -> Iterator[IssueLab]:
    world = World(clock := ManualClock())
    project = world.add_project("ABC")
    world.statuses[NONE_SUCH] = Status(NONE_SUCH, "Limbo", "indeterminate")
    issues = {name: live(world, project, first, *steps) for name, (first, steps, _) in LIVES.items()}
    issues |= _special(world, project)
    clock.set(datetime(2026, 1, 30, 16, tzinfo=UTC))
    issues["over a weekend"] = live(world, project, TODO, (0.5, DOING), (65.5, DONE))
    del world.statuses[NONE_SUCH]
    for name, issue in issues.items():
        issue.fields["summary"] = name
    let_pass(world, hours=1)
    with issue_lab(world, lasting_folder()) as lab:
        lab.compute()
        yield lab


def of(lab: IssueLab, name: str, table: str = "issue_times") -> list[dict[str, Any]]:
    return lab.table(
        f"FROM metrics.{table} SEMI JOIN (SELECT issue_id FROM metrics.issues WHERE summary = '{name}') USING (issue_id)"
    )


COLUMNS = (
    "lead_time_hours",
    "cycle_time_hours",
    "times_reopened",
    "hours_new",
    "hours_indeterminate",
    "hours_done",
    "hours_unknown",
)


@pytest.mark.parametrize("name", LIVES)
def test_a_life(lab: IssueLab, name: str) -> None:
    (found,) = of(lab, name)
    expected = LIVES[name][2]
    assert tuple(found[column] for column in COLUMNS[: len(expected)]) == expected


@pytest.mark.parametrize(
    ("name", "lead", "done", "resolved"),
    [
        ("done without resolution", 1.0, True, False),
        ("resolution without done", None, False, True),
        ("two in one", 1.0, True, False),
        ("gap", 3.0, True, False),
        ("silent", None, False, False),
    ],
)
def test_a_special_life(lab: IssueLab, name: str, lead: float | None, done: bool, resolved: bool) -> None:
    (times,), (issue,) = of(lab, name), of(lab, name, "issues")
    assert times["lead_time_hours"] == lead
    assert (issue["done_at"] is not None, issue["resolved_at"] is not None) == (done, resolved)
    assert issue["has_broken_changes"] == (name in {"gap", "silent"})


def test_spans_are_the_life(lab: IssueLab) -> None:
    spans = of(lab, "reopened for no time", "issue_status_spans")
    found = [
        (s["status"], s["status_category"], s["hours"]) for s in sorted(spans, key=lambda s: s["started_at"])
    ]
    assert found == [("To Do", "new", 1.0), ("Done", "done", 2.0), ("Done", "done", None)]
    (unknown,) = [
        s for s in of(lab, "to a status that is deleted", "issue_status_spans") if s["status"] == "Limbo"
    ]
    assert (unknown["status_category"], unknown["hours"]) == (None, 3.0)
    # When it left the status is not known.
    assert [s["status"] for s in of(lab, "silent", "issue_status_spans")] == ["To Do"]
    assert {s["status"]: s["hours"] for s in of(lab, "gap", "issue_status_spans")} == {
        "To Do": 1.0,
        "In Progress": 2.0,
        "Done": None,
    }


def test_business_hours_are_those_of_the_calendar(lab: IssueLab) -> None:
    """From Friday 16:00 to Monday 10:00."""
    (found,) = of(lab, "over a weekend")
    assert (found["lead_time_hours"], found["lead_time_business_hours"]) == (66.0, 2.0)
    assert found["cycle_time_business_hours"] == 1.5


def test_a_status_that_is_renamed_or_put_elsewhere_is_so_for_all(tmp_path: Path) -> None:
    world = World(ManualClock())
    project = world.add_project("ABC")
    live(world, project, TODO, (1, REVIEW), (2, DONE))
    live(world, project, TODO, (1, REVIEW))
    with issue_lab(world, tmp_path) as lab:
        world.statuses[REVIEW].name, world.statuses[REVIEW].category = "\u5b8c\u6210", "done"
        let_pass(world, hours=1)
        lab.sync_well()
        lab.compute()
        found = lab.table("FROM metrics.issues JOIN metrics.issue_times USING (issue_id) ORDER BY issue_id")
        assert [(f["lead_time_hours"], f["times_reopened"], f["cycle_time_hours"]) for f in found] == [
            (1.0, 0, None)
        ] * 2
        assert [(f["status"], f["status_category"]) for f in found] == [
            ("Done", "done"),
            ("\u5b8c\u6210", "done"),
        ]
        spans = lab.table("SELECT DISTINCT status FROM metrics.issue_status_spans")
        assert {s["status"] for s in spans} == {"To Do", "\u5b8c\u6210", "Done"}


def test_moved_renamed_hidden_and_deselected_issues(tmp_path: Path) -> None:
    world = World(ManualClock())
    abc, other, out = (world.add_project(key) for key in ("ABC", "IF", "OUT"))
    epic = world.create(abc, "Epic", kind=("1", "Epic", 1))
    story, task, moved, away, hidden = (world.create(abc, f"Work {n}") for n in range(5))
    task.fields["issuetype"]["hierarchyLevel"] = -1
    world.set_parent(story, epic)
    world.set_parent(task, story)
    world.set_points(story, 5)
    world.set_sprints(story, [world.add_sprint("One", state="closed"), world.add_sprint("Two")])
    linked = world.create(abc, "By link")
    world.set_parent(linked, epic, by_epic_link=True)
    let_pass(world, hours=1)
    with issue_lab(world, tmp_path, ("ABC", "IF")) as lab:
        lab.add(
            ("ABC-4: a", None),
            ("ABC-5: b", None),
            ("ABC-6: c", None),
            ("IF-1", "out-1"),
            ("NEW-2, ABC-3", None),
        )
        world.move(moved, other)
        world.move(away, out)
        world.move(epic, other)
        hidden.is_hidden = True
        let_pass(world, hours=1)
        lab.sync_well(reconcile=True)
        world.rename_project(abc, "NEW")
        lab.sync_well(reconcile=True)
        lab.compute()
        found = {row["issue_id"]: row for row in lab.table("FROM metrics.issues")}
        assert [found[i.id]["parent_key"] for i in (story, task, linked)] == ["IF-2", "NEW-2", "IF-2"]
        assert [found[i.id]["epic_key"] for i in (story, task, linked)] == ["IF-2"] * 3
        assert found[story.id]["sprint"] == "Two"
        assert (found[story.id]["story_points"], found[story.id]["points_class"]) == (5.0, "4-5")
        assert [(found[i.id]["is_gone"], found[i.id]["is_tracked"]) for i in (moved, away, hidden)] == [
            (False, True),
            (False, False),
            (True, True),
        ]
        links = {
            (r["number"], r["issue_key"]): r["issue_id"]
            for r in lab.table("FROM metrics.pull_request_issues")
        }
        assert links == {
            (1, "ABC-4"): moved.id,
            (2, "ABC-5"): away.id,
            (3, "ABC-6"): hidden.id,
            (4, "IF-1"): moved.id,
            (5, "NEW-2"): story.id,
            (5, "ABC-3"): task.id,
        }
        lab.select("IF")
        lab.compute(anew=False)
        assert {r["issue_key"] for r in lab.table("FROM metrics.pull_request_issues")} == {"IF-1", "ABC-4"}
        assert not any(r["is_tracked"] for r in lab.table("FROM metrics.issues WHERE project_key = 'NEW'"))


DAMAGE = {
    "row_per_issue": "DELETE FROM metrics.issue_times WHERE issue_key = 'ABC-1'",
    "status_spans_follow_each_other": "UPDATE metrics.issue_states SET ended_at = ended_at + INTERVAL 9 HOUR",
    "issue_moments_in_order": "UPDATE metrics.issues SET done_at = TIMESTAMP '2001-01-01' WHERE issue_key = 'ABC-2'",
    "issue_hours_add_up": "UPDATE metrics.issue_times SET hours_new = hours_new + 1 WHERE issue_key = 'ABC-2'",
    "issue_links_are_sound": "INSERT INTO metrics.pull_request_issues FROM metrics.pull_request_issues",
    "issue_links_add_up": "DELETE FROM metrics.issue_links_weekly",
    "changelogs_are_whole": "UPDATE metrics.issues SET has_broken_changes = true WHERE issue_key = 'ABC-1'",
    "unique_jira_issues": "INSERT INTO raw.jira_issues FROM raw.jira_issues",
    "unique_jira_changes": "DELETE FROM raw.jira_issues WHERE issue_key = 'ABC-2'",
    "unique_jira_keys": "UPDATE raw.jira_keys SET is_current = false WHERE issue_key = 'ABC-1'",
    "jira_statuses_are_known": "DELETE FROM raw.jira_statuses",
    "jira_times_are_in_order": "UPDATE raw.jira_issues SET updated_at = TIMESTAMP '2001-01-01' WHERE issue_key = 'ABC-1'",
}
CHECKS = [check for check in all_checks(None, with_jira=True) if check.is_of_jira]


def test_every_check_of_jira_has_its_damage() -> None:
    assert {check.name for check in CHECKS} == set(DAMAGE)
    assert not {check.name for check in all_checks(None)} & set(DAMAGE)


@pytest.fixture(scope="module")
def two_issues() -> Iterator[IssueLab]:
    world = World(ManualClock())
    project = world.add_project("ABC")
    live(world, project, TODO)
    live(world, project, TODO, (2, DOING), (3, DONE))
    with issue_lab(world, lasting_folder()) as lab:
        lab.add(("ABC-1", "abc-2"))
        lab.compute()
        yield lab


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check(two_issues: IssueLab, check: Check) -> None:
    with two_issues.warehouse.transaction() as connection:
        (before,) = find(connection, [check])
        connection.execute(DAMAGE[check.name])
        (after,) = find(connection, [check])
        connection.execute("ROLLBACK")
        connection.execute("BEGIN")
    assert (before.count, after.count > 0) == (0, True)
    assert check.description.endswith(".")


def test_a_copy_of_the_warehouse_has_the_views_too(lab: IssueLab, tmp_path: Path) -> None:
    other = Warehouse(FileStore(tmp_path / "copy" / "warehouse.duckdb"))
    other.path.parent.mkdir()
    copy(lab.warehouse.store, other.store)
    query = "SELECT count(*), sum(hash(COLUMNS(*)::VARCHAR)) FROM metrics.issue_status_spans"
    with lab.warehouse.transaction() as here, other.transaction() as there:
        assert here.execute(query).fetchall() == there.execute(query).fetchall()
    with other.transaction() as connection:
        metrics.rebuild_aggregates(connection, MetricSettings(), AS_OF)
        times = "SELECT sum(lead_time_hours) FROM metrics.issue_times"
        total = connection.execute(times).fetchall()
    assert total == [tuple(row.values()) for row in lab.table(times)]
