"""Teams in the repositories file: what readers see, what becomes of a change, and what is said of names that fit nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Credential, Sandbox, World
from prpipeline_tests.cli.conftest import shell_in
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import let_pass, small_world

REPOSITORIES = "repositories: [octo/app, {repository: octo/lib, team: Own}]\n"
TWO_TEAMS = "teams: {Core: {people: [Ann], repositories: ['octo/*']}, own: {people: ['@bob']}}"
PAIRS = "SELECT DISTINCT author_team, first_reviewer_team FROM review_time_hours ORDER BY ALL"
OF_REPOSITORIES = "SELECT repository, team FROM repositories ORDER BY repository"


def new_world() -> World:
    world = small_world(0, ("octo/app", "octo/lib"))
    for author, reviewer in (("ann", "bob"), ("bob", "ann")):
        world.review(world.open_pull_request("octo/app", author), reviewer, "APPROVED")
    let_pass(world, timedelta(hours=1))  # what was read in the second of its change is read again
    return world


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(new_world()) as server:
        yield server


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after a sync with two teams."""
    with Sandbox(new_world()) as server:
        shell = shell_in(tmp_path_factory.mktemp("published"), server)
        write(shell, TWO_TEAMS)
        assert shell.run("sync").returncode == 0
        return shell.data


@pytest.fixture
def two_teams(shell: Shell, published: Path) -> Shell:
    shell.go_on_from(published)
    write(shell, TWO_TEAMS)
    return shell


def write(shell: Shell, teams: str, repositories: str = REPOSITORIES) -> None:
    file = shell.folder / "repositories.yaml"
    file.write_text(repositories + teams)
    shell.environment["PRPIPELINE_REPOSITORIES"] = str(file)


def read(shell: Shell, *names: str) -> None:
    """Sync without publishing; ``shell.computed`` has what is published otherwise."""
    shell.read(*names)
    shell.compute()


def test_a_change_of_teams_is_published_by_the_next_sync_from_what_is_stored(two_teams: Shell) -> None:
    shell = two_teams
    assert shell.published(PAIRS) == [("Core", "own"), ("own", "Core")]
    assert shell.published(OF_REPOSITORIES) == [("octo/app", "Core"), ("octo/lib", "own")]

    write(shell, "teams: {Web: {people: [ann, bob], repositories: [octo/l*, octo/app]}}")
    again = shell.json("sync", "--json")
    assert {each["mode"] for each in again["repositories"]} == {"unchanged"}
    assert again["requests"] == 1, "the probe"
    assert shell.published(PAIRS) == [("Web", "Web")]
    assert shell.published(OF_REPOSITORIES) == [("octo/app", "Web"), ("octo/lib", "Own")]
    assert shell.published("SELECT DISTINCT reviewer_team, author_team FROM review_pairs") == [("Web", "Web")]

    write(shell, "")
    read(shell)
    assert shell.computed(PAIRS) == [(None, None)]
    assert shell.computed("SELECT repository, team FROM repository_names ORDER BY ALL") == [
        ("octo/app", None), ("octo/lib", "Own")
    ]  # fmt: skip
    assert shell.computed("SELECT team, people FROM teams") == [("Own", 0)]


def test_a_repository_that_was_tracked_by_hand_gets_a_team_at_once(shell: Shell) -> None:
    write(shell, "teams: {Core: {repositories: [octo/app]}}", repositories="")
    shell.read("octo/app")
    assert shell.computed("SELECT team FROM meta.repositories") == [("Core",)]
    write(shell, "teams: {Later: {repositories: [octo/app]}}", repositories="")
    read(shell)
    assert shell.computed("SELECT DISTINCT team FROM review_time_hours") == [("Later",)]


def test_people_keep_their_team_under_a_new_login(two_teams: Shell, server: Sandbox) -> None:
    server.world.rename_user("ann", "ann-2")
    server.world.open_pull_request("octo/app", "ann-2")
    read(two_teams)
    assert two_teams.computed("SELECT login, former_logins, team FROM people WHERE team = 'Core'") == [
        ("ann-2", "ann", "Core")
    ]
    assert two_teams.computed("SELECT count(*) FROM review_time_hours WHERE author_team = 'Core'") == [(2,)]


def test_names_that_fit_nothing_are_said(shell: Shell) -> None:
    write(shell, "teams: {Core: {people: [ann, anne, zed], repositories: ['octo/x*', octo/lib]}}")
    assert shell.json("status", "--json")["notes"] == [], "nobody is known before the first sync"
    read(shell)
    assert shell.computed("SELECT unknown_logins FROM teams WHERE team = 'Core'") == [("anne, zed",)]
    notes = [
        "No tracked repository matches 'octo/x*' of team Core in the repositories file.",
        "Team Core: nobody called anne, zed was seen in a pull request yet; if that is misspelt, correct it in the "
        "repositories file.",
    ]
    assert shell.json("status", "--json")["notes"] == notes
    told = shell.run("status").stdout
    assert all(note in told for note in notes)
    examined = shell.run("doctor").stdout
    assert all(note in " ".join(examined.split()) for note in notes)


def test_explain_names_the_teams_of_the_time(two_teams: Shell) -> None:
    story = two_teams.run("explain", "octo/app#1").stdout
    assert "ann (Core) opened it" in story
    assert "bob (own) approved" in story


# ── teams of GitHub's own ────────────────────────────────────────────────────────────────────────────

TEAMS = "SELECT team, source, github_team, people FROM teams"


@pytest.fixture
def github_teams(server: Sandbox) -> None:
    """App is above UI; Core is the file's, too."""
    app = server.world.add_team("octo", "app", ["ann"], name="App")
    server.world.add_team("octo", "ui", ["bob"], name="UI", parent=app)
    server.world.add_team("octo", "core", ["ann", "bob"], name="core")
    server.world.add_team("other", "ui", ["ann"], name="ui")


@pytest.mark.usefixtures("github_teams")
def test_the_organisations_own_teams_come_after_those_of_the_file(two_teams: Shell) -> None:
    """Of a team that both have, people that the file lists are the file's; of several of GitHub the lowest counts."""
    shell = two_teams
    write(
        shell, "teams_from_github: true\nteams: {Core: {people: [bob]}, Empty: {repositories: ['octo/lib']}}"
    )
    read(shell)
    assert shell.computed(TEAMS) == [
        ("Core", "file", None, 1), ("Empty", "file", None, 0), ("UI", "github", "octo/ui", 1), ("App", "github", "octo/app", 2),
        ("Own", "file", None, 0),
    ]  # fmt: skip
    assert shell.computed("SELECT login, team, teams FROM people WHERE login IN ('ann', 'bob') ORDER BY login") == [
        ("ann", "App", "App"), ("bob", "Core", "Core, UI, App")
    ]  # fmt: skip
    assert shell.computed(PAIRS) == [("App", "Core"), ("Core", "App")]
    assert shell.computed("SELECT DISTINCT source FROM team_members ORDER BY ALL") == [
        ("file",),
        ("github",),
    ]
    write(shell, "teams_from_github: true\nteams: {CORE: {repositories: ['octo/app']}}")
    read(shell)
    assert shell.computed(f"{TEAMS} WHERE team = 'CORE'") == [("CORE", "file", "octo/core", 2)]
    write(shell, "")
    read(shell)
    assert shell.computed(f"{TEAMS} WHERE source <> 'file'") == []


@pytest.mark.usefixtures("github_teams")
def test_organisations_and_teams_may_be_chosen_in_an_order_of_their_own(
    shell: Shell, server: Sandbox
) -> None:
    write(shell, "teams_from_github: [octo/core, Other, octo]")
    read(shell)
    assert [row[:3] for row in shell.computed(f"{TEAMS} WHERE team <> 'Own'")] == [
        ("core", "github", "octo/core"), ("other/ui", "github", "other/ui"), ("octo/ui", "github", "octo/ui"),
        ("App", "github", "octo/app"),
    ]  # fmt: skip
    write(shell, "teams_from_github: [octo/ui, octo/nosuch, nobody]")
    read(shell)
    assert [row[0] for row in shell.computed(TEAMS)] == ["UI", "Own"]
    doctor = shell.run("doctor").stdout
    assert "GitHub shows no team octo/nosuch (teams_from_github in the repositories file)" in doctor
    assert "The teams of nobody are not read: GitHub knows no organisation nobody" in doctor
    server.reset_requests()
    shell.read()
    assert [r for r in server.requests if "Teams(" in str(r.json)] == [], "once a day"


@pytest.mark.usefixtures("github_teams")
def test_a_member_answers_a_request_to_the_team(shell: Shell, server: Sandbox) -> None:
    """Before their names are known, nobody knows whether the reviewer is one of them."""
    world = server.world
    for author, reviewer in (("ann", "bob"), ("eve", "bob"), ("bob", "bob"), ("ann", "eve")):
        pr = world.open_pull_request("octo/app", author)
        world.request_review(pr, "octo/core")
        world.review(pr, reviewer, "COMMENTED")
    asked = "SELECT outcome, answered_by_login, review_id IS NOT NULL FROM review_requests ORDER BY number"
    write(shell, "")
    read(shell)
    assert shell.computed(asked) == [
        (None, None, False), (None, None, False), ("pending", None, False), (None, None, False)
    ]  # fmt: skip
    write(shell, "teams_from_github: [octo]")
    read(shell)
    answered = [("answered", "bob", True), ("answered", "bob", True), ("pending", None, False)]
    assert shell.computed(asked) == [*answered, ("pending", None, False)]


@pytest.mark.slow
@pytest.mark.usefixtures("github_teams")
def test_a_token_that_may_not_see_teams_costs_nothing_else(shell: Shell, server: Sandbox) -> None:
    server.add_token(Credential("ghp_small", scopes=("repo",)))
    write(shell, "teams_from_github: true")
    ended = shell.run("sync", GITHUB_TOKEN="ghp_small")
    assert (ended.returncode, ended.stderr.count("team")) == (0, 0)
    status = shell.json("status", "--json", GITHUB_TOKEN="ghp_small")
    assert {row["status"] for row in status["repositories"]} == {"ok"}
    (said,) = [
        line
        for line in shell.run("doctor", GITHUB_TOKEN="ghp_small").stdout.splitlines()
        if "octo are" in line
    ]
    assert "The teams of octo are not read: The token lacks the scope read:org" in said


@pytest.mark.parametrize("wrong", ["octo", "[octo/app/x]", "['']", "[3]", "maybe"])
def test_a_setting_that_names_nothing_is_refused(shell: Shell, wrong: str) -> None:
    write(shell, f"teams_from_github: {wrong}")
    ended = shell.run("sync")
    assert ended.returncode == 2
    assert "teams_from_github" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
