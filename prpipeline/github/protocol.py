"""Pure reading of GitHub's answers: (status, headers, body) → data, budget, next page, or a typed failure.

No I/O, no clock, no retrying; that is the client's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from prpipeline.github.mapping import MalformedRecord
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
    TeamsDenied,
    TooExpensive,
)

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

_NO_CLOCK = timedelta(days=36_500)  # clocks may be wrong by years; what is further away is no time at all
_NO_WINDOW = timedelta(days=1)  # GitHub's allowances are hourly


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime  # our clock, naive UTC

    @property
    def server_time(self) -> datetime:
        """GitHub's clock, naive UTC; ours where the header is missing or nonsense."""
        moment = _moment(self.headers.get("date", ""))
        return moment if moment and abs(moment - self.received_at) < _NO_CLOCK else self.received_at

    @property
    def read_at(self) -> datetime:
        """When what it says was true, at the latest: the earlier of both clocks, for either may be wrong.

        A watermark too early costs another look, one too late loses what changes until then.
        """
        return min(self.server_time, self.received_at)

    def json(self) -> Any:
        """The body as JSON. Raises MalformedAnswer."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "no content type").split(";")[0]
            raise MalformedAnswer(
                f"GitHub answered {self.status} with something that is not JSON ({kind}, {len(self.body)} bytes)."
            ) from None


@dataclass(frozen=True, slots=True)
class Budget:
    """A credential's hourly allowance for one resource (graphql in points, core in requests)."""

    resource: str
    limit: int
    remaining: int
    resets_at: datetime  # GitHub's clock, naive UTC


@dataclass(frozen=True, slots=True)
class GraphQLError:
    type: str
    path: tuple[str | int, ...]
    message: str
    failure: ApiFailure

    def refuses_one_node_of(self, data: Any) -> bool:
        """Whether it says why one id of ``nodes(ids:)`` is null; what is behind it shall not be seen."""
        nodes = data.get("nodes") if isinstance(data, dict) else None
        match self.path:
            case ["nodes", int(index), *_] if isinstance(nodes, list) and 0 <= index < len(nodes):
                return nodes[index] is None and isinstance(self.failure, PermanentFailure)
        return False


@dataclass(frozen=True, slots=True)
class GraphQLResult:
    """Data that is whole but for ``errors``, each of which the caller declared that it can bear."""

    data: Mapping[str, Any]
    errors: tuple[GraphQLError, ...]
    read_at: datetime
    points: int


def budget(answer: Answer) -> Budget | None:
    """The allowance as this answer's headers tell it, where they do and can be right."""
    headers = answer.headers
    try:
        known = Budget(
            resource=headers.get("x-ratelimit-resource", "core"),
            limit=int(headers["x-ratelimit-limit"]),
            remaining=int(headers["x-ratelimit-remaining"]),
            resets_at=datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC).replace(tzinfo=None),
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

    With ``missing_nodes``, errors that refuse one whole node of ``nodes(ids:)`` are the caller's to read. A team
    that GitHub hides from this token is no reason to refuse the rest. Any other error means that the data are
    not whole, and raises what it stands for.
    """
    check_status(answer)
    body = answer.json()
    if not isinstance(body, dict) or not ("data" in body or "errors" in body):
        if isinstance(body, dict) and isinstance(body.get("message"), str):
            raise ServerTrouble(f"GitHub answered {answer.status} with: {_short(body['message'])}")
        raise MalformedAnswer("GitHub's answer is JSON, but no GraphQL answer.")
    data = body.get("data")
    borne = []
    errors = body.get("errors") or []
    if not isinstance(errors, list):
        raise MalformedAnswer("GitHub's GraphQL errors are not what its schema promises.")
    for raw in errors:
        error = _graphql_error(raw, answer)
        if isinstance(error.failure, TeamsDenied) and _mark_team(data, error.path):
            continue
        if missing_nodes and error.refuses_one_node_of(data):
            borne.append(error)
        else:
            raise error.failure
    if _mapping(body.get("extensions")).get("saml_failure"):
        raise AccessDenied(_SSO_PARTIAL)
    if not isinstance(data, dict):
        raise MalformedAnswer("GitHub's GraphQL answer has no data and no errors.")
    cost = _mapping(data.get("rateLimit")).get("cost")
    return GraphQLResult(data, tuple(borne), answer.read_at, cost if isinstance(cost, int) else 0)


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


def next_page(answer: Answer) -> str | None:
    """The address of the next page by the Link header."""
    return _links(answer).get("next")


def last_page(answer: Answer) -> int | None:
    """The number of the last page by the Link header; None where it does not say."""
    query = parse_qs(urlsplit(_links(answer).get("last", "")).query)
    number = query.get("page", [""])[0]
    return int(number) if re.fullmatch(r"[0-9]{1,9}", number) else None


def _links(answer: Answer) -> dict[str, str]:
    return {
        rel: address
        for address, rel in re.findall(r'<([^<>]*)>[^<]*?;\s*rel="?(\w+)"?', answer.headers.get("link", ""))
    }


def redirect_target(address: str, answer: Answer) -> str:
    """Where a redirect from ``address`` leads. Raises RequestRejected where that is no address."""
    try:
        return urljoin(address, answer.headers.get("location", ""))
    except ValueError:
        raise RequestRejected("GitHub redirects to something that is no address.") from None


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses are of the same scheme, host and port: where a token may go."""
    try:
        return _origin(one) == _origin(other)
    except ValueError:  # an address that is none
        return False


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


@contextmanager
def as_promised() -> Iterator[None]:
    """Around code that takes an answer apart: what is not shaped as GitHub's schema says is no answer."""
    try:
        yield
    except MalformedRecord as error:
        raise MalformedAnswer(f"GitHub's answer cannot be right: {error}.") from None
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise MalformedAnswer("GitHub's answer is not shaped as its schema promises.") from error


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
        return TeamsDenied(_short(message)) if "requestedReviewer" in path else _forbidden(message)
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
    until = _retry_after(answer)
    if not until and headers.get("x-ratelimit-remaining") == "0":
        return LimitReached("The token's hourly allowance is used up.", _reset(answer))
    is_told = answer.status == 429 or "retry-after" in headers
    if is_told or "secondary rate" in text or "abuse detection" in text:
        return LimitReached(
            "GitHub asks us to slow down (secondary rate limit).",
            until or answer.server_time + SECONDARY_PAUSE,
            secondary=True,
        )
    if "rate limit" in text:
        return LimitReached("The token's hourly allowance is used up.", _reset(answer))
    return None


def _retry_after(answer: Answer) -> datetime | None:
    """When to ask again; a proxy may say it as a moment (RFC 9110, 10.2.3). None where nothing of sense is said."""
    said = answer.headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,7}", said):
        return answer.server_time + timedelta(seconds=int(said))
    moment = _moment(said)
    return moment if moment and timedelta() < moment - answer.server_time < _NO_CLOCK else None


def _moment(text: str) -> datetime | None:
    """A header's date, naive UTC; None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


def _reset(answer: Answer) -> datetime:
    known = budget(answer)
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
