"""Refusals by GitHub and by what stands before it: which are waited for, which last, and what they say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from prpipeline.github.sources import GitHubSource, open_sources
from prpipeline.model.failures import PermanentFailure
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.sandbox.github.faults.http import GATEWAY, SECONDARY, TOO_FAST, UNICORN
from prpipeline.sandbox.messages import Response
from prpipeline.settings import SyncSettings
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import JumpingClock, SyncLab, jumping_clock, make_settings, small_world

APIS = ("graphql", "rest")
ABUSE = "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again."
LOCKED_OUT = "Maximum number of login attempts exceeded. Please try again later."
DOCS = "https://docs.github.com/rest/overview/resources-in-the-rest-api"

# Status and body, without GitHub's headers. What is over after one request is waited for, and not seen in the end.
PASSING: dict[str, tuple[int, Any]] = {
    "403 without a body": (403, b""),
    "403 with a gateway's page": (403, GATEWAY),
    "403 with plain text": (403, b"Forbidden"),
    "403 with JSON of another shape": (403, {"error": {"code": 403, "reason": "denied"}}),
    "403 with a bare word": (403, {"message": "Forbidden", "documentation_url": DOCS}),
    "403 after too many wrong tokens": (403, {"message": LOCKED_OUT, "documentation_url": DOCS}),
    "403 with a limit's page": (403, TOO_FAST),
    "403 of abuse detection": (403, {"message": ABUSE, "documentation_url": DOCS}),
    "429 without a body": (429, b""),
    "200 with a limit's page": (200, TOO_FAST),
    "200 with a limit's message": (200, {"message": SECONDARY, "documentation_url": DOCS}),
    "200 with a limit's error": (200, {"error": SECONDARY}),
    "200 with a limit's text": (200, SECONDARY.encode()),
    "403 with a page that blocks": (
        403,
        b"<html><title>Access blocked</title>Your SAML session is suspended</html>",
    ),
    "503 with a limit's page": (503, TOO_FAST),
    "401 without a body": (401, b""),
    "401 with a gateway's page": (401, GATEWAY),
    "404 with a page": (404, UNICORN),
    "404 with plain text": (404, b"404 page not found"),
    "410 with a piece of a page": (410, b"<h1>Gone</h1>"),
    "200 without a body": (200, b""),
    "202": (202, {}),
    "500 with a page": (500, GATEWAY),
}
WAITED_FOR = {name for name in PASSING if name[:3] in {"401", "403", "429"} or "limit's" in name}

LASTING: dict[str, tuple[int, Any, dict[str, str], str]] = {
    "IP allow list": (403, {"message": "… an IP allow list enabled, and your IP address is not permitted"}, {}, "IP allow list"),
    "permission": (403, {"message": "Resource not accessible by personal access token"}, {}, "Pull requests: read"),
    "single sign-on": (403, {"message": "Resource protected"}, {"X-GitHub-SSO": "required; url=x"}, "single sign-on"),
    "blocked": (403, {"message": "Repository access blocked", "block": {"reason": "tos"}}, {}, "access blocked"),
    "suspended": (403, {"message": "Sorry. Your account was suspended."}, {}, "suspended"),
    "a reason that we do not know": (403, {"message": "Tokens may live for 90 days at most here", "documentation_url": DOCS}, {}, f"90 days at most here. See {DOCS}"),
    "DMCA": (451, {"message": "Repository access blocked"}, {}, "legal reasons"),
    "a proxy's password": (407, b"", {}, "HTTPS_PROXY"),
}  # fmt: skip

UNEXPLAINED = {
    "403 without a body": "refused with 403 and no explanation",
    "403 with a gateway's page": "a web page, “Zugriff verweigert”",
    "401 without a body": "refused with 401 and no explanation",
}


def in_turn(names: Iterable[str]) -> list[ParameterSet]:
    """Each with both APIs; in ``make test`` with one of them, in turn."""
    pairs = [(api, name) for name in names for api in APIS]
    return some_slow(pairs, *pairs[::4], *pairs[3::4])


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    """A server of two small repositories that no test here changes."""
    with Sandbox(small_world(1, ["octo/app", "octo/tool"])) as server:
        yield server


@pytest.fixture
def lab(server: Sandbox, tmp_path: Path, api: str) -> SyncLab:
    server.faults.clear()
    server.reset_requests()
    return SyncLab(server.world, server, tmp_path, api)


@pytest.fixture
def clock(server: Sandbox) -> JumpingClock:
    return jumping_clock(server.world)


@pytest.fixture
def source(server: Sandbox, clock: JumpingClock, tmp_path: Path, api: str) -> GitHubSource:
    """What asks GitHub, without a warehouse."""
    server.faults.clear()
    server.reset_requests()
    (source,) = open_sources(make_settings(server, tmp_path, api, sync=SyncSettings(attempts=4)), clock)
    return source


def refuse(
    server: Sandbox, status: int, body: Any, headers: dict[str, str] | None = None, times: int | None = 1
) -> None:
    """Answer like this: the first requests, or all about octo/app."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fault = server.faults.add(Fault("status", times=times))
    fault.change = lambda request, response, now: Response(  # type: ignore[method-assign]
        status, content, headers or {}
    )
    if times is None:
        fault.match = lambda request: request.variables.get("name") == "app" or "octo/app" in request.path


@pytest.mark.parametrize(("api", "name"), in_turn(PASSING))
def test_what_passes_is_asked_again(
    server: Sandbox, source: GitHubSource, clock: JumpingClock, name: str
) -> None:
    refuse(server, *PASSING[name], times=2)
    assert source.repository(RepositoryName("octo", "app"))[0].full_name == "octo/app"
    waits = [seconds for seconds in clock.sleeps if seconds >= 20]
    assert [round(wait / 60) for wait in waits] == ([1, 2] if name in WAITED_FOR else [])


@pytest.mark.parametrize(
    ("api", "name"), [("rest", "403 without a body"), ("graphql", "200 with a limit's text")]
)
def test_a_sync_sees_nothing_of_what_passes(lab: SyncLab, name: str) -> None:
    refuse(lab.server, *PASSING[name], times=2)
    assert [result.error for result in lab.sync()] == [None, None]
    lab.assert_equal()


@pytest.mark.parametrize(("api", "name"), in_turn(UNEXPLAINED))
def test_a_refusal_without_a_reason_condemns_nobody_else(lab: SyncLab, name: str) -> None:
    refuse(lab.server, *PASSING[name], times=None)
    app, tool = lab.sync()
    assert (app.mode, app.failure, app.is_permanent) == ("failed", "UnexplainedRefusal", False)
    assert UNEXPLAINED[name] in (app.error or "")
    assert "It still does after 3 waits" in (app.error or "")
    assert lab.tracked("octo/app").status == "failed"
    assert (tool.mode, tool.error) == ("history", None)
    assert sum(r.fault is not None for r in lab.server.requests) == lab.sync_settings.attempts
    lab.server.faults.clear()
    assert [result.error for result in lab.sync()] == [None, None]
    lab.assert_equal()


@pytest.mark.parametrize("api", APIS)
def test_it_is_waited_for_by_the_first_repository_only(lab: SyncLab, api: str) -> None:
    refuse(lab.server, 403, b"", times=None)
    lab.server.faults.add(Fault("refusal", times=None))
    assert {result.failure for result in lab.sync()} == {"UnexplainedRefusal"}
    assert len(lab.server.requests) == lab.sync_settings.attempts + 1


@pytest.mark.parametrize("api", APIS)
def test_a_wait_that_would_be_too_long_says_so(server: Sandbox, tmp_path: Path, api: str) -> None:
    server.faults.clear()
    here = SyncLab(server.world, server, tmp_path, api, max_wait_minutes=1)
    refuse(server, 403, b"", times=None)
    app, tool = here.sync()
    assert app.failure == "UnexplainedRefusal"
    assert "max_wait_minutes: 1" in (app.error or "")
    assert tool.error is None


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", LASTING)
def test_a_reason_that_lasts_is_said_at_once(server: Sandbox, source: GitHubSource, name: str) -> None:
    status, body, headers, says = LASTING[name]
    refuse(server, status, body, headers, times=None)
    with pytest.raises(PermanentFailure) as caught:
        source.repository(RepositoryName("octo", "app"))
    assert says in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("api", "name"), [("graphql", "a proxy's password"), ("rest", "blocked"), ("graphql", "single sign-on")]
)
def test_a_reason_that_lasts_condemns_nobody_else(lab: SyncLab, name: str) -> None:
    status, body, headers, says = LASTING[name]
    refuse(lab.server, status, body, headers, times=None)
    app, tool = lab.sync()
    assert says in (app.error or "")
    assert app.is_permanent
    assert lab.tracked("octo/app").status == ("failed" if status == 407 else "forbidden")
    assert sum(r.fault is not None for r in lab.server.requests) == 1
    assert tool.error is None


@pytest.mark.parametrize(
    ("api", "status"),
    some_slow([(api, status) for api in APIS for status in (200, 404)], ("graphql", 404), ("rest", 200)),
)
def test_a_wrong_root_of_the_api_is_named(lab: SyncLab, status: int) -> None:
    refuse(lab.server, status, UNICORN, times=None)
    app, _ = lab.sync()
    assert app.failure == "MalformedAnswer"
    assert "a web page, “Unicorn! · GitHub”" in (app.error or "")
    assert "check that GITHUB_API_URL is the root of the API" in (app.error or "")
    assert lab.tracked("octo/app").status == "failed", "not gone"


@pytest.mark.parametrize("api", APIS)
def test_a_redirect_to_a_page_to_sign_in(lab: SyncLab, api: str) -> None:
    page = "https://login.corp.example/saml?next=x"
    refuse(lab.server, 302, b"", {"Location": page}, times=None)
    app, _ = lab.sync()
    assert app.failure == "RequestRejected"
    assert "GITHUB_API_URL" in (app.error or "")


@pytest.mark.parametrize("api", APIS)
def test_the_last_of_an_allowance_is_still_an_answer(lab: SyncLab, api: str) -> None:
    """A header with zero remaining beside data: they are used, and what comes after waits for the reset."""
    fault = lab.server.faults.add(Fault("status", times=1))

    def change(request: Any, response: Response, now: Any) -> Response:
        response.headers["X-RateLimit-Remaining"] = "0"
        response.headers["X-RateLimit-Reset"] = str(int(now.timestamp()) + 900)
        return response

    fault.change = change  # type: ignore[method-assign]
    assert [result.error for result in lab.sync()] == [None, None]
    lab.assert_equal()
    assert [round(wait / 60) for wait in lab.clock.sleeps if wait >= 20] == [15]
