"""GitHub Apps: their installations, tokens and keys, and the messages when these are not enough."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace

from prpipeline.github.auth import AppCredential, TokenCredential
from prpipeline.github.graphql_source import GraphQLSource
from prpipeline.github.sources import credentials, open_sources
from prpipeline.model import redaction
from prpipeline.model.failures import BadCredentials, PermanentFailure
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import App, Installation, Sandbox, World
from prpipeline.settings import load_settings
from prpipeline_tests.support.sync_lab import SyncLab, let_pass, small_world


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def world() -> World:
    return small_world(3, ["octo/app", "octo/tool", "moon/lander"])


@pytest.fixture
def app(key: str) -> App:
    return App(7, key, installations=[Installation(1, "octo"), Installation(2, "moon")])


@pytest.fixture
def server(world: World, app: App) -> Iterator[Sandbox]:
    with Sandbox(world, apps=[app]) as server:
        yield server


def app_lab(world: World, server: Sandbox, folder: Path, key: str, **environment: str) -> SyncLab:
    here = SyncLab(world, server, folder)
    settings = load_settings(
        {"GITHUB_API_URL": server.url, "GITHUB_APP_ID": "7", "GITHUB_APP_PRIVATE_KEY": key, **environment}
    )
    here.sources = open_sources(replace(settings, file=here.settings.file), here.clock)
    return here


def tokens_used(server: Sandbox) -> list[str]:
    used = [r.token for r in server.requests if r.token and r.token.startswith("ghs_")]
    return list(dict.fromkeys(used))


def test_an_app_finds_its_installations(world: World, server: Sandbox, tmp_path: Path, key: str) -> None:
    here = app_lab(world, server, tmp_path, key)
    assert [r.error for r in here.sync()] == [None, None, None]
    here.assert_equal()
    assert len(tokens_used(server)) == 2, "one per account"
    here.live()
    assert [r.error for r in here.sync()] == [None, None, None]
    here.assert_equal()
    assert sum(r.path.endswith("/installation") and r.status == 200 for r in server.requests) == 2


def test_an_app_renews_its_token_before_it_expires(
    world: World, server: Sandbox, tmp_path: Path, key: str
) -> None:
    here = app_lab(world, server, tmp_path, key, GITHUB_APP_INSTALLATION_ID="1")
    here.names = ["octo/app"]
    here.sync()
    let_pass(world, timedelta(minutes=52))
    here.source.repository(RepositoryName("octo", "app"))
    here.source.repository(RepositoryName("octo", "app"))
    assert len(tokens_used(server)) == 2
    assert {r.status for r in server.requests if r.path == "/graphql"} == {200}


def test_an_app_with_a_refused_token_gets_a_new_one_once(
    world: World, server: Sandbox, tmp_path: Path, key: str
) -> None:
    here = app_lab(world, server, tmp_path, key, GITHUB_APP_INSTALLATION_ID="1")
    here.source.repository(RepositoryName("octo", "app"))
    server.revoke_token(tokens_used(server)[0])
    here.source.repository(RepositoryName("octo", "app"))
    assert len(tokens_used(server)) == 2
    let_pass(world, timedelta(hours=5))
    here.source.repository(RepositoryName("octo", "app"))
    assert len(tokens_used(server)) == 3


def test_an_app_that_is_not_installed(
    world: World, server: Sandbox, tmp_path: Path, key: str, app: App
) -> None:
    app.installations.pop()
    here = app_lab(world, server, tmp_path, key)
    errors = {r.tracked_as: r.error for r in here.sync()}
    assert errors["octo/app"] is None
    assert "is not installed for moon/lander" in (errors["moon/lander"] or "")


@pytest.mark.parametrize("text", ["-----BEGIN RSA PRIVATE KEY-----\nnonsense\n-----END RSA PRIVATE KEY-----"])
def test_an_invalid_key(world: World, server: Sandbox, tmp_path: Path, text: str) -> None:
    here = app_lab(world, server, tmp_path, text)
    with pytest.raises(BadCredentials, match="private key cannot be read"):
        here.source.repository(RepositoryName("octo", "app"))


def test_a_key_of_another_app(world: World, server: Sandbox, tmp_path: Path, key: str, app: App) -> None:
    app.key = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    here = app_lab(world, server, tmp_path, key)
    with pytest.raises(BadCredentials, match="does not accept the key of the App 7"):
        here.source.repository(RepositoryName("octo", "app"))


def test_without_the_extra_an_app_says_what_to_install(
    world: World, server: Sandbox, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    here = app_lab(world, server, tmp_path, key)
    with pytest.raises(PermanentFailure, match=r"prpipeline\[app\]"):
        here.source.repository(RepositoryName("octo", "app"))


def test_an_app_in_addition_to_tokens_is_another_worker(key: str) -> None:
    environment = {
        "GITHUB_TOKEN": "one-token,two-tokens",
        "GITHUB_APP_ID": "7",
        "GITHUB_APP_PRIVATE_KEY": key,
    }
    sources = open_sources(load_settings(environment))
    kinds = [type(source.client.credential) for source in sources]
    assert kinds == [TokenCredential, TokenCredential, AppCredential]
    assert {type(source) for source in sources} == {GraphQLSource}


def test_credentials_are_redacted(key: str) -> None:
    load = load_settings(
        {"GITHUB_TOKEN": "tok-very-unusual", "GITHUB_APP_ID": "7", "GITHUB_APP_PRIVATE_KEY": key}
    )
    found = credentials(load.github)
    assert redaction.redact("a tok-very-unusual b") == "a *** b"
    assert "tok-very-unusual" not in repr(found) + repr([vars(f) for f in found])
