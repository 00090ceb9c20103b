"""What GitHub's answers mean: data, allowances, or a typed failure. Pure: no I/O, no clock, no retrying."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prpipeline.github import limits
from prpipeline.github.words import explanation
from prpipeline.http import words
from prpipeline.http.answer import Answer
from prpipeline.http.words import NO_WORDS, shorten
from prpipeline.model.failures import (
    AccessDenied,
    ApiFailure,
    BadCredentials,
    CursorRejected,
    MalformedAnswer,
    NotFound,
    Overloaded,
    PermanentFailure,
    RequestRejected,
    ServerTrouble,
    TooExpensive,
    UnexplainedRefusal,
)

SERVICE = "GitHub"

_SSO = (
    "The organisation requires single sign-on; authorise the token for it on GitHub under Settings → "
    "Developer settings → Configure SSO."
)
_SSO_PARTIAL = (
    "GitHub left rows out, for an organisation requires single sign-on; authorise the token for it on GitHub under "
    "Settings → Developer settings → Configure SSO."
)
_MAYBE_PRIVATE = "Check the name; if it is private, the token needs access to it (scope repo, or the permission Pull requests: read)."

OLDEST_SERVER = "3.13"
"""The oldest GitHub Enterprise Server whose GraphQL has all that our queries ask for: the schema of February 2024."""

API_ROOT = (
    "check that GITHUB_API_URL is the root of the API (https://api.github.com, or https://HOST/api/v3) and that no "
    "proxy on the way asks to sign in."
)
_TOO_OLD = f"A GitHub Enterprise Server older than {OLDEST_SERVER} knows less: upgrade it, or set PRPIPELINE_GITHUB_API=rest."
# GitHub's reasons for a 403 that last, wherever they stand.
_LASTS = re.compile(
    r"not accessible by|ip allow list|saml|single sign-on|suspended|access blocked|dmca|administrative rules"
)
_PASSES = re.compile(r"try again|please wait|temporar|maximum number of login attempts")
# No reason at all: the name of the status.
_BARE = re.compile(
    r"\W*(?:error|http)?\W*(?:403)?\W*(?:forbidden|(?:access )?denied|unauthori[sz]ed|error)?\W*"
)
# Codes of a server that is in trouble, among those that say that a query is wrong.
_TROUBLE = re.compile(r"INTERNAL|UNAVAILABLE|TIME_?OUT|OVERLOAD|DOWNSTREAM|SERVER_ERROR|TEMPORAR")


class TeamsDenied(AccessDenied):
    """Only teams are denied; asking without them gets the rest."""


class LimitsOff(NotFound):
    """A server without rate limits, the default of GitHub Enterprise Server, has no page of them."""


class CommitsDenied(AccessDenied):
    """Only the commits of pull requests are denied; asking without them gets the rest."""


class Unprocessable(RequestRejected):
    """A change that GitHub understands, and does not make (422); the message has each of its reasons."""

    def __init__(self, answer: Answer) -> None:
        errors = _mapping(words.json_object(answer)).get("errors")
        reasons = [
            each if isinstance(each, str) else each.get("message") or each.get("code")
            for each in (errors if isinstance(errors, list) else [])
            if isinstance(each, (str, dict))
        ]
        said = [shorten(str(reason)).rstrip(".") for reason in reasons if reason]
        super().__init__(f"GitHub refuses it (422): {', '.join(said) or explanation(answer)}.")


@dataclass(frozen=True, slots=True)
class GraphQLError:
    type: str
    path: tuple[str | int, ...]
    message: str
    failure: ApiFailure

    def refuses_one_node_of(self, data: Any) -> bool:
        """Whether it says why one id of ``nodes(ids:)``, or one of the users u0, u1, … is null: the token may not see it."""
        nodes = data.get("nodes") if isinstance(data, dict) else None
        match self.path:
            case ["nodes", int(index), *_] if isinstance(nodes, list) and 0 <= index < len(nodes):
                return nodes[index] is None and isinstance(self.failure, PermanentFailure)
            case [str(alias), *_] if re.fullmatch(r"u\d+", alias) and isinstance(data, dict):
                # Of an unknown kind, too: what the other users' answers have is right all the same.
                is_refused = isinstance(self.failure, PermanentFailure) or type(self.failure) is ServerTrouble
                return data.get(alias) is None and is_refused
        return False


@dataclass(frozen=True, slots=True)
class GraphQLResult:
    """Data that is whole but for single nodes, which ``errors`` explain."""

    data: Mapping[str, Any]
    errors: tuple[GraphQLError, ...]
    read_at: datetime
    points: int


def check_status(answer: Answer, *, conditional: bool = False) -> None:
    """Raise the failure that a status other than success stands for; 304 is one where it was asked for.

    A page of HTML is nobody's data, and speaks of no repository, whatever its status.
    """
    status = answer.status
    if status in {200, 201} or (status == 304 and conditional):
        if answer.headers.get("x-github-sso", "").startswith("partial-results"):
            raise AccessDenied(_SSO_PARTIAL)
        _check_body(answer)
        return
    if status < 300 or status == 304:
        raise MalformedAnswer(f"GitHub answered {status}, which is no whole answer.")
    if status in {403, 429} and (limit := limits.limit(answer)):
        raise limit
    if status >= 500 and (limit := limits.limit_in(words.all_of(answer), answer)):
        raise limit
    if status == 403:
        raise _denied(answer)
    if status == 401:
        if words.json_object(answer) is None:
            raise _unexplained(answer)
        raise BadCredentials(
            "GitHub does not accept the token (401); check GITHUB_TOKEN: it may be mistyped, expired or revoked."
        )
    if status == 407:
        raise RequestRejected(
            "The proxy on the way to GitHub asks for a user name and a password (407); check HTTPS_PROXY, HTTP_PROXY "
            "and ALL_PROXY."
        )
    if status in {404, 410}:
        raise _not_found(answer)
    if status == 451:
        raise AccessDenied("GitHub has blocked this repository for legal reasons (451).")
    if status in {502, 503, 504}:
        raise Overloaded(f"GitHub answered {status}: it was overloaded, or the query took too long.")
    if status >= 500 or status in {408, 425}:
        raise ServerTrouble(f"GitHub answered {status}.")
    if 300 <= status < 400:
        raise RequestRejected(
            f"GitHub redirected ({status}) to a place where the token is not sent; {API_ROOT}"
        )
    raise RequestRejected(f"GitHub rejected the request ({status}): {explanation(answer)}")


def _check_body(answer: Answer) -> None:
    """Raise where an answer of success holds no data: a page, or an error of the API's without an error's status."""
    if words.is_page(answer):
        raise limits.limit(answer) or MalformedAnswer(
            f"GitHub's API answered with {explanation(answer)}, not with data; if that lasts, {API_ROOT}"
        )
    if len(answer.body) > _LONGEST_ERROR:
        return
    body = words.json_object(answer)
    if body is None and not answer.body.lstrip().startswith(b"["):  # plain text, or nothing
        if limit := limits.limit_in(words.all_of(answer), answer):
            raise limit
    elif body and body.keys() <= _KEYS_OF_ERRORS and {"message", "error"} & body.keys():
        raise limits.limit(answer) or ServerTrouble(
            f"GitHub answered {answer.status} with: {explanation(answer)}"
        )


_LONGEST_ERROR = 10_000
_KEYS_OF_ERRORS = {"message", "documentation_url", "status", "code", "error", "errors"}


def graphql_result(answer: Answer, *, missing_nodes: bool = False) -> GraphQLResult:
    """The data of a GraphQL answer.

    With ``missing_nodes``, errors that refuse one whole node of ``nodes(ids:)``, or one user, are returned. A team that GitHub
    hides from this token is no reason to refuse the rest. Any other error means that the data are not whole, and
    is raised as the failure that it stands for.
    """
    check_status(answer)
    body = answer.json()
    if not isinstance(body, dict) or not ("data" in body or "errors" in body):
        raise limits.limit(answer) or MalformedAnswer("GitHub's answer is JSON, but no GraphQL answer.")
    data = body.get("data")
    refusals = []
    errors = body.get("errors") or []
    if not isinstance(errors, list):
        raise MalformedAnswer("GitHub's GraphQL errors are not what its schema promises.")
    for raw in errors:
        error = _graphql_error(raw, answer, is_invalid="data" not in body)
        if isinstance(error.failure, TeamsDenied) and _mark_team(data, error.path):
            continue
        if missing_nodes and error.refuses_one_node_of(data):
            refusals.append(error)
        else:
            raise error.failure
    if _mapping(body.get("extensions")).get("saml_failure"):
        raise AccessDenied(_SSO_PARTIAL)
    if not isinstance(data, dict):
        raise MalformedAnswer("GitHub's GraphQL answer has no data and no errors.")
    cost = _mapping(data.get("rateLimit")).get("cost")
    return GraphQLResult(data, tuple(refusals), answer.read_at, cost if isinstance(cost, int) else 0)


def _mark_team(data: Any, path: tuple[str | int, ...]) -> bool:
    """Where GitHub hid a team and nothing else, say that it was a team; False if the path leads elsewhere."""
    try:
        for step in path[:-1]:
            data = data[step]
        if path[-1] == "requestedReviewer" and data["requestedReviewer"] is None:
            data["requestedReviewer"] = {"__typename": "Team"}
            return True
    except (KeyError, IndexError, TypeError):
        pass
    return False


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


# ── reading errors ───────────────────────────────────────────────────────────────────────────────────


def _graphql_error(raw: Any, answer: Answer, *, is_invalid: bool) -> GraphQLError:
    """An error of a GraphQL answer; ``is_invalid``: the query was not run, so the answer has no data at all."""
    if not isinstance(raw, dict):
        raise MalformedAnswer("GitHub's GraphQL errors are not what its schema promises.")
    extensions = _mapping(raw.get("extensions"))
    kind = str(raw.get("type") or extensions.get("code") or "").upper()
    if extensions.get("saml_failure"):
        kind = "SAML"
    found = raw.get("path")
    path = tuple(p for p in found if isinstance(p, (str, int))) if isinstance(found, list) else ()
    message = str(raw.get("message") or "no message")
    failure = _graphql_failure(kind, path, message, answer)
    if type(failure) is ServerTrouble and not _TROUBLE.search(kind):
        # GraphQL, 7.1: what is wrong with the query itself is an error before data, with its place in the query.
        has_code = bool(extensions.get("code")) and not raw.get("type")
        if is_invalid and (has_code or raw.get("locations")):
            failure = _rejected(message)
    return GraphQLError(kind, path, message, failure)


def _rejected(message: str) -> RequestRejected:
    return RequestRejected(f"GitHub does not understand the query: {shorten(message)} {_TOO_OLD}")


def _graphql_failure(kind: str, path: tuple[str | int, ...], message: str, answer: Answer) -> ApiFailure:
    lowered = message.lower()
    if kind == "NOT_FOUND":
        return NotFound(f"{shorten(message)} {_MAYBE_PRIVATE}")
    if kind in {"RATE_LIMITED", "RATE_LIMIT"} or limits.limit_in(lowered, answer):
        return limits.limit(answer, lowered) or limits.used_up(answer)
    if kind == "INSUFFICIENT_SCOPES":
        if "read:org" in lowered:
            return TeamsDenied(f"The token lacks the scope read:org: {shorten(message)}")
        return AccessDenied(f"The token lacks a scope: {shorten(message)}")
    if "saml" in lowered or kind == "SAML":
        return AccessDenied(_SSO)
    if kind == "FORBIDDEN":
        if {"requestedReviewer", "teams", "members"} & set(path):
            return TeamsDenied(shorten(message))
        if "organizationVerifiedDomainEmails" in path:
            return _forbidden(shorten(message), "members=read")
        return (CommitsDenied if "commits" in path else _forbidden)(shorten(message))
    if kind == "RESOURCE_LIMITS_EXCEEDED" or "timedout" in lowered or "timeout" in lowered:
        return TooExpensive(f"GitHub found the query too expensive: {shorten(message)}")
    if "something went wrong" in lowered or kind in {"INTERNAL", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE"}:
        return TooExpensive("GitHub failed while it ran the query ('Something went wrong').")
    if "cursor" in lowered or kind == "INVALID_CURSOR_ARGUMENTS":
        return CursorRejected(f"GitHub no longer knows the position in the list: {shorten(message)}")
    if kind in _OUR_FAULT or kind.startswith(("UNDEFINED", "ARGUMENT", "VARIABLE", "SELECTION")):
        return _rejected(message)
    return ServerTrouble(f"GitHub answered with an error: {shorten(message)}")


_OUR_FAULT = {
    "MISSING_PAGINATION_BOUNDARIES",
    "EXCESSIVE_PAGINATION",
    "MAX_NODE_LIMIT_EXCEEDED",
    "ARGUMENT_LIMIT",
    "UNDEFINEDFIELD",
    "PARSE_ERROR",
    "GRAPHQL_VALIDATION_FAILED",
}


def _denied(answer: Answer) -> ApiFailure:
    """What a 403 stands for that is no limit: a reason that lasts, or none that is known to."""
    if answer.headers.get("x-github-sso"):
        return AccessDenied(_SSO)
    text = words.all_of(answer)
    body = words.json_object(answer) or {}
    # GitHub says where it documents a refusal; a proxy does not.
    is_githubs = "documentation_url" in body and not _BARE.fullmatch(str(body.get("message", "")).lower())
    is_known = not words.is_page(answer) and bool(_LASTS.search(text))
    if is_known or (is_githubs and not _PASSES.search(text)):
        return _forbidden(explanation(answer), answer.headers.get("x-accepted-github-permissions", ""))
    return _unexplained(answer)


def _unexplained(answer: Answer) -> UnexplainedRefusal:
    said = explanation(answer)
    with_what = said if said == NO_WORDS or words.is_page(answer) else f"the words “{said}”"
    return UnexplainedRefusal(
        f"GitHub, or a proxy before it, refused with {answer.status} and {with_what}: no reason that is known to last. "
        "If it does last, check the token's access and the proxies on the way.",
        answer.retry_after or answer.server_time + limits.SECONDARY_PAUSE,
        secondary=True,
    )


def _not_found(answer: Answer) -> ApiFailure:
    if answer.body and words.json_object(answer) is None:  # GitHub would say it in JSON
        what = explanation(answer) if words.is_page(answer) else "text"
        return MalformedAnswer(
            f"GitHub's API answered {answer.status} with {what}, which says nothing of a repository; if that lasts, "
            f"{API_ROOT}"
        )
    if "rate limiting is not enabled" in words.all_of(answer):
        return LimitsOff("This server has no rate limits.")
    return NotFound(f"GitHub shows no such thing to this token ({answer.status}). {_MAYBE_PRIVATE}")


def _forbidden(message: str, needed: str = "") -> AccessDenied:
    lowered = message.lower()
    if "ip allow list" in lowered:
        return AccessDenied("The organisation's IP allow list refuses this machine's address.")
    if "not accessible by" in lowered:
        missing = needed.replace("_", " ").replace("=", ": ").replace(";", ", ").capitalize()
        where = "organisation" if missing.startswith("Members") else "repository"
        return AccessDenied(
            f"The token lacks the permission “{missing or 'Pull requests: read'}”; grant it in the token's or the "
            f"App's settings, for this {where}."
        )
    return AccessDenied(f"GitHub denies access: {message}")
