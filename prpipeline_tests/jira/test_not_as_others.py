"""What other tools for Jira get wrong, each by its name: a life that each of them loses something of is stored whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import Fault, JiraSandbox, Quirks, World
from prpipeline.sandbox.jira.model import POINTS_FLOAT
from prpipeline.settings import JiraOptions
from prpipeline_tests.support.jira_lab import JiraLab, let_pass, small_world

STEPS = 131


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JiraLab]:
    """One issue with everything, one with nothing, one that is broken; a site of other words; synced once."""
    world = World(ManualClock())
    world.statuses["4"].name = "评审中"
    world.statuses["10"].name, world.statuses["10"].category = "Erledigt", "done"
    world.bot.zone = "America/New_York"
    project = world.add_project("ABC")
    ann = world.add_user("5e0001", "Ann Lee", email="ann@example.com")
    epic = world.create(project, "The epic", kind=("10000", "Epic", 1))
    full = world.create(project, "All of it", kind=("10002", "Bug", 0), reporter=ann, parent=epic.id)
    full.fields |= {"labels": ["a", "b"], "priority": {"id": "2", "name": "High"}}
    first, second = world.add_sprint("Sprint 1", state="closed"), world.add_sprint("Sprint 2")
    world.set_sprints(full, [first])
    world.set_sprints(full, [first, second])
    world.set_points(full, 0.5, POINTS_FLOAT)
    world.assign(full, ann)
    for number in range(STEPS):
        let_pass(world, minutes=1)
        world.transition(full, ("3", "4", "10")[number % 3])
    bare = world.create(project, "Nothing", reporter=None)
    for name in ("priority", "resolution", "assignee", "labels", "components", "fixVersions", "duedate"):
        del bare.fields[name]
    bare.fields |= {"reporter": None, "creator": None}
    broken = world.create(project, "Impossible")
    broken.fields["resolutiondate"] = "yesterday"
    let_pass(world, hours=1)
    with JiraSandbox(world) as server:
        found = JiraLab(server, tmp_path_factory.mktemp("lab"), options=JiraOptions(projects=("ABC",)))
        found.sync()
        yield found


@pytest.mark.parametrize(
    ("defect", "sql", "answer"),
    [
        (
            "issues are flattened before they are converted, so that nothing but id and key is stored",
            "SELECT summary, issue_type, status_id, priority, assignee_id, reporter_id, parent_key, labels "
            "FROM raw.jira_issues WHERE issue_key = 'ABC-2'",
            [("All of it", "Bug", "4", "High", "5e0001", "5e0001", "ABC-1", ["a", "b"])],
        ),
        (
            "sprint columns are never filled",
            "SELECT sprint_ids, (SELECT list(name ORDER BY sprint_id) FROM raw.jira_sprints) "
            "FROM raw.jira_issues WHERE issue_key = 'ABC-2'",
            [([1, 2], ["Sprint 1", "Sprint 2"])],
        ),
        (
            "story points are read from customfield_10016 alone, and as whole numbers",
            "SELECT story_points FROM raw.jira_issues WHERE issue_key = 'ABC-2'",
            [(0.5,)],
        ),
        (
            "a changelog ends at its newest hundred entries",
            "SELECT count(*), min(from_id) FILTER (WHERE created_at = first) FROM (SELECT *, min(created_at) OVER () AS first "
            "FROM raw.jira_changes WHERE field = 'status')",
            [(STEPS, "1")],
        ),
        (
            "categories are recognised by English names",
            "SELECT name, category FROM raw.jira_statuses WHERE status_id IN ('4', '10') ORDER BY ALL",
            [("Erledigt", "done"), ("评审中", "indeterminate")],
        ),
        (
            "missing and null fields stop the sync",
            "SELECT assignee_id, reporter_id, priority, labels, story_points FROM raw.jira_issues WHERE issue_key = 'ABC-3'",
            [(None, None, None, [], None)],
        ),
        (
            "one bad issue stops the rest, or is passed over in silence",
            "SELECT (SELECT count(*) FROM raw.jira_issues), watermark_at, status, contains(last_error, 'ABC-4') "
            "FROM meta.jira_projects",
            [(3, None, "failed", True)],
        ),
        (
            "people come from a search for everybody, which finds nobody",
            "SELECT display_name, email FROM raw.jira_users WHERE account_id = '5e0001'",
            [("Ann Lee", "ann@example.com")],
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) and " " in value and "SELECT" not in value else "",
)
def test_what_is_stored_after_one_sync(lab: JiraLab, defect: str, sql: str, answer: list[Any]) -> None:
    assert lab.rows(sql) == answer, defect


def test_only_what_exists_today_is_asked(lab: JiraLab) -> None:
    """Neither the search that was removed in 2025, nor users, nor the capped changelog, nor every field there is."""
    paths = {path.partition("?")[0] for path in lab.server.paths()}
    assert not paths & {"search", "users/search", "user/search"}
    assert not any("expand=changelog" in request.query_string for request in lab.server.requests)
    assert all("*all" not in str(request.body) for request in lab.server.requests)


def test_a_sync_that_fails_as_a_whole_is_no_success_and_is_tried_again(tmp_path: Any) -> None:
    world, _ = small_world()
    with JiraSandbox(world) as server:
        it = JiraLab(server, tmp_path, attempts=1)
        server.faults.append(Fault("/myself", 500))
        failed = it.sync()["ABC"]
        assert (failed.mode, failed.issues) == ("failed", 0)
        (row,) = it.rows("SELECT status, last_error, last_sync_at FROM meta.jira_projects")
        assert row[0] == "failed"
        assert "Jira answered 500" in row[1]
        assert row[2] is None
        assert it.sync_well()["ABC"].issues == 12
        assert it.rows("SELECT status, last_error FROM meta.jira_projects") == [("ok", None)]


def test_what_changes_during_a_sync_is_in_the_next_one(tmp_path: Any) -> None:
    """The watermark is Jira's time at the beginning: the machine's own at the end would pass it over."""
    world, _ = small_world()
    with JiraSandbox(world, quirks=Quirks(ids_a_page=4)) as server:
        it = JiraLab(server, tmp_path)
        seen: list[str] = []

        def change(request: Any) -> None:
            if request.path.endswith("changelog/bulkfetch") and not seen:
                seen.append(request.path)
                assert isinstance(world.clock, ManualClock)
                world.clock.advance(timedelta(minutes=30))
                world.transition(world.issues[10_001], "11")
                world.clock.advance(timedelta(minutes=30))

        server.before_request = change
        it.sync_well()
        server.before_request = None
        let_pass(world, minutes=1)
        it.sync_well()
        (status,) = it.rows("SELECT status_id FROM raw.jira_issues WHERE issue_id = 10001")
        assert status == ("11",)
