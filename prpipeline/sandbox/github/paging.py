"""Pages of lists, with cursors that hold values and not positions, as GitHub's do."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any

Key = tuple[Any, ...]


class InvalidCursor(ValueError):
    """The cursor is malformed, or belongs to another list."""


class Listing:
    """Items in ascending order of a key, to be read in either direction; `scope` ties its cursors to it."""

    def __init__(
        self, items: Sequence[Any], key: Callable[[Any], Key], scope: str, descending: bool = False
    ) -> None:
        self.items = items
        self.key = key
        self.scope = scope
        self.descending = descending

    def cursor(self, item: Any) -> str:
        """The cursor of an item."""
        text = "cursor:v2:" + json.dumps([self.scope, *self.key(item)])
        return base64.b64encode(text.encode()).decode()

    def page(
        self, first: int | None, after: str | None, last: int | None = None, before: str | None = None
    ) -> Page:
        """The items between two cursors, limited to the first or last ones."""
        total = len(self.items)
        start, end = 0, total
        if after:
            value = self._value(after)
            start = total - self._left(value) if self.descending else self._right(value)
        if before:
            value = self._value(before)
            end = total - self._right(value) if self.descending else self._left(value)
        if first is not None:
            end = min(end, start + first)
        elif last is not None:
            start = max(start, end - last)
        return Page(self, self._slice(start, max(start, end)), total, start > 0, end < total)

    def _slice(self, start: int, end: int) -> Sequence[Any]:
        if not self.descending:
            return self.items[start:end]
        total = len(self.items)
        return self.items[total - end : total - start][::-1]

    def _left(self, value: Key) -> int:
        return bisect_left(self.items, value, key=self.key)

    def _right(self, value: Key) -> int:
        return bisect_right(self.items, value, key=self.key)

    def _value(self, cursor: str) -> Key:
        try:
            text = base64.b64decode(cursor, validate=True).decode()
            scope, *value = json.loads(text.removeprefix("cursor:v2:"))
        except (binascii.Error, ValueError, TypeError) as error:
            raise InvalidCursor(cursor) from error
        if scope != self.scope:
            raise InvalidCursor(cursor)
        return tuple(value)


class Page:
    """A page of a listing: what a GraphQL connection is resolved from."""

    __slots__ = ("_ends", "has_next", "has_previous", "listing", "nodes", "total")

    def __init__(
        self, listing: Listing, nodes: Sequence[Any], total: int, has_previous: bool, has_next: bool
    ) -> None:
        self.listing = listing
        self.nodes = nodes
        self.total = total
        self.has_previous = has_previous
        self.has_next = has_next
        self._ends: tuple[str | None, str | None] | None = None

    def miscounted(self, by: int) -> Page:
        """The same page of a list that is counted wrongly."""
        return Page(self.listing, self.nodes, max(0, self.total + by), self.has_previous, self.has_next)

    def without(self, is_hidden: Callable[[Any], bool]) -> Page:
        """The page without these items, which keep their places: it is shorter than others, and leads on from the last."""
        page = Page(self.listing, self.nodes, self.total, self.has_previous, self.has_next)
        page._ends = self.start_cursor, self.end_cursor
        page.nodes = [node for node in self.nodes if not is_hidden(node)]
        return page

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first item."""
        if self._ends:
            return self._ends[0]
        return self.listing.cursor(self.nodes[0]) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last item."""
        if self._ends:
            return self._ends[1]
        return self.listing.cursor(self.nodes[-1]) if self.nodes else None
