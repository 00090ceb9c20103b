"""Who of GitHub is who in Jira: by the map in the file, the e-mail address, the name; what fits several is nobody's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline.sandbox.jira import World
from prpipeline.sync import SyncOptions
from prpipeline_tests.jira.conftest import select
from prpipeline_tests.support.jira_lab import let_pass
from prpipeline_tests.support.jira_lab import small_world as jira_world
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import small_world

MAP = ", people: {grace: 5e-mapped, dev-3: nobody, stranger: x-1, dev-2: [5e-two, 5e-three], dev-0: gone@example.com}"


@pytest.fixture
def github() -> Iterator[Sandbox]:
    with Sandbox(small_world(7)) as server:
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
        yield server


@pytest.fixture
def world() -> World:
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
        user = world.add_user(account, name, email=email, account_type=kind)
        world.create(project, f"Of {name}", reporter=user)
    return world


def published(shell: Shell) -> set[tuple[Any, ...]]:
    return set(shell.published("SELECT login, account_id, method, is_weak FROM people_accounts"))


def test_without_a_map(shell: Shell) -> None:
    """And assignees and reporters lead to people; no address is published."""
    assert shell.run("sync", "octo/app").returncode == 0
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
    assert shell.environment["JIRA_TOKEN"].encode() not in whole


def test_the_map_comes_first_and_is_followed_at_once(shell: Shell) -> None:
    shell.run("sync", "octo/app")
    select(shell.folder, "[ABC]", MAP)
    found = shell.json("people", "--json")
    assert {(match["login"], match["account_id"], match["method"]) for match in found["matched"]} == {
        ("grace", "5e-mapped", "map"),  # though an e-mail address says otherwise
        ("dev-2", "5e-two", "map"),  # with two accounts
        ("dev-2", "5e-three", "map"),
        ("dev-1", "5e-one", "e-mail"),
    }
    assert found["unknown_logins"] == ["stranger"]
    assert found["unknown_accounts"] == ["dev-0"]
    assert found["unmatched_people"] == ["dev-0"]  # dev-3 is nobody, and known to be
    assert shell.run("sync").returncode == 0
    assert ("grace", "5e-mapped", "map", False) in published(shell)


def test_two_accounts_of_one_address_are_nobodys(shell: Shell, world: World) -> None:
    world.users["5e-zoe"].email = "one@example.com"
    assert {login for login, _ in computed(shell)} == {"dev-3", "grace"}


def computed(shell: Shell) -> set[tuple[str, str]]:
    """Logins and accounts that are matched after a sync of both, which is not published."""
    pipeline = shell.read("octo/app")
    assert [result.error for result in pipeline.sync_jira(SyncOptions())] == [None]
    pipeline.aggregate()
    with pipeline.warehouse.transaction() as connection:
        return set(connection.execute("SELECT login, account_id FROM metrics.people_accounts").fetchall())


def method_of(shell: Shell, account: str) -> dict[str, str]:
    return dict(
        shell.published(
            f"SELECT login, method FROM people_accounts WHERE account_id = '{account}' ORDER BY login"
        )
    )


def test_verified_addresses_go_before_public_ones_and_those_of_commits(
    shell: Shell, github: Sandbox, world: World
) -> None:
    verified, writer = github.world.actor("dev-0"), github.world.actor("dev-2")
    verified.verified_emails = {
        "octo": ["ONE@example.com", "zoe@work.example.com"]
    }  # dev-1 shows the first, too
    writer.commit_email = "Two@example.com"
    world.users["5e-two"].email = "two@example.com"
    world.users["5e-zoe"].email = "zoe@work.example.com"
    assert shell.run("sync", "octo/app").returncode == 0
    assert method_of(shell, "5e-one") == {"dev-0": "verified e-mail"}
    assert method_of(shell, "5e-zoe") == {"dev-0": "verified e-mail"}  # somebody may have two accounts
    assert method_of(shell, "5e-grace") == {"grace": "e-mail"}
    assert method_of(shell, "5e-two") == {"dev-2": "commit e-mail"}
    assert (
        b"example.com" not in (shell.folder / "data" / "published" / "prpipeline.duckdb").read_bytes().lower()
    )


@pytest.mark.parametrize(
    ("verified", "commit"),
    [
        ({"dev-0": "two@example.com", "grace": "two@example.com"}, None),
        ({}, "grace@example.com"),  # which is public of another person
        ({}, "2+dev-2@users.noreply.github.com"),
    ],
)
def test_an_address_of_two_people_or_of_nobody_matches_none(
    shell: Shell, github: Sandbox, world: World, verified: dict[str, str], commit: str | None
) -> None:
    for login, address in verified.items():
        github.world.actor(login).verified_emails = {"octo": [address]}
    github.world.actor("dev-2").commit_email = commit
    world.users["5e-two"].email = commit if commit and "noreply" in commit else "two@example.com"
    found = computed(shell)
    assert "5e-two" not in {account for _, account in found}
    assert ("dev-2", "5e-grace") not in found


def test_no_log_and_no_output_has_an_address_or_a_token(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    select(shell.folder, "[ABC]", MAP)
    said = ""
    for command in (["sync", "octo/app"], ["sync", "--reconcile"], ["status"], ["doctor"], ["people"]):
        ended = shell.run(*command)
        said += ended.stdout + ended.stderr
    for secret in ("@example.com", shell.environment["JIRA_TOKEN"], "users.noreply"):
        assert secret not in said + caplog.text


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


def test_what_jira_reads_is_published_in_the_same_run_and_when_only_jira_changed(
    shell: Shell, world: World
) -> None:
    shell.run("sync", "octo/app")
    assert shell.published("SELECT count(*) FROM issues") == [(11,)]
    world.create(next(iter(world.projects.values())), "Later")
    let_pass(world, minutes=5)
    assert shell.run("sync", "--only", "jira").returncode == 0
    assert shell.published("SELECT count(*) FROM issues") == [(12,)]
