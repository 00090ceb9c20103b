"""What GitHub's answers mean: data, allowances, or a typed failure. Pure: no I/O, no clock, no retrying."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from prpipeline.http.answer import Answer
from prpipeline.model.failures import (
    AccessDenied,
    ApiFailure,
    BadCredentials,
    CursorRejected,
    LimitReached,
    MalformedAnswer,
    NotFound,
    Overloaded,
    PermanentFailure,
    RequestRejected,
    ServerTrouble,
    TooExpensive,
)
from prpipeline.model.usage import Allowance

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

# Without a Retry-After, GitHub asks for at least a minute after a secondary limit.
SECONDARY_PAUSE = timedelta(seconds=60)

_NO_WINDOW = timedelta(days=1)  # GitHub's allowances are hourly


class TeamsDenied(AccessDenied):
    """Only the names of teams are denied; asking without them gets the rest."""


class CommitsDenied(AccessDenied):
    """Only the commits of pull requests are denied; asking without them gets the rest."""


@dataclass(frozen=True, slots=True)
class GraphQLError:
    type: str
    path: tuple[str | int, ...]
    message: str
    failure: ApiFailure

    def refuses_one_node_of(self, data: Any) -> bool:
        """Whether it says why one id of ``nodes(ids:)`` is null: the token may not see that node."""
        nodes = data.get("nodes") if isinstance(data, dict) else None
        match self.path:
            case ["nodes", int(index), *_] if isinstance(nodes, list) and 0 <= index < len(nodes):
                return nodes[index] is None and isinstance(self.failure, PermanentFailure)
        return False


@dataclass(frozen=True, slots=True)
class GraphQLResult:
    """Data that is whole but for single nodes, which ``errors`` explain."""

    data: Mapping[str, Any]
    errors: tuple[GraphQLError, ...]
    read_at: datetime
    points: int


def allowance(answer: Answer, reserve_percent: int = 0) -> Allowance | None:
    """The allowance by this answer's headers; None where they are missing or make no sense."""
    headers = answer.headers
    try:
        known = Allowance(
            resource=headers.get("x-ratelimit-resource", "core"),
            limit=int(headers["x-ratelimit-limit"]),
            remaining=int(headers["x-ratelimit-remaining"]),
            resets_at=datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC).replace(tzinfo=None),
            read_at=answer.server_time,
            reserve_percent=reserve_percent,
        )
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    is_near = abs(known.resets_at - answer.server_time) < _NO_WINDOW
    return known if known.limit > 0 and is_near else None


def check_status(answer: Answer, *, conditional: bool = False) -> None:
    """Raise the failure that a status other than success stands for; 304 is one where it was asked for."""
    status = answer.status
    if status in {200, 201} or (status == 304 and conditional):
        if answer.headers.get("x-github-sso", "").startswith("partial-results"):
            raise AccessDenied(_SSO_PARTIAL)
        return
    if status < 300 or status == 304:
        raise MalformedAnswer(f"GitHub answered {status}, which is no whole answer.")
    if status in {403, 429}:
        if limit := _limit(answer):
            raise limit
        raise _denied(answer)
    if status == 401:
        raise BadCredentials(
            "GitHub does not accept the token (401); check GITHUB_TOKEN: it may be mistyped, expired or revoked."
        )
    if status in {404, 410}:
        raise NotFound(f"GitHub shows no such thing to this token ({status}). {_MAYBE_PRIVATE}")
    if status == 451:
        raise AccessDenied("GitHub has blocked this repository for legal reasons (451).")
    if status in {502, 503, 504}:
        raise Overloaded(f"GitHub answered {status}: it was overloaded, or the query took too long.")
    if status >= 500 or status in {408, 425}:
        raise ServerTrouble(f"GitHub answered {status}.")
    if 300 <= status < 400:
        raise RequestRejected(
            f"GitHub redirected ({status}) to a place where the token is not sent; check GITHUB_API_URL."
        )
    raise RequestRejected(f"GitHub rejected the request ({status}): {_message(answer)}")


def graphql_result(answer: Answer, *, missing_nodes: bool = False) -> GraphQLResult:
    """The data of a GraphQL answer.

    With ``missing_nodes``, errors that refuse one whole node of ``nodes(ids:)`` are returned. A team that GitHub
    hides from this token is no reason to refuse the rest. Any other error means that the data are not whole, and
    is raised as the failure that it stands for.
    """
    check_status(answer)
    body = answer.json()
    if not isinstance(body, dict) or not ("data" in body or "errors" in body):
        if isinstance(body, dict) and isinstance(body.get("message"), str):
            raise ServerTrouble(f"GitHub answered {answer.status} with: {_short(body['message'])}")
        raise MalformedAnswer("GitHub's answer is JSON, but no GraphQL answer.")
    data = body.get("data")
    refusals = []
    errors = body.get("errors") or []
    if not isinstance(errors, list):
        raise MalformedAnswer("GitHub's GraphQL errors are not what its schema promises.")
    for raw in errors:
        error = _graphql_error(raw, answer)
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


def _graphql_error(raw: Any, answer: Answer) -> GraphQLError:
    if not isinstance(raw, dict):
        raise MalformedAnswer("GitHub's GraphQL errors are not what its schema promises.")
    extensions = _mapping(raw.get("extensions"))
    kind = str(raw.get("type") or extensions.get("code") or "").upper()
    if extensions.get("saml_failure"):
        kind = "SAML"
    found = raw.get("path")
    path = tuple(p for p in found if isinstance(p, (str, int))) if isinstance(found, list) else ()
    message = str(raw.get("message") or "no message")
    return GraphQLError(kind, path, message, _graphql_failure(kind, path, message, answer))


def _graphql_failure(kind: str, path: tuple[str | int, ...], message: str, answer: Answer) -> ApiFailure:
    lowered = message.lower()
    if kind == "NOT_FOUND":
        return NotFound(f"{_short(message)} {_MAYBE_PRIVATE}")
    if kind in {"RATE_LIMITED", "RATE_LIMIT"} or "rate limit" in lowered:
        return _limit(answer) or LimitReached(
            "GitHub's rate limit is reached.", _reset(answer), secondary="secondary" in lowered
        )
    if kind == "INSUFFICIENT_SCOPES":
        if "read:org" in lowered:
            return TeamsDenied(f"The token lacks the scope read:org: {_short(message)}")
        return AccessDenied(f"The token lacks a scope: {_short(message)}")
    if "saml" in lowered or kind == "SAML":
        return AccessDenied(_SSO)
    if kind == "FORBIDDEN":
        if "requestedReviewer" in path:
            return TeamsDenied(_short(message))
        return CommitsDenied(_short(message)) if "commits" in path else _forbidden(message)
    if kind == "RESOURCE_LIMITS_EXCEEDED" or "timedout" in lowered or "timeout" in lowered:
        return TooExpensive(f"GitHub found the query too expensive: {_short(message)}")
    if "something went wrong" in lowered or kind in {"INTERNAL", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE"}:
        return TooExpensive("GitHub failed while it ran the query ('Something went wrong').")
    if "cursor" in lowered or kind == "INVALID_CURSOR_ARGUMENTS":
        return CursorRejected(f"GitHub no longer knows the position in the list: {_short(message)}")
    if kind in _OUR_FAULT or kind.startswith(("UNDEFINED", "ARGUMENT", "VARIABLE", "SELECTION")):
        return RequestRejected(
            f"GitHub does not understand the query: {_short(message)} An old GitHub Enterprise Server may need "
            "PRPIPELINE_GITHUB_API=rest."
        )
    return ServerTrouble(f"GitHub answered with an error: {_short(message)}")


_OUR_FAULT = {
    "MISSING_PAGINATION_BOUNDARIES",
    "EXCESSIVE_PAGINATION",
    "MAX_NODE_LIMIT_EXCEEDED",
    "ARGUMENT_LIMIT",
    "UNDEFINEDFIELD",
    "PARSE_ERROR",
    "GRAPHQL_VALIDATION_FAILED",
}


def _limit(answer: Answer) -> LimitReached | None:
    """The rate limit that a 403, a 429 or a GraphQL error stands for; None if it is something else."""
    headers, text = answer.headers, _message(answer).lower()
    until = answer.retry_after
    if not until and headers.get("x-ratelimit-remaining") == "0":
        return LimitReached("The token's hourly allowance is used up.", _reset(answer))
    is_secondary = answer.status == 429 or "retry-after" in headers
    if is_secondary or "secondary rate" in text or "abuse detection" in text:
        return LimitReached(
            "GitHub asks us to slow down (secondary rate limit).",
            until or answer.server_time + SECONDARY_PAUSE,
            secondary=True,
        )
    if "rate limit" in text:
        return LimitReached("The token's hourly allowance is used up.", _reset(answer))
    return None


def _reset(answer: Answer) -> datetime:
    known = allowance(answer)
    earliest = answer.server_time + timedelta(seconds=1)
    return max(known.resets_at, earliest) if known else answer.server_time + SECONDARY_PAUSE


def _denied(answer: Answer) -> AccessDenied:
    sso = answer.headers.get("x-github-sso", "")
    if sso:
        return AccessDenied(_SSO)
    needed = answer.headers.get("x-accepted-github-permissions", "")
    return _forbidden(_message(answer), needed)


def _forbidden(message: str, needed: str = "") -> AccessDenied:
    lowered = message.lower()
    if "ip allow list" in lowered:
        return AccessDenied("The organisation's IP allow list refuses this machine's address.")
    if "not accessible by" in lowered:
        missing = needed.replace("_", " ").replace("=", ": ").replace(";", ", ").capitalize()
        return AccessDenied(
            f"The token lacks the permission “{missing or 'Pull requests: read'}”; grant it in the token's or the "
            "App's settings, for this repository."
        )
    return AccessDenied(f"GitHub denies access: {_short(message)}")


def _message(answer: Answer) -> str:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return "no explanation"
    message = body.get("message") if isinstance(body, dict) else None
    return _short(str(message or "no explanation"))


def _short(text: str) -> str:
    """GitHub's own words on one line, printable, with an end."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= 200 else line[:199] + "…"
