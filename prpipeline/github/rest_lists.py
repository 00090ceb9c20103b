"""Lists by REST. They page by number, so they shift while they are read; lists that may shrink are read twice."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prpipeline.github import rest_objects as objects
from prpipeline.github.client import Client
from prpipeline.http.answer import Answer
from prpipeline.http.attempts import Attempts, Unsettled
from prpipeline.model.failures import MalformedAnswer

LARGEST_PAGE = 100

Json = Mapping[str, Any]
Parameters = Mapping[str, str | int]
Check = Callable[[Json], object]
"""Raises where an item cannot be true; its page is then asked for again."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list."""

    items: list[Json]
    next: str | None
    last: int | None
    etag: str | None
    read_at: datetime
    is_unchanged: bool = False  # a 304


class RestLists:
    """Reads lists with one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def items(self, path: str, parameters: Parameters, name: str, check: Check = objects.key) -> list[Json]:
        """All items of a list that only grows; those that slid to the next page meanwhile are there twice."""
        query = {"per_page": LARGEST_PAGE, **parameters}
        return self._client.caller.settled(
            lambda attempts: _items_of(self._pages(path, query, name, check, attempts))
        )

    def settled_items(
        self, path: str, parameters: Parameters, name: str, check: Check = objects.key
    ) -> list[Json]:
        """All items of a list that may shrink, read again where it did while we turned the pages."""
        return self._client.caller.settled(
            lambda attempts: self.checked_items(path, parameters, name, check, attempts), self.attempts()
        )

    def checked_items(
        self, path: str, parameters: Parameters, name: str, check: Check, attempts: Attempts
    ) -> list[Json]:
        """``settled_items``, which raises Unsettled where the list did not hold still."""
        query = {"per_page": LARGEST_PAGE, **parameters}
        pages = list(self._pages(path, query, name, check, attempts))
        for number, before in enumerate(pages[:-1], 1):
            again = self.page(path, query, name, number, etag=before.etag, attempts=attempts)
            keys = [objects.key(item) for item in again.items]
            if not again.is_unchanged and keys != [objects.key(item) for item in before.items]:
                raise Unsettled(f"{path} changed while it was read.")
        return _items_of(pages)

    def attempts(self) -> Attempts:
        """A budget for lists that are read twice even when nothing goes wrong."""
        return self._client.caller.attempts(at_least=2)

    def page(
        self,
        path: str,
        parameters: Parameters,
        name: str,
        number: int = 1,
        *,
        address: str | None = None,
        etag: str | None = None,
        check: Check = objects.key,
        attempts: Attempts | None = None,
    ) -> Listing:
        """One page, by its number, or by its ``address`` where GitHub gave it."""

        def read(answer: Answer) -> Listing:
            if answer.status == 304:
                return Listing([], answer.next_page, None, etag, answer.read_at, is_unchanged=True)
            items = answer.json()
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise MalformedAnswer("GitHub's answer is not the list that was asked for.")
            for item in items:
                check(item)
            return Listing(
                items, answer.next_page, answer.last_page, answer.headers.get("etag"), answer.read_at
            )

        numbered = {**parameters, "page": number} if number > 1 else parameters
        return self._client.get(
            address or path,
            None if address else numbered,
            read=read,
            etag=etag,
            position=(path, *sorted(parameters.items()), number),
            attempts=attempts,
            repository=name,
        )

    def _pages(
        self, path: str, parameters: Parameters, name: str, check: Check, attempts: Attempts
    ) -> Iterator[Listing]:
        seen = set[str | int]()
        address: str | None = None
        for number in itertools.count(1):
            listing = self.page(
                path, parameters, name, number, address=address, check=check, attempts=attempts
            )
            keys = {objects.key(item) for item in listing.items}
            if number > 1 and listing.next and keys <= seen:
                raise Unsettled("GitHub's list goes on without bringing anything new.")
            seen |= keys
            yield listing
            address = listing.next
            if address is None:
                return


def _items_of(pages: Iterator[Listing] | list[Listing]) -> list[Json]:
    return [item for page in pages for item in page.items]
