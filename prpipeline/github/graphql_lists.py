"""Light GraphQL lists, read to their end: heads, outlines, an owner's repositories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from prpipeline.github import connections
from prpipeline.github.client import Client
from prpipeline.github.protocol import GraphQLResult
from prpipeline.github.readings import Readings, are_few
from prpipeline.http.attempts import Attempt, Attempts, Unsettled
from prpipeline.model.failures import TooExpensive

Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Listed(Generic[T]):
    """The rows of a list, GitHub's count of them, and when the first page was read."""

    rows: list[T]
    total: int | None
    read_at: datetime


@dataclass(frozen=True)
class ListQuery(Generic[T]):
    """A query of ``graphql/`` that pages by ``$size`` and ``$after``, and how to read it."""

    name: str
    variables: Json
    connection: Callable[[Json], Any]  # where the list is in the data
    read: Callable[[Json], T]
    key: Callable[[T], str]
    repository: str
    rows: int = 100  # a page; fewer where so many are too much
    missing: int = 0  # rows that GitHub is known to count and not to list

    def walk(
        self, client: Client, *, after: str | None, enough: Callable[[T], bool]
    ) -> tuple[list[T], int | None]:
        """The rows to the list's end, or until ``enough`` of the last one; and GitHub's count of all."""
        walked = self._walk(client, after, enough, None, is_counted=False)
        return walked.rows, walked.total

    def all(self, client: Client) -> Listed[T]:
        """Each row once, and GitHub's count: fewer than that only where several readings agree. Raises MalformedAnswer."""
        readings = Readings()

        def read(attempts: Attempts) -> Listed[T]:
            listed = self._walk(client, None, lambda row: False, attempts, is_counted=True)
            found = {self.key(row): row for row in reversed(listed.rows)}
            missing = (listed.total or 0) - self.missing - len(found)
            is_believed = readings.agree(frozenset(found), listed.total) and are_few(
                missing, listed.total or 0
            )
            if missing > 0 and not is_believed:
                raise Unsettled(
                    f"GitHub counts {listed.total} rows in {self.repository}, but lists {len(found)}."
                )
            return replace(listed, rows=list(reversed(found.values())))

        return client.caller.settled(read)

    def _walk(
        self,
        client: Client,
        after: str | None,
        enough: Callable[[T], bool],
        attempts: Attempts | None,
        *,
        is_counted: bool,
    ) -> Listed[T]:
        rows: list[T] = []
        seen, size = {after}, self.rows
        read_at: datetime | None = None
        while True:
            result, size = self._page(client, after, seen, attempts, size, is_counted)
            connection = self.connection(result.data)
            read_at = read_at or result.read_at
            rows += map(self.read, connection["nodes"])
            after = connections.next_cursor(connection)
            if after is None or (rows and enough(rows[-1])):
                return Listed(rows, connections.total(connection), read_at)
            seen.add(after)

    def _page(
        self,
        client: Client,
        after: str | None,
        seen: set[str | None],
        attempts: Attempts | None,
        most: int,
        is_counted: bool,
    ) -> tuple[GraphQLResult, int]:
        """A page, and how many rows were asked for in the end.

        ``is_counted``: all rows will be held against their count, so that a short page need not be suspected by itself.
        """
        size, readings = most, Readings()

        def variables(attempt: Attempt) -> Json:
            nonlocal size
            is_too_much = isinstance(attempt.failure, TooExpensive) and not isinstance(
                attempt.failure, connections.ShortPage
            )
            size = max(1, size // 2) if is_too_much else size
            return {**self.variables, "after": after, "size": size}

        def check(result: GraphQLResult) -> None:
            connection = self.connection(result.data)
            try:
                connections.check(connection, seen, asked=0 if is_counted else size - self.missing)
            except connections.ShortPage as short:
                rows = frozenset(self.key(self.read(node)) for node in connection["nodes"])
                if not (readings.agree(rows, size) and are_few(short.missing, size)):
                    raise
            list(map(self.read, connection["nodes"]))

        result = client.graphql(
            self.name,
            variables,
            position=after,
            attempts=attempts,
            check=check,
            repository=self.repository,
        )
        return result, size
