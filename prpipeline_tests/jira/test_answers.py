"""Answers that lie, limits, faults: each is said in a sentence, and nothing is lost or removed on their strength."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import EMAIL, Fault, JiraSandbox, Quirks, Token
from prpipeline.sandbox.jira.tokens import ALL_SCOPES
from prpipeline.sandbox.messages import Delivery
from prpipeline_tests.support import stores
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.jira_lab import (
    JiraLab,
    assert_equal,
    let_pass,
    small_world,
    synced_lab,
)
from prpipeline_tests.support.slow import some_slow

PAGE = "<html><head><title>Log in</title></head><body>Please sign in</body></html>"
STRANGER = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}

LASTING = {
    "answered as to a stranger": (
        Fault("search", 200, {"issues": []}, STRANGER, 99),
        "does not accept the token",
    ),
    "a stranger in bulk": (
        Fault("bulkfetch", 200, {"issues": []}, STRANGER, 99),
        "does not accept the token",
    ),
    "a stranger at the statuses": (Fault("/status", 200, [], STRANGER, 99), "does not accept the token"),
    "captcha": (
        Fault(
            "myself", 403, "<html>", {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=x"}, 99
        ),
        "log in to Jira in a browser",
    ),
    "denied": (
        Fault("myself", 401, {}, {"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}, 99),
        "too many failed logins",
    ),
    "scope": (
        Fault("myself", 401, {"code": 401, "message": "Unauthorized; scope does not match"}, {}, 99),
        "lacks a scope",
    ),
    "ip allow list": (Fault("search", 403, PAGE, {}, 99), "IP allow list"),
    "forbidden": (Fault("status", 403, {"errorMessages": ["No."]}, {}, 99), "denies access (403): No."),
    "wrong site": (Fault("myself", 404, PAGE, {}, 99), "There is no Jira at this address"),
    "login redirect": (
        Fault("myself", 302, {}, {"Location": "https://id.atlassian.com/login"}, 99),
        "redirects to id.atlassian.com (302), where the token is not sent",
    ),
    "a page as data": (Fault("search", 200, PAGE, {}, 99), "“Log in”, not with data"),
    "no json": (Fault("status", 200, "nonsense", {}, 99), "not JSON"),
    "another shape": (Fault("search/jql", 200, {"values": []}, {}, 99), "lacks its list of issues"),
    "removed": (
        Fault("search", 410, {"errorMessages": ["CHANGE-2046"]}, {}, 99),
        "no longer has what was asked for",
    ),
    "overloaded": (Fault("bulkfetch", 502, "", {}, 99), "overloaded"),
    "broken": (Fault("bulkfetch", 500, {}, {}, 99), "Jira answered 500."),
    "quota": (
        Fault("search", 429, {}, {"RateLimit-Reason": "jira-quota-global-based", "Retry-After": "7200"}, 99),
        "later than it may wait",
    ),
    "reset": (Fault("myself", 500, {}, {}, 99, delivery=Delivery("reset")), "The connection to"),
    "truncated": (
        Fault("search", 200, {"issues": []}, {}, 99, delivery=Delivery("truncated_body")),
        "127.0.0.1",
    ),
}


@pytest.fixture(scope="module")
def waiting() -> Iterator[JiraLab]:
    """Synced, with an issue that came since: for syncs that change nothing."""
    with stores.attached(), synced_lab(lasting_folder()) as lab:
        let_pass(lab.world, hours=1)
        lab.world.create(lab.project, "A new one")
        yield lab


@pytest.mark.parametrize(("fault", "says"), LASTING.values(), ids=LASTING)
def test_what_lasts_is_said_and_changes_nothing(waiting: JiraLab, fault: Fault, says: str) -> None:
    before = _state(waiting)
    waiting.server.faults[:] = [replace(fault)]
    result = waiting.sync(reconcile=True)["ABC"]
    assert says in (result.error or "")
    assert _state(waiting) == before


@pytest.fixture(scope="module")
def living() -> Iterator[JiraLab]:
    """Of pages of one row."""
    with stores.attached(), synced_lab(lasting_folder(), quirks=Quirks(rows_a_page=1)) as lab:
        yield lab


@pytest.fixture
def settled(living: JiraLab) -> JiraLab:
    """An hour after a sync that found all, whatever was tested before: for tests that make issues."""
    living.server.faults.clear()
    if len(living.held_keys()) != len(living.world.issues):
        living.sync_well(full=True)
    let_pass(living.world, hours=1)
    living.clock.sleeps.clear()
    return living


@pytest.mark.parametrize("name", ["captcha", "truncated", "broken"])
def test_what_failed_is_made_up_for(settled: JiraLab, name: str) -> None:
    """Whether it failed before anything was asked of a project, by its list, or by an issue."""
    settled.world.create(settled.project, "A new one")
    let_pass(settled.world, minutes=20)  # longer than syncs overlap
    settled.server.faults.append(replace(LASTING[name][0]))
    assert settled.sync(reconcile=True)["ABC"].failed
    settled.server.faults.clear()
    assert settled.sync_well()["ABC"].issues == 1
    assert_equal(settled)


def _state(lab: JiraLab) -> tuple[object, ...]:
    """What is stored, and where the next sync begins; not that the last one failed."""
    kept = "* EXCLUDE (status, last_error, last_failure, last_attempt_at)"
    return lab.stored(), lab.rows(f"SELECT {kept} FROM meta.jira_projects")


# What Jira answers, of which "a date" and "a time" are in a minute, and for how many seconds it is waited at least.
PASSING = {
    "one 502": (Fault("bulkfetch", 502), 0.0),
    "one 500": (Fault("search", 500), 0.0),
    "one page": (Fault("search", 200, PAGE), 0.0),
    "a burst": (Fault("search", 429, {}, {"RateLimit-Reason": "jira-burst-based", "Retry-After": "7"}), 7.0),
    "now": (Fault("search", 429, {}, {"Retry-After": "0"}), 1.0),
    "without a time": (Fault("search", 429, {}, {}), 5.0),
    "until a time": (
        Fault(
            "bulkfetch",
            429,
            {},
            {"RateLimit-Reason": "jira-quota-tenant-based", "X-RateLimit-Reset": "a time"},
        ),
        60.0,
    ),
    "a date": (Fault("search", 429, {}, {"Retry-After": "a date"}), 60.0),
    "costs": (
        Fault("search", 429, {}, {"RateLimit-Reason": "jira-cost-based", "Retry-After": "9"}),
        9.0,
    ),
    "threads": (
        Fault(
            "search",
            429,
            {},
            {"RateLimit-Reason": "jira-max-concurrent-threads-per-tenant", "Retry-After": "3"},
        ),
        3.0,
    ),
    "the last page": (Fault("search/jql", 502, PAGE, after=3), 0.0),
    "maintenance": (Fault("search", 503, PAGE, {"Retry-After": "30"}), 30.0),
}


@pytest.mark.parametrize(("fault", "waits"), PASSING.values(), ids=PASSING)
def test_what_passes_is_waited_for(settled: JiraLab, fault: Fault, waits: float) -> None:
    for number in range(2):
        settled.world.create(settled.project, f"Later {number}")
    let_pass(settled.world, minutes=20)  # longer than syncs overlap
    in_a_minute = settled.world.now() + timedelta(minutes=1)
    times = {
        "a date": format_datetime(in_a_minute, usegmt=True),
        "a time": f"{in_a_minute:%Y-%m-%dT%H:%M:%SZ}",
    }
    fault = replace(fault, headers={name: times.get(value, value) for name, value in fault.headers.items()})
    settled.server.faults.append(fault)
    assert settled.sync_well()["ABC"].issues == 2
    assert fault.times == 0
    assert sum(settled.clock.sleeps) >= waits
    assert_equal(settled)


def test_a_token_that_expires_in_the_middle_removes_nothing(tmp_path: Path) -> None:
    with synced_lab(tmp_path) as lab:
        for issue in list(lab.world.issues.values())[:2]:
            lab.world.delete(issue)
        let_pass(lab.world, hours=1)
        (token,) = lab.server.tokens

        def expire(request: object) -> None:
            token.is_revoked = token.is_revoked or "issue/10001" in getattr(request, "path", "")

        lab.server.before_request = expire
        result = lab.sync(reconcile=True)["ABC"]
        assert "does not accept the token" in (result.error or "")
        assert len(lab.held_keys()) == 12


@pytest.mark.parametrize(("kind", "url"), [("scoped", "url"), ("unscoped", "gateway_url")])
def test_a_token_at_the_wrong_address(tmp_path: Path, kind: str, url: str) -> None:
    world, _ = small_world()
    token = Token("good-token-1234", world.bot, "scoped" if kind == "scoped" else "unscoped")
    with JiraSandbox(world, tokens=[token]) as server:
        environment = {"JIRA_URL": getattr(server, url), "JIRA_EMAIL": EMAIL, "JIRA_TOKEN": token.token}
        result = JiraLab(server, tmp_path, environment=environment).sync()["ABC"]
        assert ("gateway's address" if kind == "scoped" else "site's address") in (result.error or "")


def test_a_token_with_scopes_at_the_gateway(tmp_path: Path) -> None:
    world, _ = small_world()
    with JiraSandbox(world, tokens=[Token("good-token-1234", world.bot, "scoped")]) as server:
        lab = JiraLab(server, tmp_path)
        lab.sync_well()
        assert len(lab.held_keys()) == 12
        assert lab.rows("SELECT url FROM raw.jira_issues WHERE issue_id = 10001") == [
            (f"{server.url}/browse/ABC-1",)
        ]


def test_an_account_that_is_deactivated(tmp_path: Path) -> None:
    world, _ = small_world()
    world.bot.is_active = False
    with JiraSandbox(world) as server:
        assert "is deactivated" in (JiraLab(server, tmp_path).sync()["ABC"].error or "")


def test_another_account_than_before_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with synced_lab(tmp_path) as lab:
        other = lab.world.add_user("5e1", "Another", email="other@example.com")
        lab.server.tokens.append(Token("other-token-123", other, email="other@example.com"))
        lab.environment = {
            "JIRA_URL": lab.server.url,
            "JIRA_EMAIL": "other@example.com",
            "JIRA_TOKEN": "other-token-123",
        }
        lab.sync_well()
        assert "as another account than before" in caplog.text


def test_a_server_that_is_another_one_is_refused(tmp_path: Path) -> None:
    from prpipeline.warehouse.host import OtherHost

    with synced_lab(tmp_path) as lab, JiraSandbox(lab.world) as second:
        lab.environment = second.environment
        with pytest.raises(OtherHost, match="JIRA_URL leads to"):
            lab.sync()


def test_an_edition_that_is_set_wrongly(tmp_path: Path) -> None:
    world, _ = small_world()
    with JiraSandbox(world) as server:
        lab = JiraLab(server, tmp_path, environment=server.environment | {"JIRA_EDITION": "data-center"})
        assert "says that it is cloud" in (lab.sync()["ABC"].error or "")


@pytest.mark.parametrize(
    ("edition", "wrong"),
    some_slow(
        [("cloud", -1), ("cloud", 1), ("data-center", -1), ("data-center", 1)],
        ("cloud", -1),
        ("cloud", 1),
    ),
)
def test_a_clock_that_is_wrong_by_an_hour(tmp_path: Path, edition: str, wrong: int) -> None:
    """Watermarks go by Jira's clock, or this machine's where that is the earlier: too early costs a look, too late an issue."""
    world, project = small_world()
    assert isinstance(world.clock, ManualClock)
    world.clock.set(datetime.now(UTC) + timedelta(hours=wrong))
    with JiraSandbox(world, edition=edition) as server:
        lab = JiraLab(server, tmp_path)
        lab.sync_well()
        for _ in range(2):
            started = world.clock.now().replace(tzinfo=None, microsecond=0)
            watermark = lab.watermark()
            assert watermark is not None
            assert watermark <= started - timedelta(minutes=15)
            let_pass(world, minutes=25)
            world.create(project, "A new one")
            world.transition(world.issues[10_001], "4")
            let_pass(world, minutes=25)
            assert lab.sync_well()["ABC"].issues >= 2  # what seems to be read before it changed is read again
            assert_equal(lab)


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    world, _ = small_world()
    with JiraSandbox(world) as server, JiraSandbox(world) as elsewhere:
        server.faults.append(Fault("myself", 302, {}, {"Location": f"{elsewhere.url}/login.jsp"}, 9))
        assert "where the token is not sent" in (JiraLab(server, tmp_path).sync()["ABC"].error or "")
        assert elsewhere.requests == []


def test_an_address_that_leads_nowhere(tmp_path: Path) -> None:
    world, _ = small_world()
    with JiraSandbox(world) as server:
        environment = server.environment | {"JIRA_URL": "https://nowhere.invalid"}
        result = JiraLab(server, tmp_path, environment=environment, attempts=1).sync()["ABC"]
        assert "nowhere.invalid" in (result.error or "")
        assert server.requests == []


@pytest.mark.parametrize("missing", ["read:jira-work", "read:jira-user"])
def test_a_token_that_lacks_a_scope(tmp_path: Path, missing: str) -> None:
    world, _ = small_world()
    token = Token("good-token-1234", world.bot, "scoped", scopes=ALL_SCOPES - {missing})
    with JiraSandbox(world, tokens=[token]) as server:
        result = JiraLab(server, tmp_path).sync()["ABC"]
        assert "The token lacks a scope" in (result.error or "")
        assert "read:jira-work and read:jira-user" in (result.error or "")


def test_a_personal_access_token_that_expires(tmp_path: Path) -> None:
    with synced_lab(tmp_path, edition="data-center") as lab:
        lab.server.answers_strangers = False
        lab.server.tokens[0].expires_at = lab.world.now() + timedelta(hours=1)
        lab.sync_well()
        let_pass(lab.world, hours=2)
        before = lab.stored()
        assert "does not accept the token" in (lab.sync(reconcile=True)["ABC"].error or "")
        assert lab.stored() == before
