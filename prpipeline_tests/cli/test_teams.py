"""Teams in the repositories file: what readers see, what becomes of a change, and what is said of names that fit nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import small_world

REPOSITORIES = "repositories: [octo/app, {repository: octo/lib, team: Own}]\n"
PAIRS = "SELECT DISTINCT author_team, first_reviewer_team FROM review_time_hours ORDER BY ALL"
OF_REPOSITORIES = "SELECT repository, team FROM repositories ORDER BY repository"


@pytest.fixture
def server() -> Iterator[Sandbox]:
    world = small_world(0, ("octo/app", "octo/lib"))
    for author, reviewer in (("ann", "bob"), ("bob", "ann")):
        world.review(world.open_pull_request("octo/app", author), reviewer, "APPROVED")
    with Sandbox(world) as server:
        yield server


def write(shell: Shell, teams: str) -> None:
    file = shell.folder / "repositories.yaml"
    file.write_text(REPOSITORIES + teams)
    shell.environment["PRPIPELINE_REPOSITORIES"] = str(file)


def test_a_change_of_teams_is_published_by_the_next_sync_from_what_is_stored(
    shell: Shell, server: Sandbox
) -> None:
    write(shell, "teams: {Core: {people: [Ann], repositories: ['octo/*']}, own: {people: ['@bob']}}")
    shell.json("sync", "--json")
    assert shell.published(PAIRS) == [("Core", "own"), ("own", "Core")]
    assert shell.published(OF_REPOSITORIES) == [("octo/app", "Core"), ("octo/lib", "own")]

    server.world.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    shell.json("sync", "--json")  # what was read in the second of its change is read again
    write(shell, "teams: {Web: {people: [ann, bob], repositories: [octo/l*, octo/app]}}")
    again = shell.json("sync", "--json")
    assert {each["mode"] for each in again["repositories"]} == {"unchanged"}
    assert again["requests"] == 1, "the probe"
    assert shell.published(PAIRS) == [("Web", "Web")]
    assert shell.published(OF_REPOSITORIES) == [("octo/app", "Web"), ("octo/lib", "Own")]
    assert shell.published("SELECT DISTINCT reviewer_team, author_team FROM review_pairs") == [("Web", "Web")]

    write(shell, "")
    shell.json("sync", "--json")
    assert shell.published(PAIRS) == [(None, None)]
    assert shell.published(OF_REPOSITORIES) == [("octo/app", None), ("octo/lib", "Own")]
    assert shell.published("SELECT team, people FROM teams") == [("Own", 0)]


def test_a_repository_that_was_tracked_by_hand_gets_a_team_at_once(shell: Shell) -> None:
    file = shell.folder / "repositories.yaml"
    file.write_text("teams: {Core: {repositories: [octo/app]}}")
    shell.environment["PRPIPELINE_REPOSITORIES"] = str(file)
    shell.json("sync", "octo/app", "--json")
    assert shell.published(OF_REPOSITORIES) == [("octo/app", "Core")]
    file.write_text("teams: {Later: {repositories: [octo/app]}}")
    shell.json("sync", "--json")
    assert shell.published(OF_REPOSITORIES) == [("octo/app", "Later")]


def test_people_keep_their_team_under_a_new_login(shell: Shell, server: Sandbox) -> None:
    write(shell, "teams: {Core: {people: [ann]}}")
    shell.json("sync", "--json")
    world = server.world
    world.rename_user("ann", "ann-2")
    world.open_pull_request("octo/app", "ann-2")
    shell.json("sync", "--json")
    assert shell.published("SELECT login, former_logins, team FROM people WHERE team IS NOT NULL") == [
        ("ann-2", "ann", "Core")
    ]
    assert shell.published("SELECT count(*) FROM pull_requests WHERE author_team = 'Core'") == [(2,)]


def test_names_that_fit_nothing_are_said(shell: Shell) -> None:
    write(shell, "teams: {Core: {people: [ann, anne, zed], repositories: ['octo/x*', octo/lib]}}")
    assert shell.json("status", "--json")["notes"] == [], "nobody is known before the first sync"
    shell.json("sync", "--json")
    notes = [
        "No tracked repository matches 'octo/x*' of team Core in the repositories file.",
        "Team Core: nobody called anne, zed was seen in a pull request yet; if that is misspelt, correct it in the "
        "repositories file.",
    ]
    assert shell.json("status", "--json")["notes"] == notes
    assert all(note in shell.run("status").stdout for note in notes)
    examined = shell.run("doctor").stdout
    assert all(note in " ".join(examined.split()) for note in notes)
    assert shell.published("SELECT unknown_logins FROM teams WHERE team = 'Core'") == [("anne, zed",)]


def test_explain_names_the_teams_of_the_time(shell: Shell) -> None:
    write(shell, "teams: {Core: {people: [ann]}}")
    shell.json("sync", "--json")
    story = shell.run("explain", "octo/app#1").stdout
    assert "ann (Core) opened it" in story
    assert "bob approved" in story
