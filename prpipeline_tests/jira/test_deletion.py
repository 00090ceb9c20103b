"""Deleting what is stored of a project that is no longer selected, on any store; the command is in test_commands."""

from __future__ import annotations

from pathlib import Path

from prpipeline.warehouse import jira_projects, jira_records
from prpipeline_tests.support.jira_lab import jira_lab, small_world


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
