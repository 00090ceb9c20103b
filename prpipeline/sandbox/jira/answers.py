"""What all of Jira's resources share: errors as Jira writes them, parameters, pages by position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from prpipeline.sandbox.messages import Request


class JiraError(Exception):
    """An error as Jira writes it."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


def check(given: set[str], known: set[str]) -> None:
    if unknown := given - known:
        raise JiraError(400, f"Unrecognized field or parameter: {', '.join(sorted(unknown))}")


def multi(request: Request) -> dict[str, list[str]]:
    """The parameters with all of their values."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query_string, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def page(request: Request, rows: list[Any], most: int) -> dict[str, Any]:
    start = int(request.query.get("startAt", "0"))
    size = min(int(request.query.get("maxResults", str(most))), most)
    shown = rows[start : start + size]
    is_last = start + size >= len(rows)
    return {"startAt": start, "maxResults": size, "total": len(rows), "isLast": is_last, "values": shown}
