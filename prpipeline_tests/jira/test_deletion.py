"""Deleting what is stored of projects that are no longer selected: ``prpipeline jira delete-data``."""

from __future__ import annotations

from pathlib import Path

from prpipeline.sandbox.jira import JiraSandbox
from prpipeline.warehouse import jira_projects, jira_records
from prpipeline_tests.jira.conftest import select
from prpipeline_tests.support.jira_lab import jira_lab, small_world
from prpipeline_tests.support.shell import Shell


def test_the_last_project_goes_with_all_that_there_is_of_jira(synced: Shell, jira: JiraSandbox) -> None:
    for name, says in {
        "abc": "ABC is selected, so that the next sync would read it again: take it out",
        "NOPE": "Nothing is stored of a project NOPE; stored are: ABC.",
    }.items():
        refused = synced.run("jira", "delete-data", name)
        assert refused.returncode == 2
        assert says in refused.stderr
    assert synced.published("SELECT count(*) FROM issues") == [(12,)]
    select(synced.folder, "[]")
    ended = synced.run("jira", "delete-data", "abc")
    assert (ended.returncode, ended.stdout) == (0, "ABC: its rows are removed.\n")
    tables = synced.published(
        "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()"
    )
    assert not {"issues", "pull_request_issues"} & {name for (name,) in tables}
    assert synced.published("SELECT count(*) FROM review_time_hours") != [(0,)]
    releases = synced.folder / "data" / "releases"
    assert [release.name for release in releases.iterdir()] == [
        (synced.folder / "data" / "published").resolve().name
    ]
    assert "Nothing is stored of a project abc" in synced.run("jira", "delete-data", "abc").stderr
    assert jira.requests == []
    select(synced.folder, "[ABC]")
    assert [each["mode"] for each in synced.json("sync", "--only", "jira", "--json")["jira"]] == ["history"]
    assert synced.published("SELECT count(*) FROM issues") == [(12,)]


def test_nothing_is_stored_yet(shell: Shell) -> None:
    select(shell.folder, "[]")
    ended = shell.run("jira", "delete-data", "ABC")
    assert (ended.returncode, ended.stderr) == (2, "Error: Nothing is stored yet.\n")
    assert not (shell.folder / "data" / "warehouse.duckdb").exists()


def test_issues_that_another_project_has_or_had_stay(tmp_path: Path) -> None:
    world, first = small_world(6)
    second = world.add_project("DEF")
    person, other, third = (world.add_user(name, name.title()) for name in ("ann", "bob", "cat"))
    sprint = world.add_sprint("Sprint 1")
    own, went, left = list(world.issues.values())[:3]
    stays = world.create(second, "Of the other project")
    world.assign(own, person)
    world.set_sprints(own, [sprint])
    world.assign(stays, other)
    world.transition(stays, "3", author=third)
    world.move(went, second)
    world.move(stays, first)
    world.move(stays, second)
    former = world.create(second, "Moved into the first one")
    world.move(former, first)
    with jira_lab(tmp_path, world, entries=("ABC", "DEF")) as lab:
        lab.sync_well()
        world.move(left, world.add_project("XYZ"))  # which is not selected
        lab.sync_well(reconcile=True)
        lab.entries = ["DEF"]
        lab.sync_well()
        assert {own.key, left.key, former.key} < lab.held_keys()
        with lab.warehouse.transaction() as connection:
            (project,) = [p for p in jira_projects.all_known(connection) if not p.is_tracked]
            jira_records.delete_project(connection, project)
        assert lab.held_keys() == {went.key, stays.key, former.key}
        ids = {issue.id for issue in (went, stays, former)}
        for table in ("raw.jira_changes", "raw.jira_keys"):
            assert {issue for (issue,) in lab.rows(f"SELECT issue_id FROM {table}")} == ids
        named = {account for (account,) in lab.rows("SELECT account_id FROM raw.jira_users")}
        assert {other.account_id, third.account_id} <= named
        assert person.account_id not in named
        assert lab.rows("FROM raw.jira_sprints") == []
        assert lab.rows("SELECT entry FROM meta.jira_projects") == [("DEF",)]
        assert {entry for (entry,) in lab.rows("SELECT entry FROM meta.jira_syncs")} == {"DEF"}
        lab.sync_well(reconcile=True)
        assert lab.held_keys() == {went.key, stays.key, former.key}
