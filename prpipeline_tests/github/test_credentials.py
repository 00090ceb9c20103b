"""Credentials: tokens, gh, none; and the messages when they are not enough."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from prpipeline.github.auth import Anonymous, TokenCredential
from prpipeline.github.client import Client
from prpipeline.github.rest_source import RestSource
from prpipeline.github.sources import credentials, open_sources
from prpipeline.model.failures import AccessDenied, BadCredentials, NotFound
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Credential, Sandbox
from prpipeline.settings import GitHubSettings, load_settings
from prpipeline.sync.workers import sync_with_workers
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, small_world


def test_several_tokens_are_workers_with_one_request_in_flight_each(tmp_path: Path) -> None:
    world = small_world(3, [f"octo/app-{n}" for n in range(6)])
    with Sandbox(
        world, tokens=["token-number-1", "token-number-2", "token-number-3"], latency=0.02
    ) as server:
        here = SyncLab(world, server, tmp_path, tokens="token-number-1,token-number-2,token-number-3")
        for mode in ("history", "increment"):
            results = list(sync_with_workers(here.sources, here.warehouse, here.sync_settings, here.names))
            assert sorted(r.tracked_as for r in results) == sorted(here.names)
            assert {r.mode for r in results} == {mode}
            here.assert_equal()
            here.live()
        assert set(server.max_in_flight_by_token) == {"token-number-1", "token-number-2", "token-number-3"}
        assert server.max_in_flight == 1


def test_a_repository_hidden_from_one_token_is_tried_with_the_next(tmp_path: Path) -> None:
    world = small_world(3, ["octo/app", "octo/secret"])
    world.set_private("octo/secret")
    tokens = [
        Credential("token-of-nobody", repositories=()),
        Credential("token-of-octo"),
        Credential("expired-token"),
    ]
    with Sandbox(world, tokens=tokens) as server:
        here = SyncLab(world, server, tmp_path, tokens="token-of-nobody,token-of-octo,expired-token")
        server.revoke_token("expired-token")
        for _ in range(2):
            results = list(sync_with_workers(here.sources, here.warehouse, here.sync_settings, here.names))
            assert {r.tracked_as: r.error for r in results} == {"octo/app": None, "octo/secret": None}
            here.assert_equal()
            here.live()
        world.delete_repository("octo/secret")
        results = list(sync_with_workers(here.sources, here.warehouse, here.sync_settings, here.names))
        assert {r.tracked_as: r.failed for r in results} == {"octo/app": False, "octo/secret": True}


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_a_token_that_lacks_a_permission_is_named_with_it(tmp_path: Path, api: str) -> None:
    world = small_world(3)
    token = Credential("fine-grained", kind="fine-grained", missing_permissions=("pull_requests",))
    with Sandbox(world, tokens=[token]) as server:
        here = SyncLab(world, server, tmp_path, api, tokens="fine-grained")
        (result,) = here.sync()
        assert result.failure == "AccessDenied"
        assert "lacks the permission “Pull requests: read”" in (result.error or "")
        assert here.tracked().status == "forbidden"


@pytest.mark.parametrize(("api", "token"), [
    ("graphql", Credential("token-without-teams", scopes=("repo",))),
    ("graphql", Credential("token-without-teams", kind="fine-grained", missing_permissions=("members",))),
    ("rest", Credential("token-without-teams", scopes=("repo",))),
    pytest.param(
        "rest",
        Credential("token-without-teams", kind="fine-grained", missing_permissions=("members",)),
        marks=pytest.mark.slow,
    ),
])  # fmt: skip
def test_a_token_that_sees_no_teams_gets_everything_else(tmp_path: Path, api: str, token: Credential) -> None:
    world = small_world(3)
    with Sandbox(world, tokens=[token]) as server:
        here = SyncLab(world, server, tmp_path, api, tokens="token-without-teams")
        assert here.sync()[0].error is None
        here.assert_equal(teams=False)


def test_a_token_that_sees_no_commits_gets_everything_else(tmp_path: Path) -> None:
    world = small_world(6)
    token = Credential("token", kind="fine-grained", missing_permissions=("contents",))
    with Sandbox(world, tokens=[token]) as server:
        here = SyncLab(world, server, tmp_path, tokens="token")
        assert here.sync()[0].error is None
        held, expected = here.held(), here.expected()
    assert [row[-1] for row in held["pull_requests"]] == [None] * 6
    for table in held:
        cut = -1 if table == "pull_requests" else None
        assert [row[:cut] for row in held[table]] == [row[:cut] for row in expected[table]]
    operations = [request.operation for request in server.requests]
    assert operations.count("History") == 3, "after the first refusal no page asks for commits again"


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_single_sign_on(tmp_path: Path, api: str) -> None:
    world = small_world(3)
    with Sandbox(world, tokens=[Credential("no-sso-token", sso_organizations=("octo",))]) as server:
        here = SyncLab(world, server, tmp_path, api, tokens="no-sso-token")
        (result,) = here.sync()
        assert result.failure == "AccessDenied"
        assert "single sign-on" in (result.error or "")
        if api == "rest":
            with pytest.raises(AccessDenied, match="left rows out"):
                here.source.owner_repositories("octo")


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_a_wrong_token(tmp_path: Path, api: str) -> None:
    world = small_world(3, ["octo/app", "octo/tool"])
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, api, tokens="mistyped-token")
        results = here.sync()
        assert {r.failure for r in results} == {"BadCredentials"}
        assert len(server.requests) == 1, "nobody asks again with a token that is refused"


@pytest.mark.parametrize(
    ("api", "prefix"),
    some_slow(
        [(api, prefix) for api in ("graphql", "rest") for prefix in ("", "/api/v3")],
        ("graphql", "/api/v3"),
        ("rest", "/api/v3"),
    ),
)
def test_enterprise_servers(tmp_path: Path, api: str, prefix: str) -> None:
    world = small_world(3)
    with Sandbox(world) as server:
        settings = load_settings(
            {
                "GITHUB_API_URL": server.url + prefix,
                "GITHUB_TOKEN": "sandbox-token",
                "PRPIPELINE_GITHUB_API": api,
            }
        )
        here = SyncLab(world, server, tmp_path, page_size=2)
        here.sources = open_sources(replace(settings, file=here.settings.file), here.clock)
        assert here.sync()[0].error is None
        here.assert_equal()
        assert {r.path.startswith("/api/") for r in server.requests} == {bool(prefix)}


# ── which credential ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fake_gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gh that records its arguments and has a token."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program, notes = folder / "gh", tmp_path / "asked"
    program.write_text(f'#!/bin/sh\necho "$@" >> {notes}\necho gho_tokenThatOnlyGhKnows\n')
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return notes


@pytest.mark.parametrize(
    ("api_url", "host"),
    [
        ("", "github.com"),
        ("https://github.example.com/api/v3", "github.example.com"),
        ("https://api.octo.ghe.com", "octo.ghe.com"),
    ],
)
def test_gh_is_asked_if_nothing_else_is_set(fake_gh: Path, api_url: str, host: str) -> None:
    (found,) = credentials(load_settings({"GITHUB_API_URL": api_url}).github)
    assert isinstance(found, TokenCredential)
    assert fake_gh.read_text() == f"auth token --hostname {host}\n"


@pytest.mark.parametrize(
    "environment",
    [
        {"GITHUB_TOKEN": "some-other-token"},
        {"GITHUB_API_URL": "http://127.0.0.1:9"},
        {"GITHUB_API_URL": "http://localhost:9"},
        {"GITHUB_API_URL": "https://127.0.0.1"},
        {"GITHUB_API_URL": "https://localhost:8443"},
        {"GITHUB_API_URL": "https://github.example.com:8443/api/v3"},
        {"GITHUB_API_URL": "http://github.example.com/api/v3", "PRPIPELINE_ALLOW_HTTP": "1"},
    ],
)
def test_gh_is_not_asked(fake_gh: Path, environment: dict[str, str]) -> None:
    credentials(load_settings(environment).github)
    assert not fake_gh.exists()


@pytest.mark.parametrize("script", ["exit 1", "echo", "echo 'two words'", "kill -9 $$"])
def test_gh_without_a_token(fake_gh: Path, tmp_path: Path, script: str) -> None:
    (tmp_path / "bin" / "gh").write_text(f"#!/bin/sh\n{script}\n")
    (found,) = credentials(load_settings({}).github)
    assert isinstance(found, Anonymous)


def test_without_a_credential_rest_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (source,) = open_sources(load_settings({}))
    assert isinstance(source, RestSource)


def test_graphql_without_a_token_says_what_to_do() -> None:
    client = Client(GitHubSettings(), load_settings({}).sync, Anonymous())
    with pytest.raises(BadCredentials, match="needs a token: set GITHUB_TOKEN"):
        client.graphql("viewer", {})


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_a_repository_that_does_not_exist(tmp_path: Path, api: str) -> None:
    world = small_world(1)
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, api)
        with pytest.raises(NotFound, match="if it is private"):
            here.source.repository(RepositoryName("octo", "nothing"))
