"""Whole pull requests by GraphQL: pages of them in sizes that GitHub can answer, and the rest of long ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from prpipeline.github import connections, fields, mapping, queries
from prpipeline.github import graphql_objects as objects
from prpipeline.github.client import Client
from prpipeline.github.protocol import SERVICE, CommitsDenied, GraphQLResult, TeamsDenied
from prpipeline.github.readings import AGREEING, Readings, are_few
from prpipeline.http.answer import reading
from prpipeline.http.attempts import Attempt, Attempts, Unsettled
from prpipeline.model.answers import Head
from prpipeline.model.failures import (
    ApiFailure,
    BadCredentials,
    CursorRejected,
    LimitReached,
    MalformedAnswer,
    NotFound,
    TooExpensive,
)
from prpipeline.model.pull_requests import PullRequest
from prpipeline.model.repository import RepositoryName

_FAST_SECONDS = 4.0  # GitHub gives a query 10 s; twice as much must stay well below
_VANISHED = "It vanished while its reviews were read."

log = logging.getLogger("prpipeline")

Json = Mapping[str, Any]


class PullRequestReader:
    """Reads whole pull requests with one client; remembers the size of pages that works."""

    def __init__(self, client: Client, *, reads_bodies: bool = False) -> None:
        self._client = client
        self._reads_bodies = reads_bodies
        self._largest = self._size = client.caller.settings.page_size
        self._teams = self._commits = True  # off for good once the token turned out not to see them

    # ── pages ────────────────────────────────────────────────────────────────────────────────────────

    def history_page(
        self, name: RepositoryName, after: str | None, order: Json, seen: Collection[str | None]
    ) -> GraphQLResult:
        """A page of a repository's pull requests; ``seen`` are the cursors of this walk so far."""

        lacking: list[int] = []

        def variables(size: int) -> Json:
            return {"owner": name.owner, "name": name.name, "size": size, "after": after, "order": order}

        def check(result: GraphQLResult, size: int) -> None:
            node = objects.repository_node(result.data, name)
            objects.repository(node)
            try:
                connections.check(node.get("pullRequests"), seen, asked=size)
            except connections.ShortPage as short:
                lacking.append(short.missing)
                # A single row that was missing at every size, in the end by itself, is hidden for good.
                if size > 1 or len(lacking) < AGREEING or set(lacking) != {1}:
                    raise
            for child in node["pullRequests"]["nodes"]:
                objects.check_pull_request(child)

        return self._page("history", variables, check, self._largest, after, None, str(name))

    def hydrate(self, ids: Sequence[str], repository: str) -> tuple[list[Json | None], datetime, int]:
        """The nodes of the first of these ids, as many as GitHub can answer at once; null where there is none.

        Also returns when they were read, and how many requests that took.
        """
        attempts = self._client.caller.attempts()
        result = self._hydrate(ids, repository, attempts)
        return list(result.data["nodes"]), result.read_at, attempts.sent(self._key("hydrate", ids[0]))

    def _hydrate(
        self, ids: Sequence[str], repository: str, attempts: Attempts, sizes: bool = True
    ) -> GraphQLResult:
        def check(result: GraphQLResult, size: int) -> None:
            reasons = objects.refusals(result)
            for index, node in enumerate(objects.nodes_of(result.data, size)):
                if node is None:
                    reason = reasons.get(index) or TooExpensive(
                        "GitHub left out a pull request without saying why."
                    )
                    if not isinstance(reason, NotFound):
                        raise reason
                    continue
                if node["__typename"] != "PullRequest":
                    raise MalformedAnswer("GitHub gave something else than the pull request asked for.")
                fields.integer(node["repository"], "databaseId")
                objects.check_pull_request(node)

        def variables(size: int) -> Json:
            return {"ids": list(ids[:size])}

        return self._page("hydrate", variables, check, len(ids), ids[0], attempts, repository, sizes)

    def _page(
        self,
        name: str,
        variables: Callable[[int], Json],
        check: Callable[[GraphQLResult, int], None],
        most: int,
        position: str | None,
        attempts: Attempts | None,
        repository: str,
        sizes: bool = True,
    ) -> GraphQLResult:
        """Up to ``most`` pull requests: fewer when they are too much at once, more again when answers are fast.

        A single one that is too much to the last is asked for without its sizes and commits, which cost GitHub most.
        """
        size, started = most, 0.0

        def asked(attempt: Attempt) -> Json:
            nonlocal size, started
            size, started = min(self._size, most), time.monotonic()
            is_too_much = isinstance(attempt.failure, TooExpensive)
            if is_too_much:
                # The last two attempts are for a single one in any case.
                size = self._size = 1 if attempt.number >= attempt.most - 1 else max(1, size // 2)
            with_sizes = sizes and not (is_too_much and size == 1 and attempt.is_last)
            return {**variables(size), "sizes": with_sizes, "commits": self._commits}

        result = self._ask(name, asked, lambda r: check(r, size), position, attempts, repository)
        if time.monotonic() - started < _FAST_SECONDS:
            self._size = min(self._size * 2, self._largest)
        return result

    # ── a single one ─────────────────────────────────────────────────────────────────────────────────

    def whole(
        self, node: Json, repository: str, head: Head | None = None, requests: int = 1
    ) -> PullRequest | None:
        """The record with every review and event; read again where its parts do not fit together.

        ``head``: what it was asked for by, if it was; the record is not older. ``requests``: how many its reading took
        so far. None where it vanished meanwhile. Raises MalformedAnswer.
        """
        asked_by = head.node_id if head else str(node["id"])
        attempts = self._client.caller.attempts()
        attempts.count(self._key("hydrate", asked_by), requests)
        latest: Json | None = node
        is_read = True
        readings, of_commits = Readings(), Readings()

        def read(attempts: Attempts) -> PullRequest | None:
            nonlocal latest, is_read
            if not is_read:
                sizes = latest is None or "additions" in latest
                latest = self._hydrate([asked_by], repository, attempts, sizes).data["nodes"][0]
            is_read = False
            if latest is None:
                return None
            if head and fields.time(latest["updatedAt"]) < head.updated_at:
                raise Unsettled(f"#{latest.get('number')}: GitHub lists a newer state than it shows.")
            # Commits that are lost for good must not make a repository fail: answers that agree are believed.
            if _lacks_commit(latest) and not of_commits.agree((), latest["commits"]["totalCount"]):
                raise Unsettled(f"#{latest.get('number')}: GitHub counts commits but did not give the first.")
            return self._with_children(latest, repository, readings, attempts)

        return self._client.caller.settled(read, attempts)

    def _with_children(
        self,
        node: Json,
        repository: str,
        readings: Readings,
        attempts: Attempts,
    ) -> PullRequest:
        """Raises Unsettled where the parts of the pull request do not fit together."""
        what = f"#{node.get('number')}"
        lists = {field: node[field] for field in objects.CHILDREN.values() if node[field] is not None}
        rows = {field: list(connection["nodes"]) for field, connection in lists.items()}
        expected = {field: connections.total(connection) for field, connection in lists.items()}
        left_out = _left_out(node["timelineItems"])
        seen = set[str | None]()
        while after := _cursors(lists):
            seen |= set(after.values())
            tail = self._tail(node, repository, after, seen, attempts)
            if tail["updatedAt"] != node["updatedAt"]:
                raise Unsettled(f"{what}: It changed while its reviews were read.")
            lists = {field: tail[field] for field in after}
            for field, connection in lists.items():
                rows[field] += connection["nodes"]
                expected[field] = connections.total(connection)
            left_out = left_out or ("timelineItems" in lists and _left_out(lists["timelineItems"]))
        # GitHub does not document what pageCount counts, so that nothing is marked where events are left out.
        given = {
            field: frozenset(objects.key_of_child(field, child) for child in children)
            for field, children in rows.items()
        }
        missing = {field: (count or 0) - len(given[field]) for field, count in expected.items()}
        is_believed = readings.agree(tuple(given.items()), tuple(expected.items()))
        for field, count in expected.items():
            is_few = are_few(missing[field], count or 0, at_least=10)
            if missing[field] > 0 and not (is_believed and is_few):
                raise Unsettled(f"{what}: GitHub counts {count} {field} but gave {len(given[field])}.")
        if left_out and not is_believed:
            raise Unsettled(f"{what}: GitHub counts more events than it gave.")
        try:
            with reading(SERVICE):
                kept = {r.review_id: r for r in map(mapping.review_from_graphql, rows["reviews"]) if r}
                happened = {
                    e.event_id: e for e in map(mapping.event_from_graphql, rows["timelineItems"]) if e
                }
                labels = (
                    dict.fromkeys(map(mapping.label_from_graphql, rows["labels"]))
                    if "labels" in rows
                    else None
                )
                pull_request = mapping.pull_request_from_graphql(node, with_body=self._reads_bodies)
        except MalformedAnswer as trouble:
            raise Unsettled(f"{what}: {trouble}") from None
        if "additions" not in node:
            pull_request = self._with_sizes(pull_request, repository)
        whole = pull_request.with_children(
            tuple(kept.values()), tuple(happened.values()), None if labels is None else tuple(labels)
        )
        return replace(whole, reviews_counted=expected["reviews"]) if missing["reviews"] > 0 else whole

    def _tail(
        self,
        node: Json,
        repository: str,
        after: Mapping[str, str],
        seen: Collection[str | None],
        attempts: Attempts,
    ) -> Json:
        def check(result: GraphQLResult) -> None:
            tail = result.data.get("node")
            if not isinstance(tail, Mapping):
                raise Unsettled(f"#{node.get('number')}: {_VANISHED}")
            _ = tail["updatedAt"]
            for field in after:
                objects.check_children(field, tail.get(field), seen)

        variables: dict[str, Any] = {"id": node["id"]}
        for name, field in objects.CHILDREN.items():
            variables |= {name: field in after, f"{name}After": after.get(field)}
        position = (node["id"], *after.items())
        try:
            result = self._ask("tail", lambda _: variables, check, position, attempts, repository)
        except NotFound:
            raise Unsettled(f"#{node.get('number')}: {_VANISHED}") from None
        except CursorRejected as trouble:
            raise Unsettled(f"#{node.get('number')}: {trouble}") from None
        tail: Json = result.data["node"]
        return tail

    def _with_sizes(self, pull_request: PullRequest, repository: str) -> PullRequest:
        """The sizes and commits by REST, where they were too much for GraphQL; unknown where REST fails, too."""
        path = f"/repos/{repository}/pulls/{pull_request.number}"
        try:
            whole = self._client.get(
                path, read=lambda answer: mapping.pull_request_from_rest(answer.json()), repository=repository
            )
            first_commit_at = self._client.get(
                f"{path}/commits",
                {"per_page": 1},
                read=lambda answer: mapping.first_commit_from_rest(answer.json()),
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
            commits=whole.commits,
            first_commit_at=first_commit_at,
        )

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────

    def _key(self, name: str, position: Hashable) -> Hashable:
        """How a budget counts a query of ours; one without what is denied is another query."""
        return name, (position, self._teams, self._commits)

    def _ask(
        self,
        name: str,
        variables: Callable[[Attempt], Json],
        check: Callable[[GraphQLResult], None],
        position: Hashable,
        attempts: Attempts | None,
        repository: str,
    ) -> GraphQLResult:
        """Run a query, without the names of teams, or without commits, where they are denied."""
        while True:
            teams, commits = self._teams, self._commits
            try:
                return self._client.graphql(
                    name,
                    lambda attempt: {**variables(attempt), "teams": self._teams},
                    position=(position, teams, commits),
                    attempts=attempts,
                    missing_nodes=name == "hydrate",
                    check=check,
                    repository=repository,
                    text=queries.query(name, with_bodies=self._reads_bodies),
                )
            except TeamsDenied as denied:
                if not teams:
                    raise
                log.info("%s Reading review requests without the names of teams.", denied)
                self._teams = False
            except CommitsDenied as denied:
                if not commits:
                    raise
                log.info("%s Reading pull requests without the dates of their commits.", denied)
                self._commits = False


def _left_out(timeline: Json) -> bool:
    return len(timeline["nodes"]) < fields.integer(timeline, "pageCount")


def _cursors(lists: Mapping[str, Json]) -> dict[str, str]:
    """Where the lists that go on do so, by field."""
    cursors = {field: connections.next_cursor(connection) for field, connection in lists.items()}
    return {field: cursor for field, cursor in cursors.items() if cursor}


def _lacks_commit(node: Json) -> bool:
    """Whether the first commit was asked for and is not there, though GitHub counts some."""
    commits = node.get("commits")
    return isinstance(commits, Mapping) and commits.get("nodes") == [] and bool(commits.get("totalCount"))
