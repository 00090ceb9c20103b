"""Odd times, texts, points, sprints, parents, statuses and keys, of both editions: from Jira and GitHub to what is
published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest

from prpipeline.sandbox.github import ManualClock, Sandbox
from prpipeline.sandbox.jira import JiraSandbox, Project, Status, World
from prpipeline.sandbox.jira.model import POINTS, POINTS_FLOAT
from prpipeline_tests.jira.conftest import new_shell, select, sync_by_steps
from prpipeline_tests.metrics.test_issue_links import VECTORS
from prpipeline_tests.support.jira_lab import let_pass
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import small_world as github_world

# The texts that Jira serves, and what is published.
TIMES: dict[str, datetime] = {
    "2025-11-01T11:09:27.985+0800": datetime(2025, 11, 1, 3, 9, 27, 985_000),
    "2025-11-01T11:09:27.985+0000": datetime(2025, 11, 1, 11, 9, 27, 985_000),
    "2025-11-01T11:09:27.985-0330": datetime(2025, 11, 1, 14, 39, 27, 985_000),
    "2025-11-01T11:09:27.985Z": datetime(2025, 11, 1, 11, 9, 27, 985_000),
    "2025-11-01T11:09:27+0800": datetime(2025, 11, 1, 3, 9, 27),
}
NO_TIMES = (None, "", "yesterday", 5, "0001-01-01T00:00:00.000+0000")
TEXTS: dict[str, str] = {
    "a\0b": "ab",
    "\0": "",
    "\u200bAn invisible beginning": "\u200bAn invisible beginning",
    "half \ud83d!": "half ?!",
    "x" * 32_767: "x" * 32_767,
    "新建 <b>'\"; DROP TABLE issues -- 𝒳": "新建 <b>'\"; DROP TABLE issues -- 𝒳",
}
# The values of the two fields for points, and what is published.
POINT_VALUES: list[tuple[dict[str, Any], float | None, str | None]] = [
    ({POINTS: 0}, 0.0, "0-1"),
    ({POINTS: 0.5}, 0.5, "0-1"),
    ({POINTS: "3"}, 3.0, "2-3"),
    ({POINTS: 5, POINTS_FLOAT: 8}, 5.0, "4-5"),
    ({POINTS: None, POINTS_FLOAT: 8}, 8.0, "6-8"),
    ({POINTS_FLOAT: 13.0}, 13.0, "over 8"),
    ({POINTS: "many"}, None, None),
    ({POINTS: True}, None, None),
    ({}, None, None),
]
SPRINTS: list[tuple[list[int] | None, str | None]] = [
    (None, None),
    ([], None),
    ([1], "A, b=c"),
    ([1, 3], "Third"),
    ([2, 1, 3], "Now"),  # the one that runs, though it is not the last
]

COLUMNS = (
    *("issue_key", "created_at", "resolved_at", "due_on", "summary", "labels", "priority", "issue_type"),
    *("story_points", "points_class", "sprint", "sprint_state", "parent_key", "epic_key", "epic"),
    *("status", "status_category", "components", "fix_versions", "assignee_id", "reporter_id"),
)


def _odd(world: World, project: Project) -> None:
    """Issues that are told apart by their labels."""
    world.statuses["50"], world.statuses["51"] = (
        Status("50", "新建", "new"),
        Status("51", "已完成", "done"),
    )
    ann = world.add_user("5e\u00e9-ann", "\u200bA\0nn", email="Grace@Example.com")
    for name, state in (("A, b=c", "closed"), ("Now", "active"), ("Third", "future")):
        world.add_sprint(name, state=state, start=world.now())
    for number, text in enumerate(TIMES):
        world.create(
            project, labels=[f"time {number}"], created=text, resolutiondate=text, duedate="2026-03-01"
        )
    for number, text in enumerate(TEXTS):
        world.create(project, text, labels=[f"text {number}", text[:40]])
    for number, (fields, *_) in enumerate(POINT_VALUES):
        world.create(project, labels=[f"points {number}"], **fields)
    for number, (ids, _) in enumerate(SPRINTS):
        issue = world.create(project, labels=[f"sprints {number}"])
        if ids is not None:
            world.set_sprints(issue, [world.sprints[i] for i in ids])
    epic = world.create(project, "史诗", kind=("1", "史诗", 1), labels=["epic"])
    story = world.create(project, labels=["linked"], kind=("2", "故事", 0))
    world.set_parent(story, epic, by_epic_link=True)
    task = world.create(project, labels=["task"], kind=("3", "子任务", -1), reporter=ann)
    world.set_parent(task, story)
    chinese = world.create(
        project,
        labels=["chinese"],
        status="50",
        priority={"id": "1", "name": "最高"},
        components=[{"name": "后端"}],
        fixVersions=[{"name": "v1"}],
        assignee=ann.account_id,
    )
    let_pass(world, hours=3)
    world.transition(chinese, "51", author=ann)


@pytest.fixture(scope="module", params=["cloud", "data-center"])
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """After a sync of a project of oddities, one with impossible times, and pull requests with all sorts of keys."""
    world = World(ManualClock())
    for key in ("ABC", "ABC2", "A_B", "OUT"):
        project = world.add_project(key)
        for _ in range(3):
            world.create(project)
    _odd(world, world.add_project("IF"))
    bad = world.add_project("BAD")
    for text in NO_TIMES:
        world.create(bad, created=text)
    world.create(bad, "A good one")
    let_pass(world, hours=1)
    pull_requests = github_world(0)
    for title, branch in VECTORS:
        pull_requests.open_pull_request("octo/app", "grace", title, head=branch or "topic")
    pull_requests.actor("grace").email = "grace@example.com"
    context = "" if request.param == "cloud" else "/jira"
    with (
        Sandbox(pull_requests) as github,
        JiraSandbox(world, edition=request.param, context=context) as jira,
    ):
        found = new_shell(tmp_path_factory.mktemp("published"), github, jira)
        select(found.folder, "[ABC, ABC2, A_B, IF, BAD]")
        found.environment["JIRA_URL"] = f"{jira.url}/"
        said = "".join(sync_by_steps(found, publishes=request.param == "cloud"))
        for number in range(1, len(NO_TIMES) + 1):
            assert f"BAD-{number}: " in said
        yield found


Query = Callable[[str], list[tuple[Any, ...]]]
Issues = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def query(shell: Shell) -> Query:
    """What is published; of Data Center what is computed, for publishing copies what it does not tell from the Cloud's."""
    return shell.published if (shell.data / "published").exists() else shell.computed


@pytest.fixture(scope="module")
def issues(query: Query) -> Issues:
    """Those with labels, by the first of them."""
    rows = query(f"SELECT {', '.join(COLUMNS)} FROM issues WHERE labels IS NOT NULL")
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    by_label = {row["labels"].partition(", ")[0]: row for row in found}
    assert len(by_label) == len(found)
    return by_label


def of(issues: Issues, label: str, columns: str) -> tuple[Any, ...]:
    """These columns of the issue with this label."""
    return tuple(issues[label][column] for column in columns.split(", "))


def test_times_are_published_in_utc(issues: Issues) -> None:
    for number, moment in enumerate(TIMES.values()):
        assert of(issues, f"time {number}", "created_at, resolved_at, due_on") == (
            moment,
            moment,
            date(2026, 3, 1),
        )


def test_issues_with_impossible_times_stop_no_other_and_are_not_published(shell: Shell, query: Query) -> None:
    rows = query("SELECT issue_key, summary FROM issues WHERE project_key = 'BAD'")
    assert rows == [(f"BAD-{len(NO_TIMES) + 1}", "A good one")]
    failed = {project["project"]: project for project in shell.json("status", "--json")["jira"]}
    assert [key for key, project in failed.items() if project["status"] != "ok"] == ["BAD"]


def test_texts_are_published_but_for_what_no_text_can_hold(issues: Issues) -> None:
    for number, (text, published) in enumerate(TEXTS.items()):
        found = of(issues, f"text {number}", "summary, labels")
        label = text[:40].replace("\0", "").replace("\ud83d", "?")
        assert found == (published, ", ".join(filter(None, [f"text {number}", label])))


@pytest.mark.parametrize("shell", ["cloud"], indirect=True)
def test_half_a_character_is_explained(shell: Shell, issues: Issues) -> None:
    key = of(issues, "text 3", "issue_key")[0]
    assert "half ?!" in shell.run("explain", key).stdout


@pytest.mark.parametrize(
    ("number", "points", "points_class"), [(n, *p[1:]) for n, p in enumerate(POINT_VALUES)]
)
def test_points(issues: Issues, number: int, points: float | None, points_class: str | None) -> None:
    assert of(issues, f"points {number}", "story_points, points_class") == (points, points_class)


@pytest.mark.parametrize(("number", "sprint"), [(n, s[1]) for n, s in enumerate(SPRINTS)])
def test_sprints(issues: Issues, number: int, sprint: str | None) -> None:
    states = {"A, b=c": "closed", "Now": "active", "Third": "future", None: None}
    assert of(issues, f"sprints {number}", "sprint, sprint_state") == (sprint, states[sprint])


def test_parents_and_epics_by_field_and_by_link(issues: Issues) -> None:
    (epic,), (story,) = of(issues, "epic", "issue_key"), of(issues, "linked", "issue_key")
    columns = "issue_type, parent_key, epic_key, epic"
    assert of(issues, "epic", columns) == ("史诗", None, None, None)
    assert of(issues, "linked", columns) == ("故事", epic, epic, "史诗")
    assert of(issues, "task", columns) == ("子任务", story, epic, "史诗")
    assert of(issues, "chinese", columns) == ("Story", None, None, None)


def test_names_in_any_language(query: Query, issues: Issues) -> None:
    columns = "status, status_category, priority, components, fix_versions"
    assert of(issues, "chinese", columns) == ("已完成", "done", "最高", "后端", "v1")
    spans = query(
        "SELECT status, status_category, hours FROM issue_status_spans "
        "SEMI JOIN (FROM issues WHERE labels = 'chinese') USING (issue_id) ORDER BY started_at"
    )
    assert spans == [("新建", "new", 3.0), ("已完成", "done", None)]


def test_people_are_known_by_account_or_by_key(
    query: Query, issues: Issues, request: pytest.FixtureRequest
) -> None:
    expected = "JIRAUSER5eé-ann" if "data-center" in request.node.name else "5eé-ann"
    assert of(issues, "chinese", "assignee_id") == (expected,)
    assert of(issues, "task", "reporter_id") == (expected,)
    assert query("SELECT login, account_id, display_name, method FROM people_accounts") == [
        ("grace", expected, "\u200bAnn", "e-mail")
    ]


@pytest.mark.parametrize("shell", ["cloud"], indirect=True)
def test_keys_in_titles_and_branches_of_github(shell: Shell) -> None:
    rows = shell.published(
        "SELECT title, source, issue_key, is_primary, issue_id FROM pull_request_issues JOIN pull_requests "
        "USING (repository, number) ORDER BY number, is_primary DESC, source DESC, position"
    )
    wanted = [
        (title, *key.split(":"), place == 0)
        for (title, _), keys in VECTORS.items()
        for place, key in enumerate(keys)
    ]
    assert [row[:-1] for row in rows] == wanted
    known = dict(shell.published("SELECT issue_key, issue_id FROM issues"))
    assert [row[-1] for row in rows] == [known.get(row[2]) for row in rows]
