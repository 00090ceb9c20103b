"""Things that go wrong between a client and GitHub, on demand.

Every fault changes an answer after it was made, as GitHub charges for queries that then time out. A server that cannot
be reached at all is `Sandbox.stop()` and `start()`.
"""

from __future__ import annotations

import copy
import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from math import ceil
from typing import Any

from prpipeline.sandbox.github.clock import Clock
from prpipeline.sandbox.github.messages import Delivery, Request, Response, encode

UNICORN = b"""<!DOCTYPE html>
<html>
  <head><meta charset="utf-8"><title>Unicorn! &middot; GitHub</title></head>
  <body>
    <p><strong>We had issues producing the response to your request.</strong></p>
    <p>Sorry about that. Please try refreshing and contact us if the problem persists.</p>
  </body>
</html>
"""
SOMETHING_WENT_WRONG = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub "
    "bug. Please include `5A2D:3C5F:1B2C3D4:5E6F7A8:66F00001` when reporting this issue."
)
IP_ALLOW_LIST = (
    "Although you appear to have the correct authorization credentials, the `octo-labs` organization has an IP allow "
    "list enabled, and your IP address is not permitted to access this resource."
)
SAML = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this "
    "organization."
)
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to "
    "GitHub Support for help, please include the request ID 5A2D:3C5F."
)


@dataclass
class Fault:
    """A thing that goes wrong with some of the requests; see `KINDS` for what there is.

    It strikes the requests that `match`, lets the first `after` of them through and ends after `times` (None: never).
    With `above` it strikes only lists of more items than that. `seconds` is how long slow kinds take and how far away
    the reset of a primary limit is; `retry_after`, `status`, `keep` (the share of a body that is sent) and `url` are
    for the kinds that have such a thing.
    """

    kind: str
    match: Callable[[Request], bool] | None = None
    after: int = 0
    times: int | None = 1
    above: int | None = None
    status: int | None = None
    seconds: float = 1.0
    retry_after: float | None = None
    keep: float = 0.5
    url: str = "http://127.0.0.1:9/elsewhere"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; there are {', '.join(KINDS)}")

    def strikes(self, request: Request, response: Response) -> bool:
        """Whether it is this request's turn; counts it."""
        if self.times == 0 or (self.match and not self.match(request)):
            return False
        if self.kind in GRAPHQL_KINDS and not (response.result or {}).get("data"):
            return False
        if self.above is not None and _list_size(response) <= self.above:
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def change(self, request: Request, response: Response, now: datetime) -> Response:
        """The answer as the fault leaves it."""
        changed = copy.deepcopy(response)
        if self.kind in GRAPHQL_KINDS:
            assert changed.result is not None
            GRAPHQL_KINDS[self.kind](self, request, changed.result)
            changed.body = b""
            return changed
        return WIRE_KINDS[self.kind](self, request, changed, now)


class Faults:
    """The faults that are waiting to happen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._plan: _RandomPlan | None = None

    def add(self, fault: Fault) -> Fault:
        """One more; where several would strike, the first added does."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def random(
        self, seed: int, kinds: Sequence[str], rate: float = 0.1, in_a_row: int = 2, **settings: Any
    ) -> None:
        """Let a share of all requests go wrong, the same ones for the same seed, never more than so many in a row."""
        self._plan = _RandomPlan(
            random.Random(seed), [Fault(kind, **settings) for kind in kinds], rate, in_a_row
        )

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()
            self._plan = None

    def apply(self, request: Request, response: Response) -> Response:
        """The answer, changed if a fault strikes."""
        with self._lock:
            fault = next((f for f in self._faults if f.strikes(request, response)), None)
            if fault is None and self._plan:
                fault = self._plan.draw(request, response)
        if fault is None:
            return response
        request.fault = fault.kind
        return fault.change(request, response, self._clock.now())


@dataclass
class _RandomPlan:
    dice: random.Random
    faults: list[Fault]
    rate: float
    in_a_row: int
    row: int = 0

    def draw(self, request: Request, response: Response) -> Fault | None:
        fault = copy.copy(self.dice.choice(self.faults))
        if (
            self.dice.random() >= self.rate
            or self.row >= self.in_a_row
            or not fault.strikes(request, response)
        ):
            self.row = 0
            return None
        self.row += 1
        return fault


# What may go wrong with any answer


def _html(status: int) -> Response:
    return Response(status, UNICORN, {"Content-Type": "text/html; charset=utf-8"})


def _status(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    return _html(fault.status or 502)


def _timeout(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    body = {"data": None, "errors": [{"message": SOMETHING_WENT_WRONG}]}
    return Response.of_json(body, fault.status or 502, response.headers)


def _html_with_200(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    return _html(200)


def _invalid_json(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    body = _encoded(response)
    response.body = body[: int(len(body) * fault.keep)]
    return response


def _wrong_content_type(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    response.headers["Content-Type"] = "text/plain"
    return response


def _on_the_wire(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    kind = "slow_headers" if fault.kind == "latency" else fault.kind
    response.delivery = Delivery(kind, fault.seconds, fault.keep)
    return response


def _redirect(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    return Response.of_json(
        {"message": "Moved", "url": fault.url}, fault.status or 302, {"Location": fault.url}
    )


def _link_elsewhere(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    response.headers["Link"] = f'<{fault.url}?page=2>; rel="next"'
    return response


def _bare_304(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    # All that HTTP asks of a 304: its Link, if it has got one, stays unsaid.
    if response.status == 304:
        response.headers.pop("Link", None)
    return response


def _wrong_date(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    response.headers["Date"] = format_datetime(now + timedelta(seconds=fault.seconds), usegmt=True)
    return response


def _huge_numbers(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    # More than 64 bits, which no database takes.
    body = json.loads(_encoded(response) or b"null")
    for _, holder in _dictionaries(body, []):
        for name in {"fullDatabaseId", "databaseId", "id", "number"} & holder.keys():
            if str(holder[name]).isdecimal():
                holder[name] = "9" * 30 if isinstance(holder[name], str) else 2**64
    response.body = encode(body) if response.status == 200 else response.body
    return response


def _missing_keys(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    body = json.loads(_encoded(response) or b"null")
    for _, holder in _dictionaries(body, []):
        for name in {"closedAt", "closed_at"} & holder.keys():
            del holder[name]
    response.body = encode(body) if response.status == 200 else response.body
    return response


def _wrong_types(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    # Words where there should be true or false.
    body = json.loads(_encoded(response) or b"null")
    for _, holder in _dictionaries(body, []):
        holder |= {name: str(value) for name, value in holder.items() if isinstance(value, bool)}
    response.body = encode(body) if response.status == 200 else response.body
    return response


def _primary_limit(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    limit = response.headers.get("X-RateLimit-Limit", "5000")
    headers = {
        "X-RateLimit-Limit": limit,
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Used": limit,
        "X-RateLimit-Reset": str(ceil((now + timedelta(seconds=fault.seconds)).timestamp())),
        "X-RateLimit-Resource": "graphql" if request.graphql_query else "core",
    }
    message = "API rate limit exceeded for user ID 1000001."
    if request.graphql_query:
        return Response.of_json({"errors": [{"type": "RATE_LIMITED", "message": message}]}, 200, headers)
    return Response.of_json({"message": message, "status": "403"}, fault.status or 403, headers)


def _secondary_limit(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    headers = {name: value for name, value in response.headers.items() if name.startswith("X-RateLimit")}
    if fault.retry_after is not None:
        headers["Retry-After"] = f"{fault.retry_after:g}"
    body = {"message": SECONDARY, "documentation_url": "https://docs.github.com/rest/secondary-rate-limits"}
    return Response.of_json(body, fault.status or 403, headers)


def _sso_partial(fault: Fault, request: Request, response: Response, now: datetime) -> Response:
    if response.result is not None:
        _null_nodes(response.result, "FORBIDDEN", SAML, {"saml_failure": True}, [0])
        response.body = b""
        return response
    body = json.loads(response.body or b"null")  # a 304 has none
    if isinstance(body, list):
        response.body = encode(body[1:])
    response.headers["X-GitHub-SSO"] = "partial-results; organizations=21955855,20582480"
    return response


# What may go wrong inside a GraphQL answer


def _graphql_error(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    _null_nodes(result, None, SOMETHING_WENT_WRONG, None, [-1])


def _resource_limits(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    _null_nodes(result, "RESOURCE_LIMITS_EXCEEDED", "Resource limits for this query exceeded.", None, None)


def _something_went_wrong(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    result |= {"data": None, "errors": [{"message": SOMETHING_WENT_WRONG}]}


def _nulls_without_errors(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    for _, holder in _outer_lists(result["data"]):
        if holder["nodes"]:
            holder["nodes"][len(holder["nodes"]) // 2] = None


def _short_page(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    # Without the items, but with the cursor behind them: this loses data unless counts are compared.
    for _, holder in _outer_lists(result["data"]):
        del holder["nodes"][int(len(holder["nodes"]) * fault.keep) :]


def _truncated_children(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    for holder in _inner_lists(result["data"]):
        del holder["nodes"][int(len(holder["nodes"]) * fault.keep) :]
        if "pageInfo" in holder:
            holder["pageInfo"]["hasNextPage"] = False


def _null_cursor(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    for _, holder in _outer_lists(result["data"]):
        if "pageInfo" in holder:
            holder["pageInfo"] |= {"hasNextPage": True, "endCursor": None}


def _odd_cursor(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    # Half of a surrogate pair, which JSON can say and nobody can write down.
    for _, holder in _outer_lists(result["data"]):
        if "pageInfo" in holder:
            holder["pageInfo"] |= {"hasNextPage": True, "endCursor": "\ud800"}


def _repeated_cursor(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    # The cursor that was asked for comes back; on a first page there is none to repeat.
    for _, holder in _outer_lists(result["data"]):
        if "pageInfo" in holder:
            asked = [v for v in request.variables.values() if isinstance(v, str) and v.startswith("Y3Vyc29y")]
            holder["pageInfo"] |= {
                "hasNextPage": True,
                "endCursor": asked[0] if asked else holder["pageInfo"].get("endCursor"),
            }


def _vague_page(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    for holder in [holder for _, holder in _outer_lists(result["data"])] + list(_inner_lists(result["data"])):
        if "pageInfo" in holder:
            holder["pageInfo"]["hasNextPage"] = None
        if "totalCount" in holder:
            holder["totalCount"] = None


def _empty_ids(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    for _, holder in _outer_lists(result["data"]):
        for node in holder["nodes"]:
            if node:
                node["id"] = ""


def _rejected_cursor(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    message = "`abc` does not appear to be a valid cursor."
    errors: list[dict[str, Any]] = []
    for path, _ in _outer_lists(result["data"]):
        errors.append({"type": "INVALID_CURSOR_ARGUMENTS", "path": path, "message": message})
    for name in {error["path"][0] for error in errors}:
        result["data"][name] = None
    result["errors"] = errors


def _forbidden_teams(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    message = "Resource not accessible by personal access token"
    for path, holder in _dictionaries(result["data"], []):
        reviewer = holder.get("requestedReviewer")
        if reviewer and (reviewer.get("__typename") == "Team" or "combinedSlug" in reviewer):
            holder["requestedReviewer"] = None
            error = {"type": "FORBIDDEN", "path": [*path, "requestedReviewer"], "message": message}
            result.setdefault("errors", []).append(error | {"extensions": {"saml_failure": False}})


def _ip_allow_list(fault: Fault, request: Request, result: dict[str, Any]) -> None:
    if isinstance(result["data"].get("nodes"), list):
        _null_nodes(result, "FORBIDDEN", IP_ALLOW_LIST, {"saml_failure": False}, [0])
        return
    errors = result.setdefault("errors", [])
    for name, value in result["data"].items():
        if isinstance(value, dict) and name != "rateLimit":
            result["data"][name] = None
            errors.append({"type": "FORBIDDEN", "path": [name], "message": IP_ALLOW_LIST})


# Finding one's way in an answer


def _dictionaries(value: Any, path: list[str | int]) -> Iterator[tuple[list[str | int], dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for name, child in list(value.items()):
            yield from _dictionaries(child, [*path, name])
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _dictionaries(child, [*path, index])


def _outer_lists(
    data: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[list[str | int], dict[str, Any]]]:
    """What holds a list of nodes and is in no other such list."""
    if not isinstance(data, dict):
        return
    if isinstance(data.get("nodes"), list):
        yield list(path), data
        return
    for name, child in list(data.items()):
        yield from _outer_lists(child, (*path, name))


def _inner_lists(data: Any) -> Iterator[dict[str, Any]]:
    for _, holder in _outer_lists(data):
        for node in holder["nodes"]:
            for _, inner in _dictionaries(node, []):
                if isinstance(inner.get("nodes"), list):
                    yield inner


def _null_nodes(
    result: dict[str, Any],
    type_: str | None,
    message: str,
    extensions: dict[str, Any] | None,
    which: Sequence[int] | None,
) -> None:
    errors = result.setdefault("errors", [])
    for path, holder in _outer_lists(result["data"]):
        nodes = holder["nodes"]
        for index in range(len(nodes)) if which is None else [i % len(nodes) for i in which if nodes]:
            nodes[index] = None
            error: dict[str, Any] = {"path": [*path, "nodes", index], "message": message}
            if type_:
                error = {"type": type_, **error}
            errors.append(error | ({"extensions": extensions} if extensions else {}))


def _list_size(response: Response) -> int:
    if response.result is not None:
        sizes = [len(holder["nodes"]) for _, holder in _outer_lists(response.result.get("data"))]
        return max(sizes, default=0)
    try:
        body = json.loads(response.body)
    except ValueError:
        return 0
    return len(body) if isinstance(body, list) else 0


def _encoded(response: Response) -> bytes:
    return response.body or encode(response.result)


WIRE_KINDS: dict[str, Callable[[Fault, Request, Response, datetime], Response]] = {
    "status": _status,
    "timeout": _timeout,
    "html": _html_with_200,
    "invalid_json": _invalid_json,
    "wrong_content_type": _wrong_content_type,
    "reset": _on_the_wire,
    "reset_mid_body": _on_the_wire,
    "truncated_body": _on_the_wire,
    "slow_drip": _on_the_wire,
    "slow_headers": _on_the_wire,
    "latency": _on_the_wire,
    "redirect": _redirect,
    "link_elsewhere": _link_elsewhere,
    "bare_304": _bare_304,
    "wrong_date": _wrong_date,
    "huge_numbers": _huge_numbers,
    "missing_keys": _missing_keys,
    "wrong_types": _wrong_types,
    "primary_limit": _primary_limit,
    "secondary_limit": _secondary_limit,
    "sso_partial": _sso_partial,
}
GRAPHQL_KINDS: dict[str, Callable[[Fault, Request, dict[str, Any]], None]] = {
    "graphql_error": _graphql_error,
    "resource_limits": _resource_limits,
    "something_went_wrong": _something_went_wrong,
    "null_nodes": _nulls_without_errors,
    "short_page": _short_page,
    "truncated_children": _truncated_children,
    "null_cursor": _null_cursor,
    "odd_cursor": _odd_cursor,
    "repeated_cursor": _repeated_cursor,
    "vague_page": _vague_page,
    "empty_ids": _empty_ids,
    "rejected_cursor": _rejected_cursor,
    "forbidden_teams": _forbidden_teams,
    "ip_allow_list": _ip_allow_list,
}
KINDS = (*WIRE_KINDS, *GRAPHQL_KINDS)
