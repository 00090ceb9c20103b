"""Pages of records by GraphQL: asks in bites that GitHub digests, and vouches that what it gives is whole.

Decides how much to ask at once and in what form; what to ask for, and when, is sync's business.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from prpipeline.github import connections, mapping
from prpipeline.github.client import Client
from prpipeline.github.protocol import GraphQLResult, as_promised
from prpipeline.model.answers import (
    Head,
    Hydrated,
    Outline,
    OwnedRepository,
    Page,
    Probe,
    ProbeAnswer,
    Repository,
)
from prpipeline.model.failures import (
    ApiFailure,
    BadCredentials,
    CursorRejected,
    LimitReached,
    MalformedAnswer,
    NotFound,
    TeamsDenied,
    TooExpensive,
)
from prpipeline.model.pull_requests import PullRequest
from prpipeline.model.repository import RepositoryName

_CREATED = {"field": "CREATED_AT", "direction": "ASC"}  # an immutable key: nothing shifts while we page
_UPDATED = {"field": "UPDATED_AT", "direction": "DESC"}
_PROBE_ROWS = 2_000  # heads in one probe: small against GitHub's hidden budget per query
_WALK_ROWS = 100  # what changed, counts and owner ask for
_FAST_SECONDS = 4.0  # GitHub gives a query 10 s; twice as much must stay well below

log = logging.getLogger("prpipeline")

Json = Mapping[str, Any]
T = TypeVar("T")


class _Unsettled(Exception):
    """A pull request whose parts do not fit together; it has to be read again."""


class _EventsLeftOut(_Unsettled):
    """GitHub counts more events than it gave; these it gave."""

    def __init__(self, events: frozenset[str]) -> None:
        super().__init__("GitHub counts more events than it gave.")
        self.events = events


class GraphQLSource:
    """Source by GraphQL."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._size = client.sync.page_size
        self._teams = True  # off for good once the token turned out not to see teams

    # ── repositories ─────────────────────────────────────────────────────────────────────────────────

    def repository(self, name: RepositoryName) -> tuple[Repository, int | None]:
        def check(data: Json) -> None:
            node = _repository_node(data, name)
            _repository(node), connections.total(node["pullRequests"])

        result = self._ask(
            "repository", {"owner": name.owner, "name": name.name}, check=check, repository=str(name)
        )
        node = _repository_node(result.data, name)
        return _repository(node), connections.total(node["pullRequests"])

    def owner_repositories(self, owner: str) -> list[OwnedRepository]:
        def listing(data: Json) -> Any:
            if data.get("repositoryOwner") is None:
                raise NotFound(f"GitHub knows no organisation or user {owner}; check its spelling.")
            return data["repositoryOwner"].get("repositories")

        def read(node: Json) -> OwnedRepository:
            return OwnedRepository(
                mapping.full_name(node, "nameWithOwner"),
                mapping.flag(node, "isArchived"),
                mapping.flag(node, "isFork"),
            )

        found, _ = self._all("owner", {"login": owner}, listing, read, lambda r: r.full_name, owner)
        return found

    # ── what changed ─────────────────────────────────────────────────────────────────────────────────

    def probe(self, repositories: Sequence[Repository]) -> ProbeAnswer:
        answers = [self._probe(some) for some in self._by_scope(repositories, lambda r: r.full_name)]
        return ProbeAnswer(
            min(answer.read_at for answer in answers),
            {key: probe for answer in answers for key, probe in answer.probes.items()},
            {key: failure for answer in answers for key, failure in answer.refused.items()},
        )

    def _probe(self, repositories: Sequence[Repository]) -> ProbeAnswer:
        size = max(10, min(50, _PROBE_ROWS // len(repositories)))
        ids = [repository.node_id for repository in repositories]

        def ask(divisor: int) -> GraphQLResult:
            asked = max(1, size // divisor)

            def check(data: Json) -> None:
                for node in _nodes(data, len(ids)):
                    if node is not None and node.get("__typename") == "Repository":
                        _repository(node)
                        connections.check(node.get("pullRequests"), asked=asked, is_first=True)
                        list(map(_head, node["pullRequests"]["nodes"]))

            return self._ask(
                "probe",
                {"ids": ids, "size": asked},
                missing_nodes=True,
                check=check,
                repository=repositories[0].full_name,
            )

        result = self._in_smaller_bites(ask)
        failures = _refusals(result)
        probes: dict[int, Probe] = {}
        refused: dict[int, ApiFailure] = {}
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
        return ProbeAnswer(result.read_at, probes, refused)

    def changed(self, probe: Probe, since: datetime) -> list[Head]:
        heads = list(probe.heads)
        if probe.cursor and heads and heads[-1].updated_at >= since:
            node_id, name = probe.repository.node_id, probe.repository.full_name
            more, total = self._walk(
                "changed",
                {"id": node_id},
                _pull_requests_of_node,
                _head,
                after=probe.cursor,
                enough=lambda head: head.updated_at < since,
                repository=name,
            )
            heads += more
            reached_the_end = not more or more[-1].updated_at >= since
            if reached_the_end and len({head.node_id for head in heads}) < (total or 0):
                # Some moved to the front meanwhile, or were left out.
                heads, _ = self._all(
                    "changed", {"id": node_id}, _pull_requests_of_node, _head, lambda h: h.node_id, name
                )
        return [head for head in heads if head.updated_at >= since]

    def outline(self, repository: Repository) -> tuple[list[Outline], int | None]:
        return self._all(
            "counts",
            {"id": repository.node_id},
            _pull_requests_of_node,
            _outline,
            lambda line: line.node_id,
            repository.full_name,
        )

    # ── whole pull requests ──────────────────────────────────────────────────────────────────────────

    def history(
        self, name: str, *, after: str | None, back: timedelta | None, started_at: datetime | None
    ) -> Iterator[Page]:
        wanted = RepositoryName.parse(name)
        seen, read = {after}, set[str]()
        from_the_start = after is None
        while True:
            result = self._history_page(wanted, after, _CREATED if back is None else _UPDATED, seen)
            started_at = started_at or result.read_at
            node = _repository_node(result.data, wanted)
            repository, connection = _repository(node), node["pullRequests"]
            read |= {str(n["id"]) for n in connection["nodes"]}
            pull_requests = [pr for pr in (self._whole(n, name) for n in connection["nodes"]) if pr]
            total = connections.total(connection)
            after = connections.next_cursor(connection)
            if back is not None:
                bound = started_at - back
                if any(pr.updated_at < bound for pr in pull_requests):
                    after = None
                elif after is None and from_the_start and len(read) < (total or 0):
                    pull_requests += self._left_out(repository, bound, read)
                pull_requests = [pr for pr in pull_requests if pr.updated_at >= bound]
            yield Page(repository, tuple(pull_requests), result.read_at, total, after)
            if after is None:
                return
            seen.add(after)

    def _left_out(self, repository: Repository, since: datetime, read: set[str]) -> list[PullRequest]:
        """What a walk to the end of the list did not meet: it moved to the front meanwhile, or was left out."""
        heads, _ = self._all(
            "changed",
            {"id": repository.node_id},
            _pull_requests_of_node,
            _head,
            lambda head: head.node_id,
            repository.full_name,
        )
        wanted = [
            (repository, head) for head in heads if head.updated_at >= since and head.node_id not in read
        ]
        return [pr for answer in self.hydrate(wanted) for _, pr in answer.pull_requests]

    def hydrate(self, repository_heads: Sequence[tuple[Repository, Head]]) -> Iterator[Hydrated]:
        for some in self._by_scope(repository_heads, lambda pair: pair[0].full_name):
            left = list(some)
            while left:
                result, batch = self._in_adaptive_pages(partial(self._first, left))
                whole: list[tuple[int, PullRequest]] = []
                missing: list[tuple[Repository, Head]] = []
                for (repository, head), node in zip(batch, result.data["nodes"], strict=True):
                    pull_request = node and self._whole(node, repository.full_name, head.node_id)
                    if pull_request:
                        whole.append((mapping.integer(node["repository"], "databaseId"), pull_request))
                    else:
                        missing.append((repository, head))
                self._check_visible([repository for repository, _ in missing])
                yield Hydrated(result.read_at, tuple(whole), tuple(head for _, head in missing))
                del left[: len(batch)]

    def _first(
        self, left: Sequence[tuple[Repository, Head]], size: int, sizes: bool
    ) -> tuple[GraphQLResult, Sequence[tuple[Repository, Head]]]:
        batch = left[:size]
        return self._hydrate([head.node_id for _, head in batch], batch[0][0].full_name, sizes), batch

    def _check_visible(self, repositories: Sequence[Repository]) -> None:
        """A pull request that is not shown is gone only if its repository still is shown."""
        wanted = list({repository.repository_id: repository for repository in repositories}.values())
        if wanted:
            for failure in self.probe(wanted).refused.values():
                raise failure

    def _history_page(
        self, name: RepositoryName, after: str | None, order: Json, seen: set[str | None]
    ) -> GraphQLResult:
        def ask(size: int, sizes: bool) -> GraphQLResult:
            def check(data: Json) -> None:
                node = _repository_node(data, name)
                _repository(node)
                connections.check(node.get("pullRequests"), seen, asked=size, is_first=after is None)
                for child in node["pullRequests"]["nodes"]:
                    _check_pull_request(child)

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

    def _hydrate(self, ids: Sequence[str], repository: str, sizes: bool) -> GraphQLResult:
        """The whole nodes of these ids, null where GitHub says that there is none."""

        def check(data: Json) -> None:
            for node in _nodes(data, len(ids)):
                if node is not None:
                    if node["__typename"] != "PullRequest":
                        raise MalformedAnswer("GitHub gave something else than the pull request asked for.")
                    mapping.integer(node["repository"], "databaseId")
                    _check_pull_request(node)

        result = self._ask(
            "hydrate",
            {"ids": list(ids), "sizes": sizes},
            teams=True,
            missing_nodes=True,
            check=check,
            repository=repository,
        )
        refusals = _refusals(result)
        for index, node in enumerate(result.data["nodes"]):
            if node is None:
                refusal = refusals.get(index) or TooExpensive(
                    "GitHub left out a pull request without saying why."
                )
                if not isinstance(refusal, NotFound):
                    raise refusal
        return result

    # ── children ─────────────────────────────────────────────────────────────────────────────────────

    def _whole(self, node: Json, repository: str, node_id: str | None = None) -> PullRequest | None:
        """The record with every review and event; read again where the parts do not fit together.

        By ``node_id``, the one that was asked for, if one was. None where it vanished meanwhile.
        """
        attempt, events = 0, None
        while True:
            try:
                return self._with_tails(node, repository, events)
            except (_Unsettled, CursorRejected, MalformedAnswer) as trouble:
                attempt += 1
                if attempt >= self.client.sync.attempts:
                    raise MalformedAnswer(f"#{node.get('number')}: {trouble}") from None
                self.client.back_off(attempt, f"#{node.get('number')}: {trouble}")
                events = trouble.events if isinstance(trouble, _EventsLeftOut) else None
            sizes = "additions" in node
            again = self._in_smaller_bites(partial(self._again, node_id or node["id"], repository, sizes))
            if again.data["nodes"][0] is None:
                return None
            node = again.data["nodes"][0]

    def _again(self, node_id: str, repository: str, sizes: bool, _: int) -> GraphQLResult:
        return self._hydrate([node_id], repository, sizes)

    def _with_tails(self, node: Json, repository: str, events_before: frozenset[str] | None) -> PullRequest:
        reviews, expected = list(node["reviews"]["nodes"]), connections.total(node["reviews"])
        events, left_out = list(node["timelineItems"]["nodes"]), _left_out(node["timelineItems"])
        reviews_after = connections.next_cursor(node["reviews"])
        events_after = connections.next_cursor(node["timelineItems"])
        seen = {reviews_after, events_after}
        while reviews_after or events_after:
            tail = self._tail(node, repository, reviews_after, events_after, seen)
            if tail["updatedAt"] != node["updatedAt"]:
                raise _Unsettled("It changed while its reviews were read.")
            if reviews_after:
                reviews += tail["reviews"]["nodes"]
                expected = connections.total(tail["reviews"])
                reviews_after = connections.next_cursor(tail["reviews"])
            if events_after:
                events += tail["timelineItems"]["nodes"]
                left_out = left_out or _left_out(tail["timelineItems"])
                events_after = connections.next_cursor(tail["timelineItems"])
            seen |= {reviews_after, events_after}
        if len({review["id"] for review in reviews}) < (expected or 0):
            raise _Unsettled(f"GitHub counts {expected} reviews but gave {len(reviews)}.")
        ids = frozenset(str(event["id"]) for event in events)
        if left_out and ids != events_before:
            # What pageCount counts is GitHub's secret: two readings that agree are believed.
            raise _EventsLeftOut(ids)
        with as_promised():
            kept = {r.review_id: r for r in map(mapping.review_from_graphql, reviews) if r}
            happened = {e.event_id: e for e in map(mapping.event_from_graphql, events) if e}
            pull_request = mapping.pull_request_from_graphql(node)
        if "additions" not in node:
            pull_request = self._with_sizes(pull_request, repository)
        return pull_request.with_children(tuple(kept.values()), tuple(happened.values()))

    def _with_sizes(self, pull_request: PullRequest, repository: str) -> PullRequest:
        """The sizes from REST, where GraphQL could not bear them; unknown where REST cannot, either."""
        try:
            whole = self.client.get(
                f"/repos/{repository}/pulls/{pull_request.number}",
                read=lambda answer: mapping.pull_request_from_rest(answer.json()),
                repository=repository,
            )
        except (BadCredentials, LimitReached):
            raise
        except ApiFailure as failure:
            log.warning("%s#%d is kept without its sizes: %s", repository, pull_request.number, failure)
            return pull_request
        return replace(
            pull_request,
            additions=whole.additions,
            deletions=whole.deletions,
            changed_files=whole.changed_files,
        )

    def _tail(
        self,
        node: Json,
        repository: str,
        reviews_after: str | None,
        events_after: str | None,
        seen: set[str | None],
    ) -> Json:
        def check(data: Json) -> None:
            tail = data.get("node")
            if not isinstance(tail, Mapping):
                raise _Unsettled("It vanished while its reviews were read.")
            _ = tail["updatedAt"]
            if reviews_after:
                _check_children(tail.get("reviews"), seen)
            if events_after:
                _check_timeline(tail.get("timelineItems"), seen)

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
                repository=repository,
            )

        try:
            tail: Json = self._in_smaller_bites(ask).data["node"]
        except NotFound:
            raise _Unsettled("It vanished while its reviews were read.") from None
        return tail

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────

    def _by_scope(self, items: Sequence[T], name: Callable[[T], str]) -> list[list[T]]:
        """Items that may share a request: the installations of a GitHub App have each a token of their own."""
        groups: dict[str, list[T]] = {}
        for item in items:
            groups.setdefault(self.client.credential.scope(name(item)), []).append(item)
        return list(groups.values())

    def _ask(
        self,
        name: str,
        variables: Json,
        *,
        repository: str,
        teams: bool = False,
        missing_nodes: bool = False,
        check: Callable[[Json], None] | None = None,
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
            except TeamsDenied as denied:
                if not (teams and self._teams):
                    raise
                log.info("%s Reading review requests without the names of teams.", denied)
                self._teams = False

    def _walk(
        self,
        name: str,
        variables: Json,
        connection_of: Callable[[Json], Any],
        read: Callable[[Json], T],
        *,
        repository: str,
        after: str | None = None,
        enough: Callable[[T], bool] | None = None,
    ) -> tuple[list[T], int | None]:
        """All rows of a light connection to its end, or until ``enough`` of the last one; and GitHub's count."""
        rows: list[T] = []
        seen = {after}
        while True:

            def check(data: Json, after: str | None = after) -> None:
                connections.check(connection_of(data), seen, asked=_WALK_ROWS, is_first=after is None)
                list(map(read, connection_of(data)["nodes"]))

            def ask(
                _: int, after: str | None = after, check: Callable[[Json], None] = check
            ) -> GraphQLResult:
                return self._ask(name, {**variables, "after": after}, check=check, repository=repository)

            connection = connection_of(self._in_smaller_bites(ask).data)
            rows += map(read, connection["nodes"])
            after = connections.next_cursor(connection)
            if after is None or (enough and rows and enough(rows[-1])):
                return rows, connections.total(connection)
            seen.add(after)

    def _all(
        self,
        name: str,
        variables: Json,
        connection_of: Callable[[Json], Any],
        read: Callable[[Json], T],
        key: Callable[[T], str],
        repository: str,
    ) -> tuple[list[T], int | None]:
        """Each row of a light connection once, at least as many as GitHub counts; and its count."""
        attempt = 0
        while True:
            rows, total = self._walk(name, variables, connection_of, read, repository=repository)
            found = {key(row): row for row in reversed(rows)}
            if len(found) >= (total or 0):
                return list(reversed(found.values())), total
            attempt += 1
            trouble = MalformedAnswer(f"GitHub counts {total} rows in {repository}, but lists {len(found)}.")
            if attempt >= self.client.sync.attempts:
                raise trouble
            self.client.back_off(attempt, str(trouble))

    def _in_adaptive_pages(self, ask: Callable[[int, bool], T]) -> T:
        """Ask for a page: halved on trouble, grown back when answers are fast.

        A single pull request that is too much time and again is asked for without its sizes, which cost GitHub most.
        """
        attempt, halved, sizes = 0, 0, True
        while True:
            started = time.monotonic()
            try:
                answer = ask(self._size, sizes)
            except TooExpensive as trouble:
                patience = self.client.patience(trouble)
                if self._size > 1 and patience > 1:
                    self._size //= 2
                    halved += 1
                else:
                    attempt += 1
                    if attempt >= patience:
                        self.client.gave_up(trouble)
                        raise
                    sizes = attempt < patience - 1
                self.client.back_off(max(1, min(attempt + halved, self.client.sync.attempts)), str(trouble))
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
                if attempt >= self.client.patience(trouble):
                    self.client.gave_up(trouble)
                    raise
                self.client.back_off(attempt, str(trouble))


# ── reading nodes: inside a check, what does not fit is asked for again ──────────────────────────────


def _nodes(data: Json, expected: int) -> list[Any]:
    nodes = data.get("nodes")
    if not isinstance(nodes, list) or len(nodes) != expected:
        raise MalformedAnswer("GitHub's answer has not one node for each id.")
    return nodes


def _refusals(result: GraphQLResult) -> dict[int, ApiFailure]:
    """Why single nodes of ``nodes(ids:)`` are null, by their index."""
    return {error.path[1]: error.failure for error in result.errors if isinstance(error.path[1], int)}


def _repository_node(data: Json, name: RepositoryName) -> Json:
    node = data.get("repository")
    if not isinstance(node, Mapping):
        raise MalformedAnswer(f"GitHub's answer says nothing about {name}.")
    return node


def _pull_requests_of_node(data: Json) -> Any:
    return (data.get("node") or {}).get("pullRequests")


def _check_pull_request(node: Json) -> None:
    """That what the children are read by is there; the records check the rest."""
    mapping.string(node, "id"), node["updatedAt"]
    _check_children(node.get("reviews"))
    _check_timeline(node.get("timelineItems"))


def _check_children(connection: Any, seen_cursors: Collection[str | None] = ()) -> None:
    connections.check(connection, seen_cursors)
    for node in connection["nodes"]:
        mapping.string(node, "id")


def _check_timeline(timeline: Any, seen_cursors: Collection[str | None] = ()) -> None:
    _check_children(timeline, seen_cursors)
    mapping.integer(timeline, "pageCount")


def _left_out(timeline: Json) -> bool:
    return len(timeline["nodes"]) < mapping.integer(timeline, "pageCount")


def _repository(node: Json) -> Repository:
    return Repository(
        mapping.integer(node, "databaseId"),
        mapping.string(node, "id"),
        mapping.full_name(node, "nameWithOwner"),
    )


def _head(node: Json) -> Head:
    return Head(mapping.string(node, "id"), mapping.time(node["updatedAt"]))


def _outline(node: Json) -> Outline:
    return Outline(
        node_id=mapping.string(node, "id"),
        pull_request_id=mapping.integer(node, "fullDatabaseId"),
        updated_at=mapping.time(node["updatedAt"]),
        reviews=mapping.integer(node["reviews"], "totalCount"),
    )
