"""Light GraphQL lists, read to their end: heads, outlines, an owner's repositories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from prpipeline.github import connections
from prpipeline.github.client import Client
from prpipeline.github.protocol import GraphQLResult
from prpipeline.http.attempts import Attempts, Unsettled

_ROWS = 100  # what changed, counts and owner ask for at once

Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class ListQuery(Generic[T]):
    """A query of ``graphql/`` that pages by ``$after``, and how to read it."""

    name: str
    variables: Json
    connection: Callable[[Json], Any]  # where the list is in the data
    read: Callable[[Json], T]
    repository: str

    def walk(
        self,
        client: Client,
        *,
        after: str | None = None,
        enough: Callable[[T], bool] = lambda row: False,
        attempts: Attempts | None = None,
    ) -> tuple[list[T], int | None]:
        """The rows to the list's end, or until ``enough`` of the last one; and GitHub's count of all."""
        rows: list[T] = []
        seen = {after}
        while True:
            connection = self._page(client, after, seen, attempts)
            rows += map(self.read, connection["nodes"])
            after = connections.next_cursor(connection)
            if after is None or (rows and enough(rows[-1])):
                return rows, connections.total(connection)
            seen.add(after)

    def all(self, client: Client, key: Callable[[T], str]) -> tuple[list[T], int | None]:
        """Each row once, at least as many as GitHub counts; and its count. Raises MalformedAnswer."""

        def read(attempts: Attempts) -> tuple[list[T], int | None]:
            rows, total = self.walk(client, attempts=attempts)
            found = {key(row): row for row in reversed(rows)}
            if len(found) < (total or 0):
                raise Unsettled(f"GitHub counts {total} rows in {self.repository}, but lists {len(found)}.")
            return list(reversed(found.values())), total

        return client.caller.settled(read)

    def _page(
        self, client: Client, after: str | None, seen: set[str | None], attempts: Attempts | None
    ) -> Json:
        def check(result: GraphQLResult) -> None:
            connection = self.connection(result.data)
            connections.check(connection, seen, asked=_ROWS, is_first=after is None)
            list(map(self.read, connection["nodes"]))

        result = client.graphql(
            self.name,
            {**self.variables, "after": after},
            position=after,
            attempts=attempts,
            check=check,
            repository=self.repository,
        )
        connection: Json = self.connection(result.data)
        return connection
