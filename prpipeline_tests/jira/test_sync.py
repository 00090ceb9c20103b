"""Syncs of projects of Jira against the stand-in: what is stored afterwards is what Jira has."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import Quirks, World
from prpipeline.sandbox.jira.model import POINTS, POINTS_FLOAT
from prpipeline.sandbox.messages import Request
from prpipeline_tests.support.jira_lab import (
    SITE,
    assert_equal,
    expected,
    jira_lab,
    let_pass,
    small_world,
    synced_lab,
)
from prpipeline_tests.support.slow import some_slow

EDITIONS = ["cloud", "data-center"]
# Fields for points that the token does not show, and what is read then of 5 in the one and 8 in the other.
HIDDEN_ONE = (frozenset({POINTS}), 8.0)
HIDDEN_BOTH = (frozenset({POINTS, POINTS_FLOAT}), None)


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize(("many", "few"), some_slow([(101, 0), (12, 1)], (101, 0)))
def test_a_history_reads_every_issue(tmp_path: Path, edition: str, many: int, few: int) -> None:
    world, _ = small_world(many)
    other = world.add_project("XYZ")
    for _ in range(few):
        world.create(other)
    let_pass(world, hours=1)
    with jira_lab(tmp_path, world, edition=edition, entries=["ABC", "XYZ"]) as it:
        first = it.sync_well()
        assert [(r.mode, r.issues, r.project) for r in first.values()] == [
            ("history", many, "ABC"),
            ("history", few, "XYZ"),
        ]
        assert_equal(it)
        let_pass(world, hours=2)
        again = it.sync_well()
        assert [(r.mode, r.issues) for r in again.values()] == [("unchanged", 0)] * 2


@pytest.mark.parametrize("edition", EDITIONS)
def test_an_issue_that_changes_while_it_is_paged_is_stored_once_and_newest(
    tmp_path: Path, edition: str
) -> None:
    world, _ = small_world()
    with jira_lab(tmp_path, world, edition=edition, quirks=Quirks(ids_a_page=4, rows_a_page=4)) as it:
        issue = world.issues[10_001]

        def change(request: Request) -> None:
            if "search" in request.path and world.lock.acquire(blocking=False):
                let_pass(world, seconds=3)
                world.transition(issue, "3" if issue.status_id != "3" else "4")
                world.lock.release()

        it.server.before_request = change
        it.sync()
        it.server.before_request = None
        let_pass(world, minutes=1)
        it.sync_well()
        assert_equal(it)


@pytest.mark.parametrize("edition", EDITIONS)
def test_increments_see_changes_creations_and_moves(tmp_path: Path, edition: str) -> None:
    world, project = small_world()
    other = world.add_project("XYZ")
    with jira_lab(tmp_path, world, edition=edition, entries=["ABC", str(other.id)]) as it:
        it.sync_well()
        let_pass(world, hours=3)
        first, second, *_ = world.issues.values()
        world.transition(first, "10", author=world.bot)
        world.move(second, other, status="3")
        world.create(project, "A new one")
        let_pass(world, minutes=2)
        results = it.sync_well()
        assert [results["ABC"].mode, results[str(other.id)].mode] == ["increment", "increment"]
        assert_equal(it)
        keys = it.rows("SELECT issue_key, is_current FROM raw.jira_keys WHERE issue_id = 10002 ORDER BY ALL")
        assert keys == [("ABC-2", False), ("XYZ-1", True)]


def test_an_index_that_lags_is_caught_up_with(tmp_path: Path) -> None:
    with synced_lab(tmp_path) as it:
        world, project = it.world, it.project
        world.lag = timedelta(minutes=3)
        let_pass(world, hours=1)
        issue = world.create(project, "Not in the index yet")
        let_pass(world, minutes=1)
        assert it.sync_well()["ABC"].issues == 0
        let_pass(world, minutes=5)
        assert it.sync_well()["ABC"].issues == 1
        assert issue.key in it.held_keys()


# ── what moves no time stamp ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("edition", EDITIONS)
def test_reconciling_finds(tmp_path: Path, edition: str) -> None:
    """What was deleted, hidden, archived, or moved to a project that is not selected."""
    with synced_lab(tmp_path, edition=edition) as it:
        world = it.world
        deleted, hidden, archived, moved = list(world.issues.values())[4:8]
        let_pass(world, hours=1)
        world.delete(deleted)
        hidden.is_hidden = archived.is_archived = True
        world.move(moved, world.add_project("XYZ"))
        let_pass(world, hours=1)
        assert it.sync_well()["ABC"].issues == 0
        assert it.sync_well(reconcile=True)["ABC"].removed == 2
        stored = it.stored()
        for issue in (deleted, hidden):
            assert stored[issue.id] == expected(issue, is_gone=True)
        for issue in (archived, moved):
            assert stored[issue.id] == expected(issue)
        hidden.is_hidden = False
        let_pass(world, hours=1)
        it.sync_well(reconcile=True)
        assert it.stored() == stored | {hidden.id: expected(hidden)}


@pytest.mark.parametrize("edition", some_slow(EDITIONS, "cloud"))
def test_moved_out_and_back_and_in(tmp_path: Path, edition: str) -> None:
    with synced_lab(tmp_path, edition=edition) as it:
        world, project = it.world, it.project
        other = world.add_project("XYZ")  # not selected
        stranger = world.create(other, "From elsewhere")
        let_pass(world, hours=1)
        issue = world.issues[10_005]
        world.move(issue, other)
        let_pass(world, hours=1)
        it.sync_well(reconcile=True)
        assert it.stored()[issue.id] == expected(issue)
        assert it.rows(f"SELECT project_key FROM raw.jira_issues WHERE issue_id = {issue.id}") == [("XYZ",)]
        world.move(issue, project)
        world.move(stranger, project)
        let_pass(world, minutes=5)
        assert it.sync_well()["ABC"].issues == 2
        it.sync_well(reconcile=True)
        assert_equal(it)
        keys = it.rows("SELECT issue_key, is_current FROM raw.jira_keys WHERE issue_id = 10005 ORDER BY ALL")
        held = {key for key, _ in keys}
        assert {"ABC-5", issue.key} <= held <= {"ABC-5", "XYZ-2", issue.key}
        assert [key for key, is_current in keys if is_current] == [issue.key]


def test_when_too_many_vanish_nothing_is_marked(tmp_path: Path) -> None:
    """Of each project a few, of large ones a share, and never all."""
    world, held, most = (
        World(ManualClock()),
        {"ABC": 12, "BIG": 60, "TINY": 3},
        {"ABC": 5, "BIG": 6, "TINY": 2},
    )
    issues = {}
    for key, count in held.items():
        project = world.add_project(key)
        issues[key] = [world.create(project) for _ in range(count)]
    let_pass(world, hours=1)
    with jira_lab(tmp_path, world, entries=held) as it:
        it.sync_well()
        for key, count in most.items():
            for issue in issues[key][: count + 1]:
                issue.is_hidden = True
        let_pass(world, hours=1)
        for key, result in it.sync(reconcile=True).items():
            assert "vanished at once" in (result.error or ""), key
        assert len(it.held_keys()) == sum(held.values())
        for each in issues.values():
            each[0].is_hidden = False
        assert {key: result.removed for key, result in it.sync_well(reconcile=True).items()} == most
        assert len(it.held_keys()) == sum(held.values()) - sum(most.values())


def test_a_project_that_was_renamed_goes_on_under_its_new_key(tmp_path: Path) -> None:
    with synced_lab(tmp_path) as it:
        world, project = it.world, it.project
        world.rename_project(project, "NEW")
        let_pass(world, hours=1)
        world.create(project, "After it")
        result = it.sync_well(reconcile=True)["ABC"]
        assert result.project == "NEW"
        assert_equal(it)
        (row,) = it.rows("SELECT url, project_key FROM raw.jira_issues WHERE issue_id = 10001")
        assert row == (f"{SITE}/browse/NEW-1", "NEW")
        leads = dict(it.rows("SELECT issue_key, issue_id FROM raw.jira_keys WHERE NOT is_current"))
        assert leads["ABC-1"] == 10_001


def test_former_keys_lead_to_issues_that_were_read_after_the_renaming(tmp_path: Path) -> None:
    world, project = small_world(2)
    world.rename_project(project, "NEW")
    with jira_lab(tmp_path, world, entries=["ABC"]) as it:
        it.sync_well()
        assert dict(it.rows("SELECT issue_key, issue_id FROM raw.jira_keys")) == {
            "ABC-1": 10_001,
            "ABC-2": 10_002,
            "NEW-1": 10_001,
            "NEW-2": 10_002,
        }


def test_a_key_that_is_a_word_of_the_query_language(tmp_path: Path) -> None:
    world, keys = World(ManualClock()), ["IF", "AS", "DO", "SET"]
    for key in keys:
        world.create(world.add_project(key), "One")
    with jira_lab(tmp_path, world, entries=keys) as it:
        it.sync_well()
        assert it.held_keys() == {f"{key}-1" for key in keys}


def test_a_status_that_is_renamed_or_recategorised_is_so_for_all(tmp_path: Path) -> None:
    with synced_lab(tmp_path) as it:
        world = it.world
        world.statuses["4"].name, world.statuses["4"].category = "复核", "done"
        let_pass(world, hours=1)
        assert it.sync_well()["ABC"].mode == "unchanged"
        assert it.rows("SELECT name, category FROM raw.jira_statuses WHERE status_id = '4'") == [
            ("复核", "done")
        ]
        assert it.rows("SELECT category FROM raw.jira_statuses WHERE status_id = '99'") == [(None,)]


# ── several projects ─────────────────────────────────────────────────────────────────────────────────


def test_one_bad_project_harms_no_other(tmp_path: Path) -> None:
    world, _ = small_world()
    for key in ("FORB", "ARCH", "LAST"):
        world.create(world.add_project(key), "One")
    projects = {project.key: project for project in world.projects.values()}
    projects["FORB"].is_browsable = False
    projects["ARCH"].is_archived = True
    with jira_lab(tmp_path, world, entries=["NOPE", "FORB", "ARCH", "ABC", "LAST"]) as it:
        results = it.sync()
        assert [results[entry].failed for entry in it.entries] == [True, True, True, False, False]
        said = [results[entry].error or "" for entry in it.entries]
        assert "shows no project NOPE" in said[0]
        assert "may not browse it" in said[1]
        assert "is archived" in said[2]
        assert len(it.held_keys()) == 13


def test_deselected_projects_keep_their_rows_and_come_back(tmp_path: Path) -> None:
    with synced_lab(tmp_path) as it:
        world, project = it.world, it.project
        it.entries = []
        it.sync()
        assert it.rows("SELECT is_tracked FROM meta.jira_projects") == [(False,)]
        it.entries = [str(project.id)]  # the same project by its number
        let_pass(world, hours=1)
        assert it.sync_well()[str(project.id)].mode == "unchanged"
        assert it.rows("SELECT entry, is_tracked FROM meta.jira_projects") == [(str(project.id), True)]


def test_a_project_that_is_listed_twice_is_named(tmp_path: Path) -> None:
    world, project = small_world()
    with jira_lab(tmp_path, world, entries=["ABC", str(project.id)]) as it:
        results = it.sync()
        assert "are the same project" in (results[str(project.id)].error or "")


def test_one_bad_issue_stops_no_other_and_is_not_passed_over(tmp_path: Path) -> None:
    world, _ = small_world()
    with jira_lab(tmp_path, world) as it:
        world.issues[10_003].fields["resolutiondate"] = "yesterday"
        result = it.sync()["ABC"]
        assert "ABC-3: 'yesterday' is not a time" in (result.error or "")
        assert len(it.held_keys()) == 11
        world.issues[10_003].fields["resolutiondate"] = None
        it.server.requests.clear()
        assert it.sync_well()["ABC"].issues == 1
        assert_equal(it)


def test_twice_is_as_once(tmp_path: Path) -> None:
    with synced_lab(tmp_path) as it:
        world = it.world
        let_pass(world, hours=1)
        once = it.rows("SELECT * EXCLUDE (synced_at) FROM raw.jira_issues ORDER BY ALL")
        it.sync_well(full=True, reconcile=True)
        assert it.rows("SELECT * EXCLUDE (synced_at) FROM raw.jira_issues ORDER BY ALL") == once
        assert (
            it.rows("SELECT count(*), count(DISTINCT (issue_id, change_key)) FROM raw.jira_changes")[0]
            == (sum(len(issue.histories) for issue in world.issues.values()),) * 2
        )


def test_the_cost_of_a_history_and_of_a_quiet_day(tmp_path: Path) -> None:
    world, _ = small_world(501)
    with jira_lab(tmp_path, world) as it:
        # serverInfo, myself, status, project/search, field; ids; 6 bulkfetches; 2 for changelogs
        assert it.sync_well()["ABC"].requests == 5 + 1 + 6 + 2
        let_pass(world, hours=1)
        # the first five but field; two canaries; one page
        assert it.sync_well()["ABC"].requests == 4 + 2 + 1
        assert it.server.max_in_flight == 1


@pytest.mark.parametrize(
    ("edition", "hidden", "points"),
    some_slow(
        [(edition, *fields) for edition in EDITIONS for fields in (HIDDEN_ONE, HIDDEN_BOTH)],
        ("cloud", *HIDDEN_ONE),
        ("data-center", *HIDDEN_BOTH),
    ),
)
def test_points_in_a_field_that_is_hidden(
    tmp_path: Path, edition: str, hidden: frozenset[str], points: float | None
) -> None:
    world, project = small_world(0)
    fields: dict[str, Any] = {POINTS: 5, POINTS_FLOAT: 8}
    world.create(project, **fields)
    with jira_lab(tmp_path, world, edition=edition, quirks=Quirks(hidden_fields=set(hidden))) as it:
        it.sync_well()
        assert it.rows("SELECT story_points FROM raw.jira_issues") == [(points,)]
