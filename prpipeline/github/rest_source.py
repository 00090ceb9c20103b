"""Source by REST, where there is no token or no GraphQL: the same records in more requests.

What can shift is read oldest first, or newest first where everything that moves comes to the front and is in the
next probe; counts and second looks find the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from prpipeline.github import cost, rest_teams
from prpipeline.github import rest_objects as objects
from prpipeline.github.client import Client
from prpipeline.github.client_source import ClientSource
from prpipeline.github.etags import Etags, MemoryEtags, RememberedProbes
from prpipeline.github.protocol import SERVICE, LimitsOff
from prpipeline.github.readings import Readings, are_few
from prpipeline.github.rest_lists import LARGEST_PAGE, Listing, Parameters, RestLists
from prpipeline.github.rest_pull_requests import RestPullRequests
from prpipeline.http.answer import Answer, reading
from prpipeline.http.attempts import Attempts, Unsettled
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
from prpipeline.model.failures import (
    AccessDenied,
    ApiFailure,
    CursorRejected,
    MalformedAnswer,
    NotFound,
    RequestRejected,
)
from prpipeline.model.field_sets import FIELD_SET, WITHOUT_FIRST_COMMIT
from prpipeline.model.pull_requests import PullRequest
from prpipeline.model.repository import RepositoryName
from prpipeline.model.teams import OrganizationTeams
from prpipeline.model.usage import Allowance, Cost

_CREATED: Parameters = {"state": "all", "sort": "created", "direction": "asc"}
_UPDATED: Parameters = {"state": "all", "sort": "updated", "direction": "desc"}
_NEWEST: Parameters = {**_UPDATED, "per_page": LARGEST_PAGE}
_OUT_OF_ORDER = 10  # GitHub's lists by update time are not sorted to the last row

T = TypeVar("T")


class RestSource(ClientSource):
    """See ``sync.source.Source``. With ``etags`` that outlive the process, repositories without changes are free."""

    def __init__(self, client: Client, etags: Etags | None = None, *, reads_bodies: bool = False) -> None:
        super().__init__(client, reads_bodies=reads_bodies)
        self._lists = RestLists(client)
        self._pull_requests = RestPullRequests(client, self._lists, reads_bodies=reads_bodies)
        self._probes = RememberedProbes(MemoryEtags() if etags is None else etags, self.address)
        self._moved: dict[int, Repository] = {}  # those that have another name now than the one given

    # ── the credential ───────────────────────────────────────────────────────────────────────────────

    def allowance(self, repository: str | None = None) -> Allowance | None:
        return self.client.allowance("core", repository)

    def cost(self, pull_requests: int) -> Cost:
        settings = self.client.caller.settings
        return cost.rest_history(
            pull_requests, settings.page_size, first_commits=settings.first_commit_by_rest
        )

    def cost_of_rows(self, pull_requests: int) -> Cost:
        return cost.rest_rows(pull_requests, first_commits=self._pull_requests.reads_first_commits)

    def try_credential(self) -> None:
        with suppress(LimitsOff):  # the server looked at the credential before it said so
            self.client.get("/rate_limit", read=objects.body_of)

    @property
    def field_set(self) -> int:
        return FIELD_SET if self._pull_requests.reads_first_commits else WITHOUT_FIRST_COMMIT

    # ── repositories ─────────────────────────────────────────────────────────────────────────────────

    def repository(self, name: RepositoryName) -> tuple[Repository, int | None]:
        repository, _ = self._repository(f"/repos/{name}", str(name))
        return repository, self._count(repository)

    def owner_repositories(self, owner: str) -> list[OwnedRepository]:
        try:
            kind = self._get(f"/users/{owner}", lambda answer: objects.body_of(answer)["type"], owner)
        except NotFound:
            raise NotFound(f"GitHub knows no organisation or user {owner}; check its spelling.") from None
        path = f"/orgs/{owner}/repos" if kind == "Organization" else f"/users/{owner}/repos"
        found = self._lists.items(path, {"sort": "created", "direction": "asc"}, owner, objects.owned)
        return list(map(objects.owned, found))

    def teams(self, organization: str) -> OrganizationTeams:
        if self.is_anonymous:
            raise AccessDenied("Teams are shown to tokens only; set GITHUB_TOKEN.")
        return rest_teams.read_teams(self.client, organization)

    def _repository(self, path: str, name: str) -> tuple[Repository, datetime]:
        def read(answer: Answer) -> tuple[Repository, datetime]:
            return objects.repository(objects.body_of(answer)), answer.read_at

        return self._get(path, read, name)

    def _count(self, repository: Repository, attempts: Attempts | None = None) -> int | None:
        """How many pull requests there are: the number of pages, at one a page."""
        one: Parameters = {"state": "all", "per_page": 1}
        listing = self._lists.page(_pulls(repository), one, repository.full_name, attempts=attempts)
        return listing.last if listing.next else len(listing.items)

    # ── what changed ─────────────────────────────────────────────────────────────────────────────────

    def probe(self, repositories: Sequence[Repository]) -> ProbeAnswer:
        probes: dict[int, Probe] = {}
        refused: dict[int, ApiFailure] = {}
        started: list[datetime] = []
        for repository in repositories:
            try:
                probe, read_at = self._probe(self._now(repository))
            except (NotFound, AccessDenied, RequestRejected, MalformedAnswer) as failure:
                refused[repository.repository_id] = failure
            else:
                probes[repository.repository_id] = probe
                started.append(read_at)
        return ProbeAnswer(min(started, default=datetime.min), probes, refused)

    def _probe(self, repository: Repository) -> tuple[Probe, datetime]:
        etag, known = self._probes.get(repository.repository_id)
        listing = self._lists.page(
            _pulls(repository),
            _NEWEST,
            repository.full_name,
            etag=etag,
            check=objects.head,
        )
        if known and listing.is_unchanged:
            return replace(known, cursor=_more(known.heads, listing)), listing.read_at
        if listing.items:
            with reading(SERVICE):
                found = objects.base_repository(listing.items[0]) or repository
        else:
            found, _ = self._repository(f"/repos/{repository.full_name}", repository.full_name)
        if found.repository_id != repository.repository_id:
            # The name was given to another repository since; the number finds ours, where it is now.
            found, _ = self._repository(f"/repositories/{repository.repository_id}", repository.full_name)
            if found.full_name == repository.full_name:
                raise MalformedAnswer(f"GitHub says two things about what {found.full_name} is.")
            self._moved[repository.repository_id] = found
            return self._probe(found)
        heads = tuple(map(objects.head, listing.items))
        self._probes.saw(repository.repository_id, (head.updated_at for head in heads))
        total = self._count(found) if listing.next else len(heads)
        probe = Probe(found, heads, total, _more(heads, listing))
        if listing.etag:
            self._probes.put(repository.repository_id, listing.etag, probe)
        return probe, listing.read_at

    def _now(self, repository: Repository) -> Repository:
        """The repository under its present name."""
        return self._moved.get(repository.repository_id, repository)

    def changed(self, probe: Probe, since: datetime) -> list[Head]:
        heads = list(probe.heads)
        page = heads
        number = int(probe.cursor) if probe.cursor else None
        while number and _goes_on(page, since):
            listing = self._lists.page(
                _pulls(probe.repository),
                _NEWEST,
                probe.repository.full_name,
                number,
                check=objects.head,
            )
            page = list(map(objects.head, listing.items))
            heads += page
            number = number + 1 if listing.next else None
        self._probes.saw(probe.repository.repository_id, (head.updated_at for head in heads))
        # One that moved to the next page while we read is there twice.
        newest = {head.node_id: head for head in sorted(heads, key=lambda head: head.updated_at)}
        return [head for head in newest.values() if head.updated_at >= since]

    def outline(self, repository: Repository) -> OutlineAnswer:
        now = self._now(repository)
        read_at = self.client.caller.asked_at()
        readings = Readings()

        def read(attempts: Attempts) -> OutlineAnswer:
            listed = self._lists.checked_items(
                _pulls(now), _CREATED, now.full_name, objects.outline, attempts
            )
            lines = {line.node_id: line for line in map(objects.outline, listed)}
            total = self._count(now, attempts)
            missing = (total or 0) - repository.missing - len(lines)
            is_believed = readings.agree(frozenset(lines), total) and are_few(missing, total or 0)
            if missing > 0 and not is_believed:
                raise Unsettled(
                    f"GitHub counts {total} pull requests in {now.full_name} but lists {len(lines)}."
                )
            return OutlineAnswer(list(lines.values()), total, read_at)

        answer = self.client.caller.settled(read, self._lists.attempts())
        self._probes.saw(now.repository_id, (line.updated_at for line in answer.lines))
        return answer

    # ── whole pull requests ──────────────────────────────────────────────────────────────────────────

    def history(
        self, name: str, *, after: str | None, back: timedelta | None, started_at: datetime | None
    ) -> Iterator[Page]:
        repository, read_at = self._repository(f"/repos/{name}", name)
        attempts = self._lists.attempts()  # each page is read twice
        total = self._count(repository, attempts)
        started_at = started_at or read_at
        size, number, last = _position(after) if after else (self._page_size, 1, 0)
        query: Parameters = {**(_CREATED if back is None else _UPDATED), "per_page": size}
        before: Listing | None = None
        seen: set[int] = set()

        def page(number: int, etag: str | None = None) -> Listing:
            return self._lists.page(
                _pulls(repository),
                query,
                repository.full_name,
                number,
                etag=etag,
                check=objects.numbered,
                attempts=attempts,
            )

        while True:
            listing = page(number)
            heads = list(map(objects.numbered, listing.items))
            is_last = not listing.next
            if back is not None:
                is_last = is_last or not _goes_on([head for _, head in heads], started_at - back)
            elif is_last:
                total = self._count(repository, attempts)
            if number > 1:
                # Where a row was deleted, others slid to the page that was read already.
                again = page(number - 1, before.etag if before else None)
                slid = [pair for pair in map(objects.numbered, again.items) if pair[0] not in seen]
                heads = [pair for pair in slid if back is not None or pair[0] > last] + heads
            seen |= {n for n, _ in heads}
            last = max(last, *seen, 0)
            wanted = [head for _, head in heads if back is None or head.updated_at >= started_at - back]
            found = [self._whole(repository, head) for head in wanted]
            before, number = listing, number + 1
            yield Page(
                repository=repository,
                pull_requests=tuple(pr for pr in found if pr),
                read_at=listing.read_at,
                total=total,
                cursor=None if is_last else f"page:{size}:{number}:{last}",
            )
            if is_last:
                return

    @property
    def _page_size(self) -> int:
        return min(self.client.caller.settings.page_size, cost.REST_PAGE)

    def hydrate(self, repository_heads: Sequence[tuple[Repository, Head]]) -> Iterator[Hydrated]:
        for start in range(0, len(repository_heads), cost.REST_PAGE):
            read_at = self.client.caller.asked_at()
            whole: list[tuple[int, PullRequest]] = []
            missing: list[Head] = []
            for repository, head in repository_heads[start : start + cost.REST_PAGE]:
                if pull_request := self._whole(repository, head):
                    whole.append((repository.repository_id, pull_request))
                else:
                    missing.append(head)
            yield Hydrated(read_at, tuple(whole), tuple(missing))

    def _whole(self, repository: Repository, head: Head) -> PullRequest | None:
        found = self._pull_requests.read(self._now(repository), head)
        if found:
            self._probes.saw(repository.repository_id, [found.updated_at])
        return found

    def _get(self, path: str, read: Callable[[Answer], T], name: str) -> T:
        return self.client.get(path, read=read, repository=name)


def _pulls(repository: Repository) -> str:
    return f"/repos/{repository.full_name}/pulls"


def _more(heads: Sequence[Head], listing: Listing) -> str | None:
    """Where the heads go on. A 304 stands for the rows of its page, not for there being no further page."""
    return "2" if listing.next or (listing.is_unchanged and len(heads) >= LARGEST_PAGE) else None


def _goes_on(page: Sequence[Head], since: datetime) -> bool:
    """Whether the next page may hold something updated since."""
    return any(head.updated_at >= since for head in page[-_OUT_OF_ORDER:])


def _position(cursor: str) -> tuple[int, int, int]:
    """Rows a page, the page, and the highest number of a pull request before it."""
    match = re.fullmatch(r"page:([1-9][0-9]{0,2}):([1-9][0-9]{0,8}):([0-9]{1,9})", cursor)
    if match is None:
        raise CursorRejected("The history was begun by GraphQL; it starts over by REST.")
    return int(match[1]), int(match[2]), int(match[3])
