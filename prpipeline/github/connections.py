"""GraphQL connections: what a page of one must have before it is believed, and where the next one starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from prpipeline.model.failures import MalformedAnswer, TooExpensive

Json = Mapping[str, Any]


class ShortPage(TooExpensive):
    """A page that leads on and has fewer rows than were asked for."""

    def __init__(self, given: int, asked: int) -> None:
        super().__init__(f"GitHub gave {given} rows of {asked}, though there are more.")
        self.missing = asked - given


def check(connection: Any, seen_cursors: Collection[str | None] = (), *, asked: int = 0) -> None:
    """Raise unless this is a page that can be true and that leads on.

    ``asked``: how many rows a page that leads on has to have. MalformedAnswer where asking again may help;
    TooExpensive for missing rows, where a smaller page helps: ShortPage if it is the page that has too few.
    """
    if not isinstance(connection, Mapping) or not isinstance(connection.get("nodes"), list):
        raise MalformedAnswer("GitHub's answer lacks a list that was asked for.")
    nodes, info = connection["nodes"], connection.get("pageInfo")
    if any(node is None for node in nodes):
        raise TooExpensive("GitHub left rows out of a list without saying why.")
    total(connection)
    if not isinstance(info, Mapping) or not isinstance(info.get("hasNextPage"), bool):
        raise MalformedAnswer("GitHub's answer does not say whether a list goes on.")
    if info.get("hasNextPage"):
        if not _is_cursor(info.get("endCursor")):
            raise MalformedAnswer("GitHub says that a list goes on, but not where.")
        if info["endCursor"] in seen_cursors:
            raise MalformedAnswer("GitHub's list leads back to a page that was read already.")
        if len(nodes) < asked:
            raise ShortPage(len(nodes), asked)


def _is_cursor(value: Any) -> bool:
    """Whether it can be kept and sent back as it is: GitHub's are Base64."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def next_cursor(connection: Json) -> str | None:
    """Where the next page starts; None at the end of the list."""
    info = connection["pageInfo"]
    return str(info["endCursor"]) if info["hasNextPage"] else None


def total(connection: Json) -> int | None:
    """How many there are, by GitHub's count; None of a timeline, whose count is of other things, too."""
    if "pageCount" in connection:
        return None
    count = connection.get("totalCount")
    if type(count) is not int or not 0 <= count < 2**63:
        raise MalformedAnswer("GitHub does not say how many rows there are.")
    return count
