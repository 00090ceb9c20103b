"""Credentials: OAuth's rotation, addresses as people write them, and secrets that show nowhere."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prpipeline.sandbox.jira import Fault, JiraSandbox, OAuthApp, World
from prpipeline.settings import ConfigurationError
from prpipeline.settings.jira import jira_settings
from prpipeline_tests.support.jira_lab import JiraLab, let_pass, small_world

SECRET = "client-secret-123456"


@pytest.mark.parametrize(
    ("written", "url", "edition"),
    [
        ("x.atlassian.net", "https://x.atlassian.net", "cloud"),
        (
            "https://x.atlassian.net/jira/software/projects/ABC/boards/1?a=b#c",
            "https://x.atlassian.net",
            "cloud",
        ),
        ("https://x.atlassian.net/", "https://x.atlassian.net", "cloud"),
        (
            "https://api.atlassian.com/ex/jira/abc-1/rest/api/3",
            "https://api.atlassian.com/ex/jira/abc-1",
            "cloud",
        ),
        ("https://jira.example.com/jira/", "https://jira.example.com/jira", None),
        ("https://jira.example.com/jira/browse/ABC-1", "https://jira.example.com/jira", None),
        ("https://jira.example.com/secure/Dashboard.jspa", "https://jira.example.com", None),
        ("https://jira.example.com:8443", "https://jira.example.com:8443", None),
        ("http://127.0.0.1:8080/rest/api/2", "http://127.0.0.1:8080", None),
    ],
)
def test_an_address_in_any_form(written: str, url: str, edition: str | None) -> None:
    found = jira_settings({"JIRA_URL": written})
    assert found is not None
    assert (found.url, found.known_edition) == (url, edition)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"JIRA_URL": "http://jira.example.com"}, "plain http"),
        ({"JIRA_URL": "https://me:secret@x.atlassian.net"}, "put the credential in JIRA_TOKEN"),
        ({"JIRA_URL": "https://api.atlassian.com"}, "the gateway without a site"),
        ({"JIRA_URL": "ftp://x"}, "write it like"),
        ({"JIRA_URL": "https://x.atlassian.net", "JIRA_EDITION": "server"}, "write cloud or data-center"),
        ({"JIRA_URL": "https://x.atlassian.net", "JIRA_TOKEN": '"abc"'}, "is in quotes"),
        ({"JIRA_URL": "https://x.atlassian.net", "JIRA_TOKEN": "Bearer abc"}, "begins with"),
        (
            {"JIRA_URL": "https://x.atlassian.net", "JIRA_OAUTH_CLIENT_ID": "1"},
            "JIRA_OAUTH_CLIENT_SECRET is not",
        ),
    ],
)
def test_what_cannot_be_an_address_or_a_credential(variables: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        jira_settings(variables)
    assert "secret@" not in str(caught.value)


def oauth(server: JiraSandbox, file: Path, url: str | None = None) -> dict[str, str]:
    return {
        "JIRA_URL": url or server.url,
        "JIRA_OAUTH_CLIENT_ID": "app",
        "JIRA_OAUTH_CLIENT_SECRET": SECRET,
        "JIRA_OAUTH_TOKEN_FILE": str(file),
        "JIRA_OAUTH_URL": f"http://127.0.0.1:{server.port}",
    }


def app(world: World, *sites: str) -> OAuthApp:
    return OAuthApp("app", SECRET, "first-refresh-token", world.bot, list(sites))


def test_a_refresh_token_is_replaced_in_its_file_before_it_is_used(tmp_path: Path) -> None:
    world, _ = small_world()
    file = tmp_path / "token"
    file.write_text("first-refresh-token\n")
    with JiraSandbox(world, apps=[app(world)]) as server:
        lab = JiraLab(server, tmp_path, environment=oauth(server, file))
        lab.sync_well()
        held = json.loads(file.read_text())
        assert held["refresh_token"] == server.apps[0].refresh_token != "first-refresh-token"
        assert file.stat().st_mode & 0o077 == 0
        lab.sync_well()  # the access token is good for an hour
        assert server.apps[0].used == ["first-refresh-token"]
        let_pass(world, hours=2)
        lab.sync_well()
        assert len(server.apps[0].used) == 2


def test_the_new_refresh_token_is_kept_when_the_next_request_fails(tmp_path: Path) -> None:
    world, _ = small_world()
    file = tmp_path / "token"
    file.write_text("first-refresh-token")
    with JiraSandbox(world, apps=[app(world)]) as server:
        server.faults.append(Fault("accessible-resources", 500, times=9))
        lab = JiraLab(server, tmp_path, environment=oauth(server, file))
        assert lab.sync()["ABC"].failed
        assert json.loads(file.read_text())["refresh_token"] == server.apps[0].refresh_token
        server.faults.clear()
        lab.sync_well()


def test_a_refresh_token_that_was_used_elsewhere(tmp_path: Path) -> None:
    world, _ = small_world()
    file = tmp_path / "token"
    file.write_text("an-old-refresh-token")
    with JiraSandbox(world, apps=[app(world)]) as server:
        error = JiraLab(server, tmp_path, environment=oauth(server, file)).sync()["ABC"].error or ""
        assert "Atlassian does not accept the refresh token (403, Unknown or invalid refresh token." in error
        assert file.read_text() == "an-old-refresh-token"


def test_the_site_of_the_address_is_taken_of_several(tmp_path: Path) -> None:
    world, _ = small_world()
    file = tmp_path / "token"
    file.write_text("first-refresh-token")
    with JiraSandbox(
        world, apps=[app(world, "https://one.example.com", "https://two.example.com")]
    ) as server:
        lab = JiraLab(server, tmp_path, environment=oauth(server, file))
        assert "one.example.com, https://two.example.com" in (lab.sync()["ABC"].error or "")
        lab.environment = oauth(server, file, server.gateway_url)
        lab.sync_well()


def test_secrets_and_addresses_of_people_show_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world, _ = small_world()
    with JiraSandbox(world) as server:
        lab = JiraLab(server, tmp_path)
        secrets = [server.tokens[0].token, "reader@example.com", "boss@example.com"]
        said = f"No access for boss@example.com with {server.tokens[0].token} of reader@example.com"
        server.faults.append(Fault("search", 403, {"errorMessages": [said]}, times=9))
        result = lab.sync()["ABC"]
        stored = str(lab.rows("FROM meta.jira_projects")) + str(lab.rows("FROM meta.jira_syncs"))
        for secret in secrets:
            assert secret not in f"{result} {caplog.text} {stored} {lab.settings}"
        assert "No access for ***" in (result.error or "")


def test_two_that_refresh_at_once_use_the_refresh_token_once(tmp_path: Path) -> None:
    world, _ = small_world()
    file = tmp_path / "token"
    file.write_text("first-refresh-token")
    with JiraSandbox(world, apps=[app(world)]) as server:
        lab = JiraLab(server, tmp_path, environment=oauth(server, file, server.gateway_url))
        with ThreadPoolExecutor(4) as threads:
            sources = [found.result() for found in [threads.submit(lab.open) for _ in range(4)]]
            names = [each.result().account_id for each in [threads.submit(s.account) for s in sources]]
        for source in sources:
            source.close()
        assert names == ["712020:reader"] * 4
        assert server.apps[0].used == ["first-refresh-token"]


@pytest.mark.parametrize("sites", [[], [{"id": "another-site", "url": "https://other.example.com"}]])
def test_an_account_without_this_site(tmp_path: Path, sites: list[dict[str, str]]) -> None:
    world, _ = small_world()
    file = tmp_path / "token"
    file.write_text("first-refresh-token")
    with JiraSandbox(world, apps=[app(world)]) as server:
        server.faults.append(Fault("accessible-resources", 200, sites, times=9))
        error = JiraLab(server, tmp_path, environment=oauth(server, file)).sync()["ABC"].error or ""
        assert (sites[0]["url"] if sites else "no site") in error


def test_an_access_token_is_renewed_in_its_last_five_minutes_and_when_its_end_is_unknown(
    tmp_path: Path,
) -> None:
    world, _ = small_world()
    file = tmp_path / "token"
    file.write_text("first-refresh-token")
    with JiraSandbox(world, apps=[app(world)]) as server:
        lab = JiraLab(server, tmp_path, environment=oauth(server, file, server.gateway_url))
        lab.sync_well()
        for left, is_renewed in ((6, False), (4, True), (-1, True), (None, True)):
            held = json.loads(file.read_text())
            del held["expires_at"]
            if left is not None:
                ends = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=left)
                held["expires_at"] = ends.isoformat()
            file.write_text(json.dumps(held))
            before = len(server.apps[0].used)
            source = lab.open()
            assert source.account().account_id == "712020:reader"
            source.close()
            assert len(server.apps[0].used) - before == is_renewed, left


def test_a_sign_in_that_is_down_says_so_and_keeps_the_refresh_token(tmp_path: Path) -> None:
    world, _ = small_world()
    file = tmp_path / "token"
    file.write_text("first-refresh-token")
    with JiraSandbox(world, apps=[app(world)]) as server:
        lab = JiraLab(server, tmp_path, environment=oauth(server, file, server.gateway_url))
        for answer in (500, 429, 200):
            server.faults[:] = [Fault("/oauth/token", answer, {}, {"Retry-After": "90000"}, times=9)]
            assert lab.sync()["ABC"].failed, answer
            assert file.read_text() == "first-refresh-token", answer
        server.faults.clear()
        lab.sync_well()
