"""What people say of themselves on GitHub is read to match them with Jira's accounts, and costs no sync anything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import duckdb
import pytest

from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.sandbox.jira import JiraSandbox
from prpipeline.sandbox.messages import Request
from prpipeline_tests.jira.conftest import logged, new_shell
from prpipeline_tests.support import stores
from prpipeline_tests.support.jira_lab import small_world as jira_world
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import quiet_world


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """With an empty warehouse, which takes longer to make than what most tests do with it."""
    stores.new_warehouse(shell.folder / "data", with_jira=True)
    return shell


@pytest.fixture
def github() -> Iterator[Sandbox]:
    with _github() as server:
        yield server


def _github() -> Sandbox:
    server = Sandbox(quiet_world(7))
    grace, other = server.world.actor("grace"), server.world.actor("dev-1")
    grace.name, grace.email = "Grace  Hopper", "Grace@Example.com"
    other.name, other.email = None, "123+dev-1@users.noreply.github.com"
    return server


@dataclass
class TwoSyncs:
    """Of the first the profiles asked for, the requests for verified addresses, and of whom commits; what both logged."""

    shell: Shell
    asked: list[str]
    asked_for_emails: tuple[int, list[str]]
    asked_again: list[Request]
    logged: str


@pytest.fixture(scope="module")
def two_syncs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSyncs]:
    with _github() as github, JiraSandbox(jira_world(1)[0]) as jira, logged() as log:
        github.world.actor("dev-2").verified_emails = {
            "octo": ["two@secret.example.com"],
            "other": ["no@example.com"],
        }
        github.world.actor("dev-3").commit_email = "three@secret.example.com"
        shell = new_shell(tmp_path_factory.mktemp("two-syncs"), github, jira)
        stores.new_warehouse(shell.data, with_jira=True)
        shell.read("octo/app")
        emails, profiles = asked_for_emails(github), asked(github)
        shell.read("octo/app")
        yield TwoSyncs(shell, profiles, emails, list(github.requests), log.getvalue())


def profiles(shell: Shell) -> dict[str, list[Any]]:
    with duckdb.connect(str(shell.folder / "data" / "warehouse.duckdb"), read_only=True) as warehouse:
        rows = warehouse.execute(
            "SELECT login, name, email_sha256 FROM raw.github_profiles JOIN raw.actor_logins USING (actor_id) "
            "LEFT JOIN raw.github_emails USING (actor_id)"
        ).fetchall()
    return {row[0]: list(row[1:]) for row in rows}


def asked(github: Sandbox) -> list[str]:
    """The logins whose profiles were asked for since the last look."""
    found = [request.path.rpartition("/")[2] for request in github.requests if "/users/" in request.path]
    github.requests.clear()
    return sorted(found)


def test_names_and_hashes_of_addresses_are_read_of_people(two_syncs: TwoSyncs) -> None:
    assert two_syncs.asked == ["dev-0", "dev-1", "dev-2", "dev-3", "grace"]
    found = profiles(two_syncs.shell)
    assert found["grace"] == ["Grace  Hopper", sha256(b"grace@example.com").hexdigest()]
    assert found["dev-1"] == [None, None]  # GitHub's own stand-in for an address says nothing


def test_verified_addresses_take_one_request_and_commits_are_asked_of_who_has_none(
    two_syncs: TwoSyncs,
) -> None:
    count, authors = two_syncs.asked_for_emails
    assert count == 1
    assert "dev-3" in authors
    assert not {"grace", "dev-2"} & set(authors)
    assert emails(two_syncs.shell) == {("grace", "public"), ("dev-2", "verified"), ("dev-3", "commit")}


def test_a_second_sync_asks_for_nobody(two_syncs: TwoSyncs) -> None:
    assert two_syncs.asked_again
    assert not [request for request in two_syncs.asked_again if _is_of_people(request)]


def test_no_address_is_stored_or_logged(two_syncs: TwoSyncs) -> None:
    assert "/users/grace" in two_syncs.logged  # the log tells of requests
    content = (two_syncs.shell.data / "warehouse.duckdb").read_bytes().lower()
    assert b"grace@example" not in content
    assert b"secret.example" not in content
    assert "secret.example" not in two_syncs.logged
    assert "grace@example" not in two_syncs.logged.lower()


def test_a_login_that_is_somebody_elses_now_tells_nothing(shell: Shell, github: Sandbox) -> None:
    github.before_request = lambda request: _give_away(github) if "/users/" in request.path else None
    shell.read("octo/app")
    assert profiles(shell)["grace"] == [None, None]


def _give_away(github: Sandbox) -> None:
    world = github.world
    if world.actor("grace").name:
        world.rename_user("grace", "hopper")
        world.actor("grace").email = "stranger@example.com"


def test_profiles_that_cannot_be_read_fail_no_sync(shell: Shell, github: Sandbox) -> None:
    for kind in ("status", "reset"):
        github.faults.add(Fault(kind, status=500, times=None, match=lambda r: "/users/" in r.path))
        shell.read("octo/app")
        assert 1 <= len(asked(github)) <= 2, kind
        assert profiles(shell) == {}, kind
        github.faults.clear()
    shell.read("octo/app")
    assert "grace" in profiles(shell)


def emails(shell: Shell) -> set[tuple[str, str]]:
    with duckdb.connect(str(shell.folder / "data" / "warehouse.duckdb"), read_only=True) as warehouse:
        return set(
            warehouse.execute(
                "SELECT login, kind FROM raw.github_emails JOIN raw.actor_logins USING (actor_id)"
            ).fetchall()
        )


def asked_for_emails(github: Sandbox) -> tuple[int, list[str]]:
    """How many requests there were for verified addresses, and of whom commits were asked for."""
    queries = [
        r for r in github.requests if r.path.endswith("graphql") and "VerifiedEmails" in r.json["query"]
    ]
    return len(queries), sorted(r.query["author"] for r in github.requests if r.path.endswith("/commits"))


def _is_of_people(request: Request) -> bool:
    return "/users/" in request.path or request.path.endswith("/commits") or b"VerifiedEmails" in request.body


@pytest.mark.parametrize(
    "why", some_slow(["scope", "members", "contents", "user", "sign-on"], "scope", "contents", "user")
)
def test_addresses_that_are_refused_are_none(shell: Shell, github: Sandbox, why: str) -> None:
    world, credential = github.world, github.credentials[shell.environment["GITHUB_TOKEN"]]
    for login in ("dev-2", "dev-3"):
        world.actor(login).commit_email = f"{login}@example.com"
    world.actor("dev-2").verified_emails = {"octo": ["two@example.com"]}
    expected = {("grace", "public"), ("dev-2", "commit"), ("dev-3", "commit")}
    match why:
        case "scope":
            credential.scopes = ("repo",)
        case "members":
            credential.kind, credential.missing_permissions = "fine-grained", ("members",)
        case "contents":
            credential.kind, credential.missing_permissions = "fine-grained", ("contents",)
            expected = {("grace", "public"), ("dev-2", "verified")}
        case "user":
            world.actor("octo").kind = "User"
        case "sign-on":  # a public repository can be read without

            def asks(request: Request) -> None:
                credential.sso_organizations = ("octo",) if b"VerifiedEmails" in request.body else ()

            github.before_request = asks
    shell.read("octo/app")
    assert asked_for_emails(github)[0] == 1
    assert emails(shell) == expected
    assert len(profiles(shell)) == 5


def test_verified_addresses_that_fail_for_once_are_read_by_the_next_sync(
    shell: Shell, github: Sandbox
) -> None:
    github.world.actor("dev-2").verified_emails = {"octo": ["two@example.com"]}
    broken = Fault("status", status=500, times=None, match=lambda r: b"VerifiedEmails" in r.body)
    github.faults.add(broken)
    shell.read("octo/app")
    assert profiles(shell) == {}
    github.faults.clear()
    shell.read("octo/app")
    assert ("dev-2", "verified") in emails(shell)


def test_requests_are_bounded_and_the_next_run_goes_on(
    shell: Shell, github: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prpipeline.sync.profiles._REQUESTS", 4)
    seen = set[str]()
    for _ in range(4):
        github.requests.clear()
        shell.read("octo/app")
        count, authors = asked_for_emails(github)
        logins = asked(github)
        assert count + len(authors) + len(logins) <= 4
        assert not seen & set(logins)
        seen |= set(logins)
    assert seen == {"dev-0", "dev-1", "dev-2", "dev-3", "grace"}
