"""Counts requests by query and position, ignoring the page size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from prpipeline.sandbox.github import Sandbox
from prpipeline.sandbox.messages import Request

_POSITION = ("owner", "name", "login", "id", "after", "reviewsAfter", "eventsAfter")


def query_of(request: Request) -> Hashable:
    """The operation and its position; a request for several pull requests has the position of the first."""
    if request.operation is None:
        return request.path, *sorted({"page": "1", **request.query}.items())
    ids = request.variables.get("ids", [])
    where = tuple(ids[:1]) if request.operation == "Hydrate" else tuple(ids)
    return request.operation, where, *(request.variables.get(name) for name in _POSITION)


def requests_per_query(server: Sandbox) -> Counter[Hashable]:
    return Counter(map(query_of, server.requests))


def most_requests_per_query(server: Sandbox) -> int:
    return max(requests_per_query(server).values(), default=0)
