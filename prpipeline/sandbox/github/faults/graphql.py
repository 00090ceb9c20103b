"""Faults inside a GraphQL answer that has data; its status stays 200."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prpipeline.sandbox.github.faults.effect import SAML, SOMETHING_WENT_WRONG, Effect
from prpipeline.sandbox.github.faults.walk import dictionaries, inner_lists, null_nodes, outer_lists
from prpipeline.sandbox.messages import Request

IP_ALLOW_LIST = (
    "Although you appear to have the correct authorization credentials, the `octo-labs` organization has an IP allow "
    "list enabled, and your IP address is not permitted to access this resource."
)


def _graphql_error(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    null_nodes(result, None, SOMETHING_WENT_WRONG, None, [-1])


def _resource_limits(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    null_nodes(result, "RESOURCE_LIMITS_EXCEEDED", "Resource limits for this query exceeded.", None, None)


def _something_went_wrong(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    result |= {"data": None, "errors": [{"message": SOMETHING_WENT_WRONG}]}


def _nulls_without_errors(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    for _, holder in outer_lists(result["data"]):
        if holder["nodes"]:
            holder["nodes"][len(holder["nodes"]) // 2] = None


def _short_page(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    # The cursor is past the missing items: a client that does not compare counts loses data.
    for _, holder in outer_lists(result["data"]):
        del holder["nodes"][int(len(holder["nodes"]) * fault.keep) :]


def _truncated_children(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    for holder in inner_lists(result["data"]):
        del holder["nodes"][int(len(holder["nodes"]) * fault.keep) :]
        if "pageInfo" in holder:
            holder["pageInfo"]["hasNextPage"] = False


def _more_events_counted(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    for _, holder in dictionaries(result["data"], []):
        if "pageCount" in holder:
            holder["pageCount"] += 1


def _null_cursor(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    for _, holder in outer_lists(result["data"]):
        if "pageInfo" in holder:
            holder["pageInfo"] |= {"hasNextPage": True, "endCursor": None}


def _odd_cursor(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    # Half of a surrogate pair: valid in JSON, but it cannot be encoded as UTF-8.
    for _, holder in outer_lists(result["data"]):
        if "pageInfo" in holder:
            holder["pageInfo"] |= {"hasNextPage": True, "endCursor": "\ud800"}


def _repeated_cursor(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    # The cursor of the request is returned again; a first page has none to repeat.
    for _, holder in outer_lists(result["data"]):
        if "pageInfo" in holder:
            asked = [v for v in request.variables.values() if isinstance(v, str) and v.startswith("Y3Vyc29y")]
            holder["pageInfo"] |= {
                "hasNextPage": True,
                "endCursor": asked[0] if asked else holder["pageInfo"].get("endCursor"),
            }


def _vague_page(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    for holder in [holder for _, holder in outer_lists(result["data"])] + list(inner_lists(result["data"])):
        if "pageInfo" in holder:
            holder["pageInfo"]["hasNextPage"] = None
        if "totalCount" in holder:
            holder["totalCount"] = None


def _empty_ids(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    for _, holder in outer_lists(result["data"]):
        for node in holder["nodes"]:
            if node:
                node["id"] = ""


def _rejected_cursor(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    message = "`abc` does not appear to be a valid cursor."
    errors: list[dict[str, Any]] = []
    for path, _ in outer_lists(result["data"]):
        errors.append({"type": "INVALID_CURSOR_ARGUMENTS", "path": path, "message": message})
    for name in {error["path"][0] for error in errors}:
        result["data"][name] = None
    result["errors"] = errors


def _forbidden_teams(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    message = "Resource not accessible by personal access token"
    for path, holder in dictionaries(result["data"], []):
        reviewer = holder.get("requestedReviewer")
        if reviewer and (reviewer.get("__typename") == "Team" or "combinedSlug" in reviewer):
            holder["requestedReviewer"] = None
            error = {"type": "FORBIDDEN", "path": [*path, "requestedReviewer"], "message": message}
            result.setdefault("errors", []).append(error | {"extensions": {"saml_failure": False}})


def _forbidden_users(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    # Every second one of those that were asked for by name.
    asked = [
        name for name, value in result["data"].items() if isinstance(value, dict) and "databaseId" in value
    ]
    for name in asked[::2]:
        result["data"][name] = None
        error = {"type": "FORBIDDEN", "path": [name], "message": SAML, "extensions": {"saml_failure": True}}
        result.setdefault("errors", []).append(error)


def _ip_allow_list(fault: Effect, request: Request, result: dict[str, Any]) -> None:
    if isinstance(result["data"].get("nodes"), list):
        null_nodes(result, "FORBIDDEN", IP_ALLOW_LIST, {"saml_failure": False}, [0])
        return
    errors = result.setdefault("errors", [])
    for name, value in result["data"].items():
        if isinstance(value, dict) and name != "rateLimit":
            result["data"][name] = None
            errors.append({"type": "FORBIDDEN", "path": [name], "message": IP_ALLOW_LIST})


KINDS: dict[str, Callable[[Effect, Request, dict[str, Any]], None]] = {
    "graphql_error": _graphql_error,
    "resource_limits": _resource_limits,
    "something_went_wrong": _something_went_wrong,
    "null_nodes": _nulls_without_errors,
    "short_page": _short_page,
    "truncated_children": _truncated_children,
    "more_events_counted": _more_events_counted,
    "null_cursor": _null_cursor,
    "odd_cursor": _odd_cursor,
    "repeated_cursor": _repeated_cursor,
    "vague_page": _vague_page,
    "empty_ids": _empty_ids,
    "rejected_cursor": _rejected_cursor,
    "forbidden_teams": _forbidden_teams,
    "forbidden_users": _forbidden_users,
    "ip_allow_list": _ip_allow_list,
}
