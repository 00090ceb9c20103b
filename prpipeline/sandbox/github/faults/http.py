"""Faults of any answer, GraphQL or REST: status, headers, body, and how it is delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from math import ceil

from prpipeline.sandbox.clock import iso
from prpipeline.sandbox.github.faults.effect import SAML, SOMETHING_WENT_WRONG, Effect
from prpipeline.sandbox.github.faults.walk import dictionaries, encoded, null_nodes
from prpipeline.sandbox.messages import Delivery, Request, Response, encode

UNICORN = b"""<!DOCTYPE html>
<html>
  <head><meta charset="utf-8"><title>Unicorn! &middot; GitHub</title></head>
  <body>
    <p><strong>We had issues producing the response to your request.</strong></p>
    <p>Sorry about that. Please try refreshing and contact us if the problem persists.</p>
  </body>
</html>
"""
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to "
    "GitHub Support for help, please include the request ID 5A2D:3C5F."
)

GATEWAY = b"""<!doctype html>
<html><head><title>Zugriff verweigert</title><style>p { color: red }</style></head>
<body><h1>Zugriff verweigert</h1><p>Bitte wenden Sie sich an Ihre IT.</p></body></html>
"""
TOO_FAST = f"""<!DOCTYPE html>
<html><head><title>Rate limit &middot; GitHub</title></head><body><p><strong>Whoa there!</strong> {SECONDARY}</p></body></html>
""".encode()


def _html(status: int) -> Response:
    return Response(status, UNICORN, {"Content-Type": "text/html; charset=utf-8"})


def _status(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    return _html(fault.status or 502)


def _timeout(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    body = {"data": None, "errors": [{"message": SOMETHING_WENT_WRONG}]}
    return Response.of_json(body, fault.status or 502, response.headers)


def _html_with_200(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    return _html(200)


def _invalid_json(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    body = encoded(response)
    response.body = body[: int(len(body) * fault.keep)]
    return response


def _wrong_content_type(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    response.headers["Content-Type"] = "text/plain"
    return response


def _on_the_wire(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    kind = "slow_headers" if fault.kind == "latency" else fault.kind
    response.delivery = Delivery(kind, fault.seconds, fault.keep)
    return response


def _redirect(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    return Response.of_json(
        {"message": "Moved", "url": fault.url}, fault.status or 302, {"Location": fault.url}
    )


def _link_elsewhere(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    response.headers["Link"] = f'<{fault.url}?page=2>; rel="next"'
    return response


def _bare_304(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    # HTTP does not require a 304 to repeat the Link header.
    if response.status == 304:
        response.headers.pop("Link", None)
    return response


def _wrong_304(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    # A cache in between that does not know of a change.
    return Response(304, b"", response.headers) if request.header("If-None-Match") else response


def _older_state(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    # A replica that is behind: objects are as they were before their last change.
    body = json.loads(encoded(response) or b"null")
    for _, holder in dictionaries(body, []):
        for name in {"updatedAt", "updated_at"} & holder.keys():
            holder[name] = iso(datetime.fromisoformat(holder[name]) - timedelta(seconds=fault.seconds))
    response.body = encode(body) if response.status == 200 else response.body
    return response


def _wrong_date(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    response.headers["Date"] = format_datetime(now + timedelta(seconds=fault.seconds), usegmt=True)
    return response


def _huge_numbers(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    # More than 64 bits: no database column can hold these.
    body = json.loads(encoded(response) or b"null")
    for _, holder in dictionaries(body, []):
        for name in {"fullDatabaseId", "databaseId", "id", "number"} & holder.keys():
            if str(holder[name]).isdecimal():
                holder[name] = "9" * 30 if isinstance(holder[name], str) else 2**64
    response.body = encode(body) if response.status == 200 else response.body
    return response


def _missing_keys(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    body = json.loads(encoded(response) or b"null")
    for _, holder in dictionaries(body, []):
        for name in {"closedAt", "closed_at"} & holder.keys():
            del holder[name]
    response.body = encode(body) if response.status == 200 else response.body
    return response


def _wrong_types(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    # Strings where the client expects booleans.
    body = json.loads(encoded(response) or b"null")
    for _, holder in dictionaries(body, []):
        holder |= {name: str(value) for name, value in holder.items() if isinstance(value, bool)}
    response.body = encode(body) if response.status == 200 else response.body
    return response


def _primary_limit(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
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


def _secondary_limit(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    headers = {name: value for name, value in response.headers.items() if name.startswith("X-RateLimit")}
    if fault.retry_after is not None:
        headers["Retry-After"] = f"{fault.retry_after:g}"
    body = {"message": SECONDARY, "documentation_url": "https://docs.github.com/rest/secondary-rate-limits"}
    return Response.of_json(body, fault.status or 403, headers)


def _refusal(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    # A gateway's page, without GitHub's headers; a 401 comes with no body at all.
    status = fault.status or 403
    body = GATEWAY if status == 403 else b""
    return Response(status, body, {"Content-Type": "text/html"})


def _limit_words(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    # The limit is named in the body alone, with a status of success or on a page.
    if fault.status is None:
        return Response.of_json({"message": SECONDARY}, 200)
    return Response(fault.status, TOO_FAST, {"Content-Type": "text/html"})


def _unknown_code(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    # A query that does not fit the schema, with a code that no client knows.
    error = {
        "path": ["query"],
        "extensions": {"code": "somethingNewAboutQueries"},
        "locations": [{"line": 1, "column": 7}],
        "message": "This query does not fit",
    }
    return Response.of_json({"errors": [error]}, 200, response.headers)


def _sso_partial(fault: Effect, request: Request, response: Response, now: datetime) -> Response:
    if response.result is not None:
        null_nodes(response.result, "FORBIDDEN", SAML, {"saml_failure": True}, [0])
        response.body = b""
        return response
    body = json.loads(response.body or b"null")  # a 304 has no body
    if isinstance(body, list):
        response.body = encode(body[1:])
    response.headers["X-GitHub-SSO"] = "partial-results; organizations=21955855,20582480"
    return response


KINDS: dict[str, Callable[[Effect, Request, Response, datetime], Response]] = {
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
    "wrong_304": _wrong_304,
    "older_state": _older_state,
    "wrong_date": _wrong_date,
    "huge_numbers": _huge_numbers,
    "missing_keys": _missing_keys,
    "wrong_types": _wrong_types,
    "primary_limit": _primary_limit,
    "secondary_limit": _secondary_limit,
    "sso_partial": _sso_partial,
    "refusal": _refusal,
    "limit_words": _limit_words,
    "unknown_code": _unknown_code,
}
