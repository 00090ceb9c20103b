"""Requests and answers, without the transport."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any


@dataclass
class Request:
    """One request as the server got it; kept for assertions, with the status that was answered."""

    at: datetime
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    query_string: str = ""  # parameters that are repeated stand only here with all of their values
    token: str | None = None
    status: int | None = None
    fault: str | None = None
    points: int = 0

    @cached_property
    def json(self) -> Any:
        """The body as JSON, None if it is not valid."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def graphql_query(self) -> str | None:
        """The text of the GraphQL document, if this is a GraphQL request."""
        return self.json.get("query") if isinstance(self.json, dict) else None

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of a GraphQL request."""
        return (self.json.get("variables") or {}) if isinstance(self.json, dict) else {}

    @cached_property
    def operation(self) -> str | None:
        """The name of the GraphQL operation, if it has one."""
        if not self.graphql_query:
            return None
        if self.json.get("operationName"):
            return str(self.json["operationName"])
        words = self.graphql_query.replace("(", " ").replace("{", " ").split()
        return words[1] if words[0] == "query" and words[1:] and words[1].isidentifier() else None

    def header(self, name: str) -> str | None:
        """A header, whatever its case."""
        return self.headers.get(name.lower())


@dataclass
class Delivery:
    """How an answer is delivered if the connection has a fault."""

    kind: str
    seconds: float = 0.0
    keep: float = 0.5


@dataclass
class Response:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    # GraphQL's answer before it was encoded, for faults that change it.
    result: dict[str, Any] | None = None
    delivery: Delivery | None = None

    @classmethod
    def of_json(cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """An answer with a JSON body."""
        content = {"Content-Type": "application/json; charset=utf-8"}
        return cls(status, encode(data), content | dict(headers or {}))


def encode(data: Any) -> bytes:
    """JSON as GitHub sends it: compact, and UTF-8 as it is."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")  # half of a surrogate pair exists as an escape only


class ApiError(Exception):
    """An error of the API, as REST and GraphQL print it."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The error as an answer."""
        body = {
            "message": self.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(self.status),
        }
        return Response.of_json(body, self.status, self.headers)
