"""All records of a real Jira, through the transport into what is published: column by column what plain Python reads."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from prpipeline.jira import custom_fields, mapping
from prpipeline.jira.custom_fields import CustomFields
from prpipeline.sandbox.jira import recorded_world
from prpipeline.settings import JiraOptions
from prpipeline_tests.support import issue_reference, recorded_issues, stores
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.issue_lab import AS_OF, IssueLab, issue_lab
from prpipeline_tests.support.jira_lab import let_pass
from prpipeline_tests.support.recorded_issues import Reader, Records, utc, words
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.slow import some_slow


class Recorded(NamedTuple):
    """Records that were read and computed, and who reads them in plain Python."""

    lab: IssueLab
    records: Records
    reader: Reader


EDITIONS = ["cloud", "data-center"]


@pytest.fixture(scope="module", params=some_slow(EDITIONS, "cloud"))
def recorded(request: pytest.FixtureRequest) -> Iterator[Recorded]:
    records = recorded_issues.put_together(recorded_issues.read())
    folder = lasting_folder()
    world = recorded_world(records.write(folder / "records.jsonl.gz"))
    projects = sorted(str(number) for number in world.projects)
    with stores.attached(), issue_lab(world, folder, projects, edition=request.param) as lab:
        lab.compute()
        reader = Reader(records, lab.server.url, is_cloud=request.param == "cloud")
        yield Recorded(lab, records, reader)


@pytest.fixture(scope="module")
def published(recorded: Recorded) -> list[dict[str, Any]]:
    """All issues; Data Center's as computed, for publishing copies what it does not tell from the Cloud's."""
    issues = "FROM issues ORDER BY issue_id"
    if recorded.lab.server.edition == "cloud":
        (rows,) = recorded.lab.published(issues)
        return rows
    return recorded.lab.table(issues.replace("issues", "metrics.issues"))


def test_every_record_is_in_use(recorded: Recorded) -> None:
    """Else the tests below would pass over some."""
    used: dict[str, set[str]] = {}
    for body in recorded.records.issues:
        fields = body["fields"]
        used.setdefault("issue", set()).add(body["id"])
        used.setdefault("status", set()).add(fields["status"]["id"])
        used.setdefault("issue_type", set()).add(fields["issuetype"]["id"])
        used.setdefault("project", set()).add(fields["project"]["id"])
        used.setdefault("sprint", set()).update(
            str(each["id"]) for each in fields[recorded_issues.SPRINT] or ()
        )
        people = (fields.get(role) for role in ("assignee", "reporter"))
        used.setdefault("user", set()).update(person["accountId"] for person in people if person)
    for kind, payloads in recorded.records.payloads.items():
        if kind != "field":
            assert {str(each.get("id") or each.get("accountId")) for each in payloads} <= used[kind], kind
    assert used["issue"] >= {str(issue_id) for issue_id in recorded.records.changes}


def test_recorded_issues_are_published_as_they_are(
    recorded: Recorded, published: list[dict[str, Any]]
) -> None:
    bodies = sorted(recorded.records.issues, key=lambda body: int(body["id"]))
    assert len(published) == len(bodies) == 33 + 3 + 53
    for row, body in zip(published, bodies, strict=True):
        assert row == recorded.reader.issue(body)


@pytest.mark.parametrize("recorded", ["cloud"], indirect=True)
@pytest.mark.usefixtures("published")
def test_odd_texts_are_explained_without_what_a_terminal_obeys(recorded: Recorded) -> None:
    folder = recorded.lab.warehouse.path.parent
    shell = Shell(folder, {"PRPIPELINE_DATA_DIR": str(folder)})
    odd = [body for body in recorded.records.issues if body["fields"]["summary"] in recorded_issues.ODD_TEXTS]
    for body in odd[: len(recorded_issues.ODD_TEXTS)]:
        ended = shell.run("explain", body["key"])
        assert ended.returncode == 0
        assert ended.stdout.startswith(body["key"])
        assert [c for c in ended.stdout if not c.isprintable() and c != "\n"] == []


def test_recorded_changes_are_stored_as_they_are(recorded: Recorded) -> None:
    rows = recorded.lab.rows(
        "SELECT issue_id, change_key, field, from_id, from_text, to_id, to_text, author_id, created_at FROM raw.jira_changes"
    )
    expected = [change for body in recorded.records.issues for change in recorded.reader.changes(body)]
    assert sorted(rows, key=repr) == sorted(expected, key=repr)
    assert len(rows) == 25, (
        "of status, sprint, resolution and priority; the others of 279 entries are read by nobody"
    )


def test_recorded_lives_have_their_spans_and_times(recorded: Recorded) -> None:
    lab, records = recorded.lab, recorded.records
    categories = {s["id"]: s["statusCategory"]["key"] for s in records.payloads["status"]}
    listed = {
        status["id"]: issue_reference.Status(
            status["name"], None if (key := categories[status["id"]]) == "undefined" else key
        )
        for status in records.payloads["status"]
    }
    written = {
        item[end]: item[f"{end}String"]
        for entries in records.changes.values()
        for entry in entries
        for item in entry["items"]
        if item["field"] == "status"
        for end in ("from", "to")
    }
    spans: dict[int, list[tuple[Any, ...]]] = {}
    columns = "issue_id, status, status_category, started_at, ended_at"
    for issue_id, *span in lab.rows(f"SELECT {columns} FROM metrics.issue_status_spans ORDER BY started_at"):
        spans.setdefault(issue_id, []).append(tuple(span))
    columns = "issue_id, lead_time_hours, cycle_time_hours, times_reopened"
    times = {issue_id: found for issue_id, *found in lab.rows(f"SELECT {columns} FROM metrics.issue_times")}
    for body in records.issues:
        issue_id = int(body["id"])
        life = [issue_reference.Step(at, status) for at, status in recorded.reader.life(body) if at]
        expected = issue_reference.times(life, listed, written, AS_OF)
        assert tuple(spans[issue_id]) == expected.spans
        assert times[issue_id] == [expected.lead, expected.cycle, expected.reopened]


def test_recorded_statuses_sprints_and_people_are_stored_as_they_are(recorded: Recorded) -> None:
    lab, payloads = recorded.lab, recorded.records.payloads
    categories = [(s["id"], s["name"], s["statusCategory"]["key"]) for s in payloads["status"]]
    assert lab.rows(
        "SELECT status_id, name, coalesce(category, 'undefined') FROM raw.jira_statuses ORDER BY 1"
    ) == sorted(categories)
    times = ("startDate", "endDate", "completeDate")
    sprints = [
        (s["id"], words(s["name"]), s["state"], *(utc(s[t]) for t in times)) for s in payloads["sprint"]
    ]
    held = lab.rows("SELECT sprint_id, name, state, started_at, ended_at, completed_at FROM raw.jira_sprints")
    assert set(sprints) <= set(held)
    seen: dict[str, set[tuple[Any, ...]]] = {}
    for body in recorded.records.issues:
        for role in ("assignee", "reporter", "creator"):
            if person := body["fields"].get(role):
                about = (person.get("emailAddress"), person["accountType"], person["active"])
                name = words(person["displayName"]) or None
                seen.setdefault(person["accountId"], set()).add((name, *about))
    people = {row[0]: row[1:] for row in lab.rows("FROM raw.jira_users") if row[0] in seen}
    assert people.keys() == seen.keys()
    assert {account: row for account, row in people.items() if row not in seen[account]} == {}


@pytest.mark.parametrize("recorded", some_slow(EDITIONS, "cloud"), indirect=True)
def test_the_zone_of_the_account_changes_nothing_of_them(recorded: Recorded) -> None:
    rows = "SELECT * EXCLUDE (synced_at) FROM raw.jira_issues ORDER BY issue_id"
    before = recorded.lab.rows(rows), recorded.lab.rows("FROM raw.jira_changes ORDER BY ALL")
    recorded.lab.world.bot.zone = "America/St_Johns"
    recorded.lab.sync_well(full=True)
    assert (recorded.lab.rows(rows), recorded.lab.rows("FROM raw.jira_changes ORDER BY ALL")) == before


def test_what_is_not_asked_for_changes_no_record() -> None:
    """Whole payloads, with hundreds of fields that nobody reads, give the same records as those of the fields asked for."""
    records = recorded_issues.read()
    custom = CustomFields(recorded_issues.POINTS, recorded_issues.SPRINT, recorded_issues.EPIC)
    asked = {*mapping.FIELDS, *custom.ids}
    for body in records.issues:
        bare = {**body, "fields": {k: v for k, v in body["fields"].items() if k in asked}}
        assert len(bare["fields"]) < len(body["fields"])
        assert mapping.issue(body, custom, "") == mapping.issue(bare, custom, "")
    assert custom_fields.find(records.payloads["field"], JiraOptions()) == CustomFields(), (
        "neither is one of ours"
    )
    found = [mapping.project(body) for body in records.payloads["project"]]
    assert [(p.project_id, p.project_key, p.name) for p in found] == [
        (int(body["id"]), body["key"], body["name"]) for body in records.payloads["project"]
    ]


@pytest.mark.slow
def test_recorded_issues_that_are_moved_and_renamed(tmp_path: Path) -> None:
    """A story with sub-tasks goes to another project, then its first project gets another key: old keys lead to it."""
    records = recorded_issues.read()
    world = recorded_world(records.write(tmp_path / "records.jsonl.gz"))
    story = world.issues[10_063]
    enterprise, other = story.project, next(p for p in world.projects.values() if p is not story.project)
    with issue_lab(world, tmp_path, [str(enterprise.id), str(other.id)]) as lab:
        let_pass(world, minutes=30)
        world.move(story, other)
        world.rename_project(enterprise, "SELECT")
        let_pass(world, hours=1)
        lab.sync_well(reconcile=True)
        lab.add(("EE-1 a story", None), ("EE-2", "select-3"))
        lab.compute()
        bodies = copy.deepcopy(list(records.issues))
        for body in bodies:
            issue = world.issues[int(body["id"])]
            about = {"id": str(issue.project.id), "key": issue.project.key, "name": issue.project.name}
            body["key"] = issue.key
            body["fields"] |= {"project": about, "updated": issue.updated.isoformat()}
        reader = Reader(Records({**records.payloads, "issue": bodies}, {}), lab.server.url)
        expected = {int(body["id"]): reader.issue(body) for body in bodies}
        assert {row["issue_id"]: row for row in lab.table("FROM metrics.issues")} == expected
        assert expected[10_063]["issue_key"] == "K5-5"
        assert expected[10_087]["parent_key"] == "K5-5"
        links = lab.table("SELECT number, issue_key, issue_id FROM metrics.pull_request_issues ORDER BY ALL")
        assert [tuple(link.values()) for link in links] == [
            (1, "EE-1", 10_063),
            (2, "EE-2", 10_064),
            (2, "SELECT-3", 10_065),
        ]
