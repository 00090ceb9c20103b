"""Who of GitHub is who in Jira: by the map in the file, the e-mail address, the name; what fits several is nobody's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline.sandbox.jira import JiraSandbox, Project, World
from prpipeline.sync import SyncOptions
from prpipeline_tests.jira.conftest import logged, new_shell, select, sync_by_steps
from prpipeline_tests.support import stores
from prpipeline_tests.support.jira_lab import SITE, let_pass
from prpipeline_tests.support.jira_lab import small_world as jira_world
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import quiet_world

MAP = ", people: {grace: 5e-mapped, dev-3: nobody, stranger: x-1, dev-2: [5e-two, 5e-three], dev-0: gone@example.com}"


@pytest.fixture(scope="module")
def github() -> Iterator[Sandbox]:
    """For tests that change nothing in it."""
    with _github() as server:
        yield server


def _github() -> Sandbox:
    server = Sandbox(quiet_world(7))
    server.world.actor("dev-2").commit_email = "twin@secret.example.com"
    server.world.actor("dev-3").verified_emails = {"octo": ["unique@secret.example.com"]}
    for login, name, email in (
        ("dev-0", "Zoë  Ng", "zoe@example.com"),
        ("dev-1", "Twin", "ONE@example.com"),
        ("dev-2", "Twin", None),
        ("dev-3", "Unique Name", "7+dev-3@users.noreply.github.com"),
        ("grace", "Grace Hopper", "grace@example.com"),
    ):
        actor = server.world.actor(login)
        actor.name, actor.email = name, email
    server.world.actor("robot[bot]").name = "Robot"
    return server


@pytest.fixture
def world() -> World:
    return _world()


def _world() -> World:
    world, project = jira_world(2)
    for account, name, email, kind in (
        ("5e-mapped", "Somebody Else", None, "atlassian"),
        ("5e-grace", "GRACE hopper", "Grace@Example.com ", "atlassian"),
        ("5e-zoe", "zoë ng", None, "atlassian"),
        ("5e-one", "One", "one@example.com", "atlassian"),
        ("5e-unique", "UNIQUE   NAME", "7+dev-3@users.noreply.github.com", "atlassian"),
        ("5e-twin", "twin", None, "customer"),
        ("5e-robot", "Robot", None, "app"),
        ("5e-two", "Two", None, "atlassian"),
        ("5e-three", "Three", None, "atlassian"),
    ):
        _reporter(world, project, account, name, email, kind)
    let_pass(world, hours=1)
    return world


def _reporter(
    world: World, project: Project, account: str, name: str, email: str | None, kind: str = "atlassian"
) -> None:
    user = world.add_user(account, name, email=email, account_type=kind)
    world.create(project, f"Of {name}", reporter=user)


@dataclass
class Synced:
    """After commands, and what they logged and said."""

    shell: Shell
    said: str


@pytest.fixture(scope="module")
def unmapped(github: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Synced:
    """After a sync of both, without a map."""
    with JiraSandbox(_world(), site=SITE) as jira, logged() as log:
        shell = new_shell(tmp_path_factory.mktemp("unmapped"), github, jira)
        assert sync_by_steps(shell) == []
        return Synced(shell, log.getvalue())


@dataclass
class Mapped(Synced):
    """``people``: what ``prpipeline people --json`` says before the next sync."""

    people: Any


@pytest.fixture(scope="module")
def mapped(github: Sandbox, unmapped: Synced, tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    """With a map from then on, after another sync and other commands."""
    with JiraSandbox(_world(), site=SITE) as jira, logged() as log:
        shell = new_shell(tmp_path_factory.mktemp("mapped"), github, jira)
        shutil.copytree(unmapped.shell.folder / "data", shell.folder / "data", symlinks=True)
        select(shell.folder, "[ABC]", MAP)
        people = shell.json("people", "--json")
        commands = (["sync", "--only", "jira", "--reconcile"], ["status"], ["doctor"], ["people"])
        ended = [shell.run(*command) for command in commands]
        assert [each.returncode for each in ended] == [0, 0, 0, 0]
        return Mapped(shell, "".join(each.stdout + each.stderr for each in ended) + log.getvalue(), people)


def published(shell: Shell) -> set[tuple[Any, ...]]:
    return set(shell.published("SELECT login, account_id, method, is_weak FROM people_accounts"))


def test_without_a_map(unmapped: Synced) -> None:
    """And assignees and reporters lead to people; no address is published."""
    shell = unmapped.shell
    assert published(shell) == {
        ("grace", "5e-grace", "e-mail", False),
        ("dev-1", "5e-one", "e-mail", False),
        ("dev-0", "5e-zoe", "name", True),
        ("dev-3", "5e-unique", "name", True),
    }
    found = shell.json("people", "--json")
    assert [match["login"] for match in found["matched"]] == ["dev-0", "dev-1", "dev-3", "grace"]
    assert {(match["login"], match["account_id"]) for match in found["ambiguous"]} == {("dev-2", "5e-twin")}
    alone = [account["account_id"] for account in found["unmatched_accounts"]]
    assert set(alone) == {"5e-mapped", "5e-twin", "5e-two", "5e-three", "712020:reader"}
    assert found["unmatched_people"] == ["dev-2"]
    said = shell.run("people").stdout
    assert "name (weak)" in said
    assert "Fits several by name, so that nobody was matched: dev-2 and twin." in said
    assert "@example.com" not in said + str(found)
    rows = shell.published(
        "SELECT login, count(*) FROM issues JOIN people_accounts ON account_id = reporter_id GROUP BY ALL ORDER BY ALL"
    )
    assert rows == [("dev-0", 1), ("dev-1", 1), ("dev-3", 1), ("grace", 1)]
    whole = (shell.folder / "data" / "published" / "prpipeline.duckdb").read_bytes().lower()
    assert b"@example.com" not in whole
    assert b"secret.example" not in whole
    assert shell.environment["JIRA_TOKEN"].encode() not in whole


def test_the_map_comes_first_and_is_followed_at_once(mapped: Mapped) -> None:
    found = mapped.people
    assert {(match["login"], match["account_id"], match["method"]) for match in found["matched"]} == {
        ("grace", "5e-mapped", "map"),  # though an e-mail address says otherwise
        ("dev-2", "5e-two", "map"),  # with two accounts
        ("dev-2", "5e-three", "map"),
        ("dev-1", "5e-one", "e-mail"),
    }
    assert found["unknown_logins"] == ["stranger"]
    assert found["unknown_accounts"] == ["dev-0"]
    assert found["unmatched_people"] == ["dev-0"]  # dev-3 is nobody, and known to be
    assert ("grace", "5e-mapped", "map", False) in published(mapped.shell)


def test_no_log_and_no_output_has_an_address_or_a_token(unmapped: Synced, mapped: Mapped) -> None:
    said = unmapped.said + mapped.said
    assert "/users/grace" in said  # the log tells of requests
    for secret in ("@example.com", "secret.example", mapped.shell.environment["JIRA_TOKEN"], "users.noreply"):
        assert secret not in said


# ── addresses that are verified, of commits, or of several ───────────────────────────────────────────

Matches = set[tuple[str, str, str]]


@pytest.fixture(scope="module")
def matches(tmp_path_factory: pytest.TempPathFactory) -> Matches:
    """Login, account and method, of a world in which each case below has people of its own."""
    world = _world()
    project = next(iter(world.projects.values()))
    world.users["5e-two"].email = "two@example.com"
    world.users["5e-zoe"].email = "zoe@work.example.com"
    for account, name, email in (
        ("5e-same-1", "Same", "same@example.com"),
        ("5e-same-2", "Pat Doe", "same@example.com"),
        ("5e-both", "Both", "both@example.com"),
        ("5e-ida", "Ida", "ida@example.com"),
        ("5e-nel", "Nel", "2+nel@users.noreply.github.com"),
    ):
        _reporter(world, project, account, name, email)
    with _github() as github, JiraSandbox(world) as jira:
        for login in ("sam", "pat", "kim", "lee", "ida", "max", "nel"):
            github.world.open_pull_request("octo/app", login, f"By {login}")
        actor = github.world.actor
        # dev-1 shows the first of these, too
        actor("dev-0").verified_emails = {"octo": ["ONE@example.com", "zoe@work.example.com"]}
        actor("dev-2").commit_email = "Two@example.com"
        actor("sam").email, actor("pat").name = "same@example.com", "Pat Doe"
        actor("kim").verified_emails = actor("lee").verified_emails = {"octo": ["both@example.com"]}
        actor("ida").email = actor("max").commit_email = "ida@example.com"
        actor("nel").commit_email = "2+nel@users.noreply.github.com"
        shell = new_shell(tmp_path_factory.mktemp("addresses"), github, jira)
        stores.new_warehouse(shell.folder / "data", with_jira=True)
        pipeline = shell.read("octo/app")
        assert [result.error for result in pipeline.sync_jira(SyncOptions())] == [None]
        pipeline.aggregate()
        with pipeline.warehouse.transaction() as connection:
            rows = connection.execute("SELECT login, account_id, method FROM metrics.people_accounts")
            return set(rows.fetchall())


@pytest.mark.parametrize(
    ("account", "login", "method"),
    [
        ("5e-one", "dev-0", "verified e-mail"),
        ("5e-zoe", "dev-0", "verified e-mail"),  # somebody may have two accounts
        ("5e-grace", "grace", "e-mail"),
        ("5e-two", "dev-2", "commit e-mail"),
    ],
)
def test_verified_addresses_go_before_public_ones_and_those_of_commits(
    matches: Matches, account: str, login: str, method: str
) -> None:
    assert {(who, how) for who, what, how in matches if what == account} == {(login, method)}


def test_two_accounts_of_one_address_are_nobodys(matches: Matches) -> None:
    """Not even of who has the name of one of them."""
    assert not {account for _, account, _ in matches} & {"5e-same-1", "5e-same-2"}
    assert not {login for login, _, _ in matches} & {"sam", "pat"}


@pytest.mark.parametrize(
    ("account", "logins"), [("5e-both", {"kim", "lee"}), ("5e-ida", {"ida", "max"}), ("5e-nel", {"nel"})]
)
def test_an_address_of_two_people_or_of_nobody_matches_none(
    matches: Matches, account: str, logins: set[str]
) -> None:
    assert account not in {account for _, account, _ in matches}
    assert not logins & {login for login, _, _ in matches}


# ── maps ─────────────────────────────────────────────────────────────────────────────────────────────


def test_without_jira_there_is_nobody_to_match(shell: Shell) -> None:
    (shell.folder / "repositories.yaml").write_text("repositories: []\n")
    ended = shell.run("people")
    assert ended.returncode == 2
    assert "No project of Jira is selected" in ended.stderr


def test_before_the_first_sync(shell: Shell) -> None:
    ended = shell.run("people")
    assert "Nobody is matched." in ended.stdout


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ("{'a b': x}", "'a b' is not a login on GitHub"),
        ("{ann: ''}", "ann has no account"),
        ("{ann: [x, nobody]}", "ann cannot be nobody and somebody"),
        ("[ann]", "write a mapping"),
    ],
)
def test_a_map_that_cannot_be_meant(shell: Shell, people: str, says: str) -> None:
    select(shell.folder, "[ABC]", f", people: {people}")
    ended = shell.run("sync", "octo/app")
    assert ended.returncode == 2
    assert says in ended.stderr
