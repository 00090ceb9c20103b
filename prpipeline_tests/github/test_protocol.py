"""Answers of any shape are data, or a failure of a known type."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from prpipeline.github import limits, protocol
from prpipeline.github.protocol import TeamsDenied
from prpipeline.http import words
from prpipeline.http.answer import Answer, same_origin
from prpipeline.model.failures import (
    AccessDenied,
    ApiFailure,
    BadCredentials,
    CursorRejected,
    LimitReached,
    MalformedAnswer,
    NotFound,
    Overloaded,
    RequestRejected,
    ServerTrouble,
    TooExpensive,
    UnexplainedRefusal,
)

NOW = datetime(2026, 1, 5, 10, 0)


def answer(body: Any = None, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        "GitHub", status, named, body if isinstance(body, bytes) else json.dumps(body).encode(), NOW
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["data", "errors", "type", "path", "message", "extensions", "nodes", "saml_failure",
                         "requestedReviewer", "rateLimit", "cost", "code"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(body=JSON | st.binary(max_size=20), status=st.integers(200, 599), missing=st.booleans())
def test_any_body_is_data_or_a_failure(body: Any, status: int, missing: bool) -> None:
    try:
        result = protocol.graphql_result(answer(body, status), missing_nodes=missing)
    except ApiFailure:
        return
    assert isinstance(result.data, dict)


@settings(max_examples=100, deadline=None)
@given(
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "date",
                         "link", "x-github-sso", "location"]), st.text(max_size=40) | st.integers().map(str)),
    status=st.sampled_from([200, 301, 403, 429, 500]),
)  # fmt: skip
def test_any_header_is_handled(headers: dict[str, str], status: int) -> None:
    given_answer = Answer("GitHub", status, headers, b"{}", NOW)
    with suppress(ApiFailure):
        protocol.check_status(given_answer)
    with suppress(ApiFailure):
        given_answer.redirect_target("https://api.github.com/x")
    limits.allowance(given_answer)
    _ = given_answer.next_page, given_answer.last_page
    assert isinstance(given_answer.server_time, datetime)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ({"type": "NOT_FOUND", "message": "Could not resolve to a Repository"}, NotFound),
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, AccessDenied),
        ({"type": "FORBIDDEN", "message": "x", "path": ["n", "requestedReviewer"]}, TeamsDenied),
        (
            {"type": "INSUFFICIENT_SCOPES", "message": "requires one of: ['read:org', 'read:discussion']"},
            TeamsDenied,
        ),
        ({"type": "INSUFFICIENT_SCOPES", "message": "requires ['repo']"}, AccessDenied),
        ({"message": "x", "extensions": {"saml_failure": True}}, AccessDenied),
        ({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}, LimitReached),
        ({"message": "You have exceeded a secondary rate limit."}, LimitReached),
        ({"type": "RESOURCE_LIMITS_EXCEEDED", "message": "x"}, TooExpensive),
        ({"message": "Something went wrong while executing your query."}, TooExpensive),
        ({"message": "x", "extensions": {"code": "undefinedField"}}, RequestRejected),
        ({"type": "INVALID_CURSOR_ARGUMENTS", "message": "x"}, CursorRejected),
        ({"message": "`abc` does not appear to be a valid cursor."}, CursorRejected),
        ({"message": "who knows"}, ServerTrouble),
        ({}, ServerTrouble),
        ("text", MalformedAnswer),
    ],
)
def test_graphql_errors_have_types(error: Any, failure: type[ApiFailure]) -> None:
    with pytest.raises(ApiFailure) as caught:
        protocol.graphql_result(answer({"data": {"x": 1}, "errors": [error]}))
    assert type(caught.value) is failure


@pytest.mark.parametrize(
    ("status", "failure"),
    [(400, RequestRejected), (401, BadCredentials), (404, NotFound), (408, ServerTrouble), (410, NotFound),
     (403, AccessDenied), (429, LimitReached), (407, RequestRejected), (202, MalformedAnswer), (451, AccessDenied),
     (500, ServerTrouble), (502, Overloaded), (503, Overloaded), (504, Overloaded), (521, ServerTrouble)],
)  # fmt: skip
def test_statuses_have_types(status: int, failure: type[ApiFailure]) -> None:
    with pytest.raises(ApiFailure) as caught:
        protocol.check_status(answer({"message": "Not as you think", "documentation_url": "x"}, status))
    assert type(caught.value) is failure


@pytest.mark.parametrize(
    ("status", "failure"),
    [(200, MalformedAnswer), (400, RequestRejected), (401, UnexplainedRefusal), (403, UnexplainedRefusal),
     (404, MalformedAnswer), (408, ServerTrouble), (410, MalformedAnswer), (429, LimitReached), (451, AccessDenied),
     (500, ServerTrouble), (502, Overloaded), (503, Overloaded), (504, Overloaded), (521, ServerTrouble)],
)  # fmt: skip
def test_statuses_of_pages_have_types(status: int, failure: type[ApiFailure]) -> None:
    with pytest.raises(ApiFailure) as caught:
        protocol.check_status(answer(b"<html>", status))
    assert type(caught.value) is failure


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ({"errors": [{"message": "x", "extensions": {"code": "newCode"}}]}, RequestRejected),
        ({"errors": [{"message": "x", "locations": [{"line": 1}]}]}, RequestRejected),
        ({"errors": [{"message": "x", "locations": [{"line": 1}]}], "data": None}, ServerTrouble),
        ({"errors": [{"message": "x", "extensions": {"code": "newCode"}}], "data": {"x": 1}}, ServerTrouble),
        ({"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, ServerTrouble),
        ({"errors": [{"message": "x", "extensions": {"code": "DOWNSTREAM_SERVICE"}}]}, ServerTrouble),
        ({"errors": [{"message": "x", "type": "NEW_TYPE", "locations": []}]}, ServerTrouble),
        ({"errors": [{"message": "x"}]}, ServerTrouble),
        ({"errors": [{"message": "Field 'rateLimit' doesn't exist", "locations": [1]}]}, RequestRejected),
    ],
)
def test_what_is_wrong_with_a_query_lasts(body: Any, failure: type[ApiFailure]) -> None:
    with pytest.raises(ApiFailure) as caught:
        protocol.graphql_result(answer(body))
    assert type(caught.value) is failure


PLACE = "https://github.com/orgs/acme/sso?authorization_request=" + "A" * 60
DOCS = "https://docs.github.com/rest/pulls"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("word " * 60, ("word " * 40).strip() + "…"),
        ("word " * 38 + PLACE + " and more", ("word " * 38).strip() + "… " + PLACE),
        (PLACE * 2 + " and more", PLACE * 2 + " …"),
        ("word " * 50 + "see " + PLACE, ("word " * 40).strip() + "… " + PLACE),
        ("a\x07 b\n c", "a b c"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_messages_are_cut_between_words_and_addresses_are_kept(said: str, shown: str) -> None:
    assert words.shorten(said) == shown
    with pytest.raises(AccessDenied) as caught:
        protocol.check_status(answer({"message": said, "documentation_url": DOCS}, 403))
    assert str(caught.value) == f"GitHub denies access: {shown.rstrip('.')}. See {DOCS}"


def test_a_hidden_team_stays_a_team() -> None:
    data = {"n": [{"requestedReviewer": None}, {"requestedReviewer": None}]}
    error = {"type": "FORBIDDEN", "message": "x", "path": ["n", 1, "requestedReviewer"]}
    result = protocol.graphql_result(answer({"data": data, "errors": [error]}))
    assert result.data["n"] == [{"requestedReviewer": None}, {"requestedReviewer": {"__typename": "Team"}}]


@pytest.mark.parametrize("year", [1800, 9999])
def test_an_impossible_date_is_ignored(year: int) -> None:
    odd = answer({"message": "slow down"}, 429, date=f"Fri, 31 Dec {year} 23:59:59 GMT")
    assert odd.server_time == odd.read_at == NOW
    with pytest.raises(LimitReached) as caught:
        protocol.check_status(odd)
    assert caught.value.resume_at - NOW == timedelta(seconds=60)


@pytest.mark.parametrize("reset", ["253402300799", "1", "-1"])
def test_an_allowance_that_is_not_hourly_is_unknown(reset: str) -> None:
    headers = {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": "0", "x_ratelimit_reset": reset}
    assert limits.allowance(answer({}, 200, **headers)) is None
    with pytest.raises(LimitReached) as caught:
        protocol.check_status(answer({}, 403, **headers))
    assert caught.value.resume_at - NOW == timedelta(seconds=60)


def test_links() -> None:
    link = '<https://a/x?page=1>; rel="prev", <https://a/x?q=1,2&page=3>; rel="next", <https://a/x?page=9>; rel="last"'
    assert answer([], link=link).next_page == "https://a/x?q=1,2&page=3"
    assert answer([], link=link).last_page == 9
    assert answer([]).next_page is None
    assert answer([], link="<a" * 30_000 + '<b>; rel="next"').next_page == "b"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://api.github.com/x", "https://api.github.com:443/y", True),
        ("https://API.github.com/x", "https://api.github.com/y", True),
        ("http://api.github.com/x", "https://api.github.com/y", False),
        ("https://api.github.com.evil.example/x", "https://api.github.com/y", False),
        ("https://api.github.com@evil.example/x", "https://api.github.com/y", False),
        ("https://api.github.com:8443/x", "https://api.github.com/y", False),
        ("https://[::1/x", "https://api.github.com/y", False),
    ],
)
def test_the_hosts_that_a_token_is_sent_to(one: str, other: str, same: bool) -> None:
    assert same_origin(one, other) is same


def test_a_secondary_limit_lasts_a_minute_by_default() -> None:
    with pytest.raises(LimitReached) as caught:
        protocol.check_status(answer({"message": "You have exceeded a secondary rate limit"}, 403))
    assert caught.value.resume_at - NOW == timedelta(seconds=60)
