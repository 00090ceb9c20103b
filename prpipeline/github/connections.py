"""GraphQL connections: what a page of one must have before it is believed, and where the next one starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from prpipeline.github.failures import MalformedAnswer, TooExpensive

Json = Mapping[str, Any]


def check(connection: Any, seen_cursors: Collection[str | None]) -> None:
    """Raise unless this is a page that can be true and that leads on.

    MalformedAnswer for what asking again may mend; TooExpensive for nodes left out, which a smaller page mends.
    """
    if not isinstance(connection, Mapping) or not isinstance(connection.get("nodes"), list):
        raise MalformedAnswer("GitHub's answer lacks a list that was asked for.")
    if any(node is None for node in connection["nodes"]):
        raise TooExpensive("GitHub left rows out of a list without saying why.")
    info = connection.get("pageInfo")
    if not isinstance(info, Mapping):
        raise MalformedAnswer("GitHub's answer does not say whether a list goes on.")
    if info.get("hasNextPage"):
        if not info.get("endCursor"):
            raise MalformedAnswer("GitHub says that a list goes on, but not where.")
        if info["endCursor"] in seen_cursors:
            raise MalformedAnswer("GitHub's list leads back to a page that was read already.")


def next_cursor(connection: Json) -> str | None:
    """Where the next page starts; None at the end of the list."""
    info = connection["pageInfo"]
    return str(info["endCursor"]) if info["hasNextPage"] else None


def total(connection: Json) -> int | None:
    """How many there are, by GitHub's count."""
    count = connection.get("totalCount")
    return None if count is None else int(count)
