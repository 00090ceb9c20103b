"""Source by GraphQL: pages of whole pull requests, and lighter looks at many.

Vouches that what it gives is whole. What to ask for, and when, is sync's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from prpipeline.github import connections, cost, fields, graphql_teams, queries
from prpipeline.github import graphql_objects as objects
from prpipeline.github.auth import AppCredential
from prpipeline.github.client import Client
from prpipeline.github.client_source import ClientSource
from prpipeline.github.graphql_lists import ListQuery
from prpipeline.github.graphql_pull_requests import PullRequestReader
from prpipeline.github.protocol import GraphQLResult
from prpipeline.github.readings import Readings, are_few
from prpipeline.http.attempts import Attempt
from prpipeline.model.answers import (
    Head,
    Hydrated,
    OutlineAnswer,
    OwnedRepository,
    Page,
    Probe,
    ProbeAnswer,
    Repository,
)
from prpipeline.model.failures import ApiFailure, MalformedAnswer, NotFound, TooExpensive
from prpipeline.model.field_sets import FIELD_SET
from prpipeline.model.profiles import Refusal, VerifiedEmails
from prpipeline.model.pull_requests import PullRequest
from prpipeline.model.repository import RepositoryName
from prpipeline.model.teams import OrganizationTeams
from prpipeline.model.usage import Allowance, Cost

_CREATED = {"field": "CREATED_AT", "direction": "ASC"}  # an immutable key: nothing shifts while we page
_UPDATED = {"field": "UPDATED_AT", "direction": "DESC"}
_OUTLINE_ROWS = 74  # with two connections each, as many as one point pays for
_PROBE_ROWS = 2_000  # heads in one probe: small against GitHub's hidden budget per query

Json = Mapping[str, Any]
T = TypeVar("T")


class GraphQLSource(ClientSource):
    """See ``sync.source.Source``."""

    def __init__(self, client: Client, *, reads_bodies: bool = False) -> None:
        super().__init__(client, reads_bodies=reads_bodies)
        self._reader = PullRequestReader(client, reads_bodies=reads_bodies)

    # ── the credential ───────────────────────────────────────────────────────────────────────────────

    def allowance(self, repository: str | None = None) -> Allowance | None:
        return self.client.allowance("graphql", repository)

    def cost(self, pull_requests: int) -> Cost:
        return cost.graphql_history(pull_requests, self.client.caller.settings.page_size)

    def cost_of_rows(self, pull_requests: int) -> Cost:
        return cost.graphql_rows(pull_requests, self.client.caller.settings.page_size)

    def try_credential(self) -> None:
        if not isinstance(self.client.credential, AppCredential):  # an App needs a repository to sign in for
            self.client.graphql("viewer", {})

    def check_queries(self, repository: str | None = None) -> None:
        if repository or not isinstance(self.client.credential, AppCredential):
            # Of no pull request: a server checks the fields all the same.
            nothing = {"ids": [], "teams": True, "sizes": True, "commits": True}
            text = queries.query("hydrate", with_bodies=self.reads_bodies)
            self.client.graphql("hydrate", nothing, repository=repository, text=text)

    @property
    def field_set(self) -> int:
        return FIELD_SET

    # ── repositories ─────────────────────────────────────────────────────────────────────────────────

    def repository(self, name: RepositoryName) -> tuple[Repository, int | None]:
        def read(result: GraphQLResult) -> tuple[Repository, int | None]:
            node = objects.repository_node(result.data, name)
            return objects.repository(node), connections.total(node["pullRequests"])

        result = self.client.graphql(
            "repository", {"owner": name.owner, "name": name.name}, check=read, repository=str(name)
        )
        return read(result)

    def owner_repositories(self, owner: str) -> list[OwnedRepository]:
        def listing(data: Json) -> Any:
            if data.get("repositoryOwner") is None:
                raise NotFound(f"GitHub knows no organisation or user {owner}; check its spelling.")
            return data["repositoryOwner"].get("repositories")

        query = ListQuery("owner", {"login": owner}, listing, objects.owned, lambda r: r.full_name, owner)
        return query.all(self.client).rows

    def teams(self, organization: str) -> OrganizationTeams:
        return graphql_teams.read_teams(self.client, organization)

    def verified_emails(self, organization: str, logins: Sequence[str]) -> VerifiedEmails:
        names = {f"u{number}": login for number, login in enumerate(logins)}

        def read(result: GraphQLResult) -> VerifiedEmails:
            users = [user for name in names if (user := result.data.get(name))]
            found = {
                fields.integer(user, "databaseId"): list(map(str, user["organizationVerifiedDomainEmails"]))
                for user in users
            }
            # Of who has no account any more, or where there is no such organisation, nothing is withheld.
            refused = (error for error in result.errors if not isinstance(error.failure, NotFound))
            refusals = (Refusal(names[str(error.path[0])], str(error.failure)) for error in refused)
            return VerifiedEmails(found, next(refusals, None))

        result = self.client.graphql(
            "verified_emails",
            {"organization": organization, **names},
            missing_nodes=True,
            check=read,
            repository=organization,
            text=queries.verified_emails(len(names)),
        )
        return read(result)

    # ── what changed ─────────────────────────────────────────────────────────────────────────────────

    def probe(self, repositories: Sequence[Repository]) -> ProbeAnswer:
        answers = [self._probe(some) for some in self._by_scope(repositories, lambda r: r.full_name)]
        return ProbeAnswer(
            min(answer.read_at for answer in answers),
            {key: probe for answer in answers for key, probe in answer.probes.items()},
            {key: failure for answer in answers for key, failure in answer.refused.items()},
        )

    def _probe(self, repositories: Sequence[Repository]) -> ProbeAnswer:
        largest = max(10, min(50, _PROBE_ROWS // len(repositories)))
        ids = [repository.node_id for repository in repositories]
        size = largest

        def variables(attempt: Attempt) -> Json:
            nonlocal size
            size = max(1, largest // 2 ** (attempt.number - 1))  # fewer rows may be what helps
            return {"ids": ids, "size": size}

        readings: dict[int, Readings] = {}

        def check(result: GraphQLResult) -> None:
            for known, node in zip(repositories, objects.nodes_of(result.data, len(ids)), strict=True):
                if node is not None and node.get("__typename") == "Repository":
                    objects.repository(node)
                    connection = node.get("pullRequests")
                    connections.check(connection, asked=size - known.missing)
                    heads = list(map(objects.head, connection["nodes"]))
                    listed, total = frozenset(head.node_id for head in heads), connections.total(connection)
                    missing = (total or 0) - len(listed) - known.missing
                    if connections.next_cursor(connection) is None and missing > 0:
                        agree = readings.setdefault(known.repository_id, Readings()).agree(listed, total)
                        if not (agree and are_few(missing, total or 0)):
                            raise TooExpensive(
                                f"GitHub counts {total} pull requests, but gave {len(listed)}."
                            )

        result = self.client.graphql(
            "probe", variables, missing_nodes=True, check=check, repository=repositories[0].full_name
        )
        failures = objects.refusals(result)
        probes: dict[int, Probe] = {}
        refused: dict[int, ApiFailure] = {}
        for index, (known, node) in enumerate(zip(repositories, result.data["nodes"], strict=True)):
            if node is not None and node.get("__typename") == "Repository":
                connection = node["pullRequests"]
                probes[known.repository_id] = Probe(
                    repository=replace(objects.repository(node), missing=known.missing),
                    heads=tuple(map(objects.head, connection["nodes"])),
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
            query = _heads(probe.repository)
            more, total = query.walk(
                self.client, after=probe.cursor, enough=lambda head: head.updated_at < since
            )
            heads += more
            reached_the_end = not more or more[-1].updated_at >= since
            if reached_the_end and len({head.node_id for head in heads}) + query.missing < (total or 0):
                # Some moved to the front meanwhile, or were left out.
                heads = query.all(self.client).rows
        return [head for head in heads if head.updated_at >= since]

    def outline(self, repository: Repository) -> OutlineAnswer:
        query = ListQuery(
            "counts",
            {"id": repository.node_id, "newest": objects.NEWEST},
            objects.pull_requests_of_node,
            objects.outline,
            lambda line: line.node_id,
            repository.full_name,
            rows=_OUTLINE_ROWS,
            missing=repository.missing,
        )
        listed = query.all(self.client)
        return OutlineAnswer(listed.rows, listed.total, listed.read_at)

    # ── whole pull requests ──────────────────────────────────────────────────────────────────────────

    def history(
        self, name: str, *, after: str | None, back: timedelta | None, started_at: datetime | None
    ) -> Iterator[Page]:
        wanted = RepositoryName.parse(name)
        order = _CREATED if back is None else _UPDATED
        seen, read = {after}, set[str]()
        from_the_start = after is None
        while True:
            result = self._reader.history_page(wanted, after, order, seen)
            started_at = started_at or result.read_at
            node = objects.repository_node(result.data, wanted)
            repository, connection = objects.repository(node), node["pullRequests"]
            read |= {str(n["id"]) for n in connection["nodes"]}
            pull_requests = [pr for pr in (self._reader.whole(n, name) for n in connection["nodes"]) if pr]
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
        """What a walk to the list's end did not give: it moved to the front meanwhile, or was left out."""
        heads = _heads(repository).all(self.client).rows
        wanted = [
            (repository, head) for head in heads if head.updated_at >= since and head.node_id not in read
        ]
        return [pr for answer in self.hydrate(wanted) for _, pr in answer.pull_requests]

    def hydrate(self, repository_heads: Sequence[tuple[Repository, Head]]) -> Iterator[Hydrated]:
        for some in self._by_scope(repository_heads, lambda pair: pair[0].full_name):
            left = list(some)
            while left:
                ids = [head.node_id for _, head in left]
                nodes, read_at, requests = self._reader.hydrate(ids[: self._largest], left[0][0].full_name)
                whole: list[tuple[int, PullRequest]] = []
                missing: list[tuple[Repository, Head]] = []
                for (repository, head), node in zip(left, nodes, strict=False):
                    pull_request = node and self._reader.whole(node, repository.full_name, head, requests)
                    if node and pull_request:
                        whole.append((fields.integer(node["repository"], "databaseId"), pull_request))
                    else:
                        missing.append((repository, head))
                self._check_visible([repository for repository, _ in missing])
                yield Hydrated(read_at, tuple(whole), tuple(head for _, head in missing))
                del left[: len(nodes)]

    def _check_visible(self, repositories: Sequence[Repository]) -> None:
        """A pull request that is not shown is gone only if its repository still is shown."""
        wanted = list({repository.repository_id: repository for repository in repositories}.values())
        if wanted:
            for failure in self.probe(wanted).refused.values():
                raise failure

    @property
    def _largest(self) -> int:
        return self.client.caller.settings.page_size

    def _by_scope(self, items: Sequence[T], name: Callable[[T], str]) -> list[list[T]]:
        """Items that may share a request: the installations of a GitHub App have each a token of their own."""
        groups: dict[str, list[T]] = {}
        for item in items:
            groups.setdefault(self.client.credential.scope(name(item)), []).append(item)
        return list(groups.values())


def _heads(repository: Repository) -> ListQuery[Head]:
    """All heads of a repository, newest update first."""
    return ListQuery(
        "changed",
        {"id": repository.node_id},
        objects.pull_requests_of_node,
        objects.head,
        lambda head: head.node_id,
        repository.full_name,
        missing=repository.missing,
    )
