"""Pages of records by GraphQL: asks in bites that GitHub digests, and vouches that what it gives is whole.

Decides how much to ask at once and in what form; what to ask for, and when, is sync's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from prpipeline.github import connections, records
from prpipeline.github.client import Client
from prpipeline.github.failures import (
    CursorRejected,
    GitHubFailure,
    MalformedAnswer,
    NotFound,
    TeamsDenied,
    TooExpensive,
)
from prpipeline.github.protocol import GraphQLResult
from prpipeline.github.records import MalformedRecord, PullRequest
from prpipeline.github.source import (
    Head,
    Hydrated,
    Outline,
    OwnedRepository,
    Page,
    Probe,
    ProbeAnswer,
    Repository,
)
from prpipeline.repository import RepositoryName

_CREATED = {"field": "CREATED_AT", "direction": "ASC"}  # an immutable key: nothing shifts while we page
_UPDATED = {"field": "UPDATED_AT", "direction": "DESC"}
_PROBE_ROWS = 2_000  # heads in one probe: small against GitHub's hidden budget per query
_FAST_SECONDS = 4.0  # GitHub gives a query 10 s; twice as much must stay well below

Json = Mapping[str, Any]
T = TypeVar("T")


class _Unsettled(Exception):
    """A pull request whose parts do not fit together; it has to be read again."""


class GraphQLSource:
    """Source by GraphQL."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._size = client.sync.page_size
        self._teams = True  # off for good once the token turned out not to see teams

    # ── repositories ─────────────────────────────────────────────────────────────────────────────────

    def repository(self, name: RepositoryName) -> tuple[Repository, int | None]:
        result = self._ask("repository", {"owner": name.owner, "name": name.name}, repository=str(name))
        node = _repository_node(result.data, name)
        return _repository(node), connections.total(node["pullRequests"])

    def owner_repositories(self, owner: str) -> list[OwnedRepository]:
        def listing(data: Json) -> Any:
            if data.get("repositoryOwner") is None:
                raise NotFound(f"GitHub knows no organisation or user {owner}; check its spelling.")
            return data["repositoryOwner"].get("repositories")

        nodes, _ = self._walk("owner", {"login": owner}, listing)
        return [
            OwnedRepository(node["nameWithOwner"], bool(node["isArchived"]), bool(node["isFork"]))
            for node in nodes
        ]

    # ── what changed ─────────────────────────────────────────────────────────────────────────────────

    def probe(self, repositories: Sequence[Repository]) -> ProbeAnswer:
        size = max(10, min(50, _PROBE_ROWS // max(len(repositories), 1)))
        ids = [repository.node_id for repository in repositories]

        def check(data: Json) -> None:
            for node in _nodes(data, len(ids)):
                if node is not None:
                    connections.check(node.get("pullRequests"), ())

        def ask(divisor: int) -> GraphQLResult:
            variables = {"ids": ids, "size": max(1, size // divisor)}
            return self._ask("probe", variables, missing_nodes=True, check=check)

        result = self._in_smaller_bites(ask)
        failures = {error.path[1]: error.failure for error in result.errors}
        probes: dict[int, Probe] = {}
        refused: dict[int, GitHubFailure] = {}
        for index, (known, node) in enumerate(zip(repositories, result.data["nodes"], strict=True)):
            if node is not None and node.get("__typename") == "Repository":
                connection = node["pullRequests"]
                probes[known.repository_id] = Probe(
                    repository=_repository(node),
                    heads=tuple(map(_head, connection["nodes"])),
                    total=connections.total(connection),
                    cursor=connections.next_cursor(connection),
                )
            else:
                refused[known.repository_id] = failures.get(index) or MalformedAnswer(
                    "GitHub left out the repository without saying why."
                )
        return ProbeAnswer(result.server_time, probes, refused)

    def changed(self, probe: Probe, since: datetime) -> list[Head]:
        heads = list(probe.heads)
        if probe.cursor and heads and heads[-1].updated_at >= since:
            nodes, _ = self._walk(
                "changed",
                {"id": probe.repository.node_id},
                _pull_requests_of_node,
                after=probe.cursor,
                enough=lambda node: _head(node).updated_at < since,
                repository=probe.repository.full_name,
            )
            heads += map(_head, nodes)
        return [head for head in heads if head.updated_at >= since]

    def outline(self, repository: Repository) -> tuple[list[Outline], int | None]:
        nodes, total = self._walk(
            "counts",
            {"id": repository.node_id},
            _pull_requests_of_node,
            repository=repository.full_name,
        )
        return [_outline(node) for node in nodes], total

    # ── whole pull requests ──────────────────────────────────────────────────────────────────────────

    def history(
        self, name: str, *, after: str | None, back: timedelta | None, started_at: datetime | None
    ) -> Iterator[Page]:
        wanted = RepositoryName.parse(name)
        seen = {after}
        while True:
            result = self._history_page(wanted, after, _CREATED if back is None else _UPDATED, seen)
            started_at = started_at or result.server_time
            node = _repository_node(result.data, wanted)
            connection = node["pullRequests"]
            pull_requests = [self._whole(n) for n in connection["nodes"]]
            after = connections.next_cursor(connection)
            if back is not None and any(pr.updated_at < started_at - back for pr in pull_requests):
                pull_requests = [pr for pr in pull_requests if pr.updated_at >= started_at - back]
                after = None
            yield Page(
                repository=_repository(node),
                pull_requests=tuple(pull_requests),
                read_at=result.server_time,
                total=connections.total(connection),
                cursor=after,
            )
            if after is None:
                return
            seen.add(after)

    def hydrate(self, repository_heads: Sequence[tuple[Repository, Head]]) -> Iterator[Hydrated]:
        left = list(repository_heads)

        def ask(size: int, sizes: bool) -> tuple[GraphQLResult, list[tuple[Repository, Head]]]:
            batch = left[:size]
            return self._hydrate([head for _, head in batch], batch[0][0].full_name, sizes), batch

        while left:
            result, batch = self._in_adaptive_pages(ask)
            whole, missing = [], []
            for (_, head), node in zip(batch, result.data["nodes"], strict=True):
                if node is not None and node.get("__typename") == "PullRequest":
                    whole.append((int(node["repository"]["databaseId"]), self._whole(node)))
                else:
                    missing.append(head)
            yield Hydrated(result.server_time, tuple(whole), tuple(missing))
            del left[: len(batch)]

    def _history_page(
        self, name: RepositoryName, after: str | None, order: Json, seen: set[str | None]
    ) -> GraphQLResult:
        def ask(size: int, sizes: bool) -> GraphQLResult:
            def check(data: Json) -> None:
                connection = _repository_node(data, name)["pullRequests"]
                connections.check(connection, seen)
                for node in connection["nodes"]:
                    _check_children(node)
                if len(connection["nodes"]) < size and connections.next_cursor(connection):
                    raise TooExpensive(f"GitHub gave {len(connection['nodes'])} pull requests of {size}.")

            return self._ask(
                "history",
                {
                    "owner": name.owner,
                    "name": name.name,
                    "size": size,
                    "after": after,
                    "order": order,
                    "sizes": sizes,
                },
                teams=True,
                check=check,
                repository=str(name),
            )

        return self._in_adaptive_pages(ask)

    def _hydrate(self, heads: Sequence[Head], repository: str | None, sizes: bool) -> GraphQLResult:
        def check(data: Json) -> None:
            for node in _nodes(data, len(heads)):
                if node is not None:
                    _check_children(node)

        result = self._ask(
            "hydrate",
            {"ids": [head.node_id for head in heads], "sizes": sizes},
            teams=True,
            missing_nodes=True,
            check=check,
            repository=repository,
        )
        gone = {error.path[1] for error in result.errors if isinstance(error.failure, NotFound)}
        for index, node in enumerate(result.data["nodes"]):
            if node is None and index not in gone:
                for error in result.errors:
                    raise error.failure
                raise TooExpensive("GitHub left out a pull request without saying why.")
        return result

    # ── children ─────────────────────────────────────────────────────────────────────────────────────

    def _whole(self, node: Json) -> PullRequest:
        """The record with every review and event; read again where it changed under our hands."""
        for attempt in range(1, self.client.sync.attempts + 1):
            try:
                return self._with_tails(node)
            except (_Unsettled, CursorRejected) as trouble:
                if attempt == self.client.sync.attempts:
                    raise MalformedAnswer(f"#{node.get('number')}: {trouble}") from None
                self.client.back_off(attempt, str(trouble))
            except MalformedRecord as error:
                raise MalformedAnswer(f"#{node.get('number')}: {error}.") from None
            head = Head(str(node["id"]), datetime.min)
            again = self._hydrate([head], None, sizes=node.get("additions") is not None)
            if again.data["nodes"][0] is None:
                raise MalformedAnswer(f"#{node.get('number')} vanished while it was read.")
            node = again.data["nodes"][0]
        raise AssertionError("unreachable")

    def _with_tails(self, node: Json) -> PullRequest:
        pull_request = records.pull_request_from_graphql(node)
        reviews, expected = list(node["reviews"]["nodes"]), connections.total(node["reviews"])
        events = list(node["timelineItems"]["nodes"])
        reviews_after = connections.next_cursor(node["reviews"])
        events_after = connections.next_cursor(node["timelineItems"])
        seen = {reviews_after, events_after}
        while reviews_after or events_after:
            tail = self._tail(node, reviews_after, events_after, seen)
            if tail["updatedAt"] != node["updatedAt"]:
                raise _Unsettled("It changed while its reviews were read.")
            if reviews_after:
                reviews += tail["reviews"]["nodes"]
                expected = connections.total(tail["reviews"])
                reviews_after = connections.next_cursor(tail["reviews"])
            if events_after:
                events += tail["timelineItems"]["nodes"]
                events_after = connections.next_cursor(tail["timelineItems"])
            seen |= {reviews_after, events_after}
        if expected is not None and len({review["id"] for review in reviews}) < expected:
            raise _Unsettled(f"GitHub counts {expected} reviews but gave {len(reviews)}.")
        kept = {r.review_id: r for r in map(records.review_from_graphql, reviews) if r}
        happened = {e.event_id: e for e in map(records.event_from_graphql, events) if e}
        return pull_request.with_children(tuple(kept.values()), tuple(happened.values()))

    def _tail(
        self, node: Json, reviews_after: str | None, events_after: str | None, seen: set[str | None]
    ) -> Json:
        def check(data: Json) -> None:
            tail = data.get("node")
            if not isinstance(tail, Mapping):
                raise _Unsettled("It vanished while its reviews were read.")
            if reviews_after:
                connections.check(tail.get("reviews"), seen)
            if events_after:
                connections.check(tail.get("timelineItems"), seen)

        def ask(_: int) -> GraphQLResult:
            return self._ask(
                "tail",
                {
                    "id": node["id"],
                    "reviews": reviews_after is not None,
                    "reviewsAfter": reviews_after,
                    "events": events_after is not None,
                    "eventsAfter": events_after,
                },
                teams=True,
                check=check,
            )

        tail: Json = self._in_smaller_bites(ask).data["node"]
        return tail

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────

    def _ask(
        self,
        name: str,
        variables: Json,
        *,
        teams: bool = False,
        missing_nodes: bool = False,
        check: Callable[[Json], None] | None = None,
        repository: str | None = None,
    ) -> GraphQLResult:
        """Send a query of ours; one with ``teams`` without the names of teams where they are denied."""
        while True:
            try:
                return self.client.graphql(
                    name,
                    {**variables, "teams": self._teams} if teams else variables,
                    missing_nodes=missing_nodes,
                    check=check,
                    repository=repository,
                )
            except TeamsDenied:
                if not (teams and self._teams):
                    raise
                self._teams = False

    def _walk(
        self,
        name: str,
        variables: Json,
        connection_of: Callable[[Json], Any],
        *,
        after: str | None = None,
        enough: Callable[[Json], bool] | None = None,
        repository: str | None = None,
    ) -> tuple[list[Json], int | None]:
        """All nodes of a light connection to its end, or until ``enough`` of the last one; and its count."""
        nodes: list[Json] = []
        seen = {after}
        while True:

            def ask(_: int, after: str | None = after) -> GraphQLResult:
                return self._ask(
                    name,
                    {**variables, "after": after},
                    check=lambda data: connections.check(connection_of(data), seen),
                    repository=repository,
                )

            connection = connection_of(self._in_smaller_bites(ask).data)
            nodes += connection["nodes"]
            after = connections.next_cursor(connection)
            if after is None or (enough and nodes and enough(nodes[-1])):
                return nodes, connections.total(connection)
            seen.add(after)

    def _in_adaptive_pages(self, ask: Callable[[int, bool], T]) -> T:
        """Ask for a page: halved on trouble, grown back when answers are fast.

        A single pull request that is still too much is asked for without its sizes, which cost GitHub most.
        """
        attempt, sizes = 0, True
        while True:
            started = time.monotonic()
            try:
                answer = ask(self._size, sizes)
            except TooExpensive as trouble:
                attempt += 1
                if self._size > 1:
                    self._size //= 2
                    attempt = min(attempt, self.client.sync.attempts - 1)
                elif attempt >= self.client.sync.attempts + 1:
                    raise
                else:
                    sizes = False
                self.client.back_off(attempt, str(trouble))
                continue
            if time.monotonic() - started < _FAST_SECONDS:
                self._size = min(self._size * 2, self.client.sync.page_size)
            return answer

    def _in_smaller_bites(self, ask: Callable[[int], T]) -> T:
        """Ask with divisor 1, then 2, 4 … where that helps."""
        attempt = 0
        while True:
            try:
                return ask(2**attempt)
            except TooExpensive as trouble:
                attempt += 1
                if attempt >= self.client.sync.attempts:
                    raise
                self.client.back_off(attempt, str(trouble))


# ── reading nodes ────────────────────────────────────────────────────────────────────────────────────


def _nodes(data: Json, expected: int) -> list[Any]:
    nodes = data.get("nodes")
    if not isinstance(nodes, list) or len(nodes) != expected:
        raise MalformedAnswer("GitHub's answer has not one node for each id.")
    return nodes


def _repository_node(data: Json, name: RepositoryName) -> Json:
    node = data.get("repository")
    if not isinstance(node, Mapping):
        raise MalformedAnswer(f"GitHub's answer says nothing about {name}.")
    return node


def _pull_requests_of_node(data: Json) -> Any:
    return (data.get("node") or {}).get("pullRequests")


def _check_children(node: Json) -> None:
    connections.check(node.get("reviews"), ())
    connections.check(node.get("timelineItems"), ())


def _repository(node: Json) -> Repository:
    try:
        return Repository(int(node["databaseId"]), str(node["id"]), str(node["nameWithOwner"]))
    except (KeyError, TypeError, ValueError):
        raise MalformedAnswer("GitHub's answer does not say which repository it is about.") from None


def _head(node: Json) -> Head:
    try:
        return Head(str(node["id"]), records.time(node["updatedAt"]))
    except (KeyError, MalformedRecord):
        raise MalformedAnswer("GitHub's answer has a pull request without a time.") from None


def _outline(node: Json) -> Outline:
    try:
        return Outline(
            node_id=str(node["id"]),
            pull_request_id=int(node["fullDatabaseId"]),
            updated_at=records.time(node["updatedAt"]),
            reviews=int(node["reviews"]["totalCount"]),
        )
    except (KeyError, TypeError, ValueError):
        raise MalformedAnswer("GitHub's outline of a pull request lacks what was asked for.") from None
