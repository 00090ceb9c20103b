"""Pages of records by REST, where there is no token or no GraphQL: the same records as ``extract``, in more requests.

REST pages by number, so a list shifts while it is read. What can shift is read oldest first, or newest first
where whatever moves comes to the front and is met by the next probe; counts and second looks find the rest.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from prpipeline.github import mapping, protocol
from prpipeline.github.client import Client
from prpipeline.github.etags import Etags, MemoryEtags
from prpipeline.github.protocol import Answer
from prpipeline.github.seen import Seen, SeenPullRequest, load
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
    AccessDenied,
    ApiFailure,
    CursorRejected,
    MalformedAnswer,
    NotFound,
    RequestRejected,
)
from prpipeline.model.pull_requests import PullRequest
from prpipeline.model.repository import RepositoryName

_LARGEST_PAGE = 100
# Three requests each: what a killed sync has to read again, and less than an hour of the anonymous allowance.
HYDRATED_AT_ONCE = 10
_CREATED = {"state": "all", "sort": "created", "direction": "asc"}
_UPDATED = {"state": "all", "sort": "updated", "direction": "desc"}
_OUT_OF_ORDER = 10  # GitHub's lists by update time are not sorted to the last row

Json = Mapping[str, Any]
Parameters = Mapping[str, str | int]
T = TypeVar("T")
_Check = Callable[[Json], object]


@dataclass(frozen=True, slots=True)
class _Listing:
    """A page of a REST list."""

    items: list[Json]
    next: str | None
    last: int | None
    etag: str | None
    read_at: datetime
    is_unchanged: bool = False  # a 304


class _Unsettled(MalformedAnswer):
    """A list that did not hold still while it was read; all of it has to be read again."""


def _key(item: Json) -> str | int:
    """What tells the items of a list apart."""
    for name in ("node_id", "id", "sha"):
        if isinstance(found := item.get(name), (str, int)) and found:
            return found
    return json.dumps(item, sort_keys=True)


class RestSource:
    """Source by REST. ``etags`` may outlive the process: what did not change since is free, of the limit at least."""

    def __init__(self, client: Client, etags: Etags | None = None) -> None:
        self.client = client
        self._etags: Etags = MemoryEtags() if etags is None else etags
        self._moved: dict[int, Repository] = {}  # those that have another name now than the one given

    # ── repositories ─────────────────────────────────────────────────────────────────────────────────

    def repository(self, name: RepositoryName) -> tuple[Repository, int | None]:
        repository, _ = self._repository(f"/repos/{name}", str(name))
        return repository, self._count(repository)

    def owner_repositories(self, owner: str) -> list[OwnedRepository]:
        try:
            kind = self._get(f"/users/{owner}", _object, owner)["type"]
        except NotFound:
            raise NotFound(f"GitHub knows no organisation or user {owner}; check its spelling.") from None
        path = f"/orgs/{owner}/repos" if kind == "Organization" else f"/users/{owner}/repos"
        found = self.items(path, {"sort": "created", "direction": "asc"}, owner, check=_owned)
        return list(map(_owned, found))

    def _repository(self, path: str, name: str) -> tuple[Repository, datetime]:
        def read(answer: Answer) -> tuple[Repository, datetime]:
            return _repository(_object(answer)), answer.read_at

        return self._get(path, read, name)

    def _count(self, repository: Repository) -> int | None:
        """How many pull requests there are: the number of pages, at one a page."""
        listing = self._page(_pulls(repository), {"state": "all", "per_page": 1}, repository.full_name)
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
        read_at = min(started, default=datetime.min)
        return ProbeAnswer(read_at, probes, refused)

    def _probe(self, repository: Repository) -> tuple[Probe, datetime]:
        key = f"{self.client.github.api_url}/repositories/{repository.repository_id}/pulls?newest"
        known = self._etags.get(key)
        found = repository
        listing = self._page(
            _pulls(repository),
            {**_UPDATED, "per_page": _LARGEST_PAGE},
            repository.full_name,
            known and known[0],
            check=_head,
        )
        if known and listing.is_unchanged:
            kept = json.loads(known[1])
            heads = tuple(Head(i, mapping.time(at), number) for i, at, number in kept["heads"])
            probe = Probe(Repository(*kept["repository"]), heads, kept["total"], _more(heads, listing))
            return probe, listing.read_at
        if listing.items:
            found = self._same(repository, listing.items[0])
        else:
            found, _ = self._repository(f"/repos/{repository.full_name}", repository.full_name)
        if found.repository_id != repository.repository_id:
            # The name was given to another repository since; the number finds ours, where it is now.
            found, _ = self._repository(f"/repositories/{repository.repository_id}", repository.full_name)
            if found.full_name == repository.full_name:
                raise MalformedAnswer(f"GitHub says two things about what {found.full_name} is.")
            self._moved[repository.repository_id] = found
            return self._probe(found)
        heads = tuple(map(_head, listing.items))
        total = self._count(found) if listing.next else len(heads)
        if listing.etag:
            kept = {
                "repository": [found.repository_id, found.node_id, found.full_name],
                "heads": [[head.node_id, head.updated_at.isoformat(), head.number] for head in heads],
                "total": total,
            }
            self._etags.put(key, listing.etag, json.dumps(kept))
        return Probe(found, heads, total, _more(heads, listing)), listing.read_at

    def _now(self, repository: Repository) -> Repository:
        """The repository under its present name."""
        return self._moved.get(repository.repository_id, repository)

    def changed(self, probe: Probe, since: datetime) -> list[Head]:
        heads = list(probe.heads)
        page = heads
        number = probe.cursor
        while number and _goes_on(page, since):
            listing = self._page(
                _pulls(probe.repository),
                {**_UPDATED, "per_page": _LARGEST_PAGE, "page": number},
                probe.repository.full_name,
                check=_head,
            )
            page = list(map(_head, listing.items))
            heads += page
            number = str(int(number) + 1) if listing.next else None
        newest: dict[str, Head] = {}
        for head in heads:  # what slid to the next page while we read is there twice
            if head.node_id not in newest or head.updated_at > newest[head.node_id].updated_at:
                newest[head.node_id] = head
        return [head for head in newest.values() if head.updated_at >= since]

    def outline(self, repository: Repository) -> tuple[list[Outline], int | None]:
        repository = self._now(repository)

        def read() -> tuple[list[Outline], int | None]:
            listed = self.settled_items(_pulls(repository), _CREATED, repository.full_name, check=_outline)
            lines = {line.node_id: line for line in map(_outline, listed)}
            total = self._count(repository)
            if total is not None and len(lines) < total:
                raise _Unsettled(
                    f"GitHub counts {total} pull requests in {repository.full_name} but lists {len(lines)}."
                )
            return list(lines.values()), total

        return self._until_settled(read)

    # ── whole pull requests ──────────────────────────────────────────────────────────────────────────

    def history(
        self, name: str, *, after: str | None, back: timedelta | None, started_at: datetime | None
    ) -> Iterator[Page]:
        repository, read_at = self._repository(f"/repos/{name}", name)
        total = self._count(repository)
        started_at = started_at or read_at
        order = _CREATED if back is None else _UPDATED
        size, number, last = (
            _position(after) if after else (min(self.client.sync.page_size, HYDRATED_AT_ONCE), 1, 0)
        )
        before: _Listing | None = None
        seen: set[int] = set()
        while True:
            where: Parameters = {**order, "per_page": size}
            listing = self._page(
                _pulls(repository), {**where, "page": number}, repository.full_name, check=_numbered
            )
            heads = list(map(_numbered, listing.items))
            is_last = not listing.next
            if back is not None:
                is_last = is_last or not _goes_on([head for _, head in heads], started_at - back)
            elif is_last:
                total = self._count(repository)
            if number > 1:
                # Where a row was deleted, others slid to the page that was read already.
                again = self._page(
                    _pulls(repository),
                    {**where, "page": number - 1},
                    repository.full_name,
                    before.etag if before else None,
                    check=_numbered,
                )
                slid = [pair for pair in map(_numbered, again.items) if pair[0] not in seen]
                heads = [pair for pair in slid if back is not None or pair[0] > last] + heads
            seen |= {n for n, _ in heads}
            last = max(last, *seen, 0)
            wanted = [head for _, head in heads if back is None or head.updated_at >= started_at - back]
            found = [self._whole(repository, head, afresh=True) for head in wanted]
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

    def hydrate(self, repository_heads: Sequence[tuple[Repository, Head]]) -> Iterator[Hydrated]:
        for start in range(0, len(repository_heads), HYDRATED_AT_ONCE):
            whole: list[tuple[int, PullRequest]] = []
            missing: list[Head] = []
            read_at: datetime | None = None
            for repository, head in repository_heads[start : start + HYDRATED_AT_ONCE]:
                asked_at = self.client.asked_at()
                read_at = read_at or asked_at
                pull_request = self._whole(repository, head)
                if pull_request:
                    whole.append((repository.repository_id, pull_request))
                else:
                    missing.append(head)
            assert read_at is not None
            yield Hydrated(read_at, tuple(whole), tuple(missing))

    def _whole(self, repository: Repository, head: Head, *, afresh: bool = False) -> PullRequest | None:
        """A pull request with its reviews and events; None if GitHub shows its repository, but not it.

        The pull request is read first: what happens to it meanwhile makes its children newer than itself, and
        the next probe sees that. Its ETag says nothing about its children's, so each is asked. ``afresh``: take
        no 304 for an answer.
        """
        if head.number is None:
            raise RequestRejected("REST knows pull requests by number only.")
        repository = self._now(repository)
        name, path = repository.full_name, f"/repos/{repository.full_name}"
        key = f"{self.client.github.api_url}/repositories/{repository.repository_id}/pulls/{head.number}"
        known = None if afresh else self._seen(key)

        def read(answer: Answer) -> tuple[Seen[PullRequest], Repository, datetime]:
            if known and answer.status == 304:
                return known.body, repository, answer.read_at
            body = _object(answer)
            seen = Seen(answer.headers.get("etag"), mapping.pull_request_from_rest(body))
            return seen, self._same(repository, body), answer.read_at

        try:
            body, found, read_at = self.client.get(
                f"{path}/pulls/{head.number}",
                read=read,
                etag=known.body.etag if known else None,
                repository=name,
            )
            reviews = self._children(
                f"{path}/pulls/{head.number}/reviews",
                name,
                mapping.review_from_rest,
                known.reviews if known else (),
            )
            events = self._children(
                f"{path}/issues/{head.number}/timeline",
                name,
                mapping.event_from_rest,
                known.events if known else (),
            )
        except NotFound:
            found, _ = self._repository(path, name)  # or this, too, is not shown to us
            if found.repository_id != repository.repository_id:
                raise NotFound(f"{name} is another repository now.") from None
            self._etags.forget(key)
            return None
        if found.repository_id != repository.repository_id:
            raise NotFound(f"{name} is another repository now.")
        pull_request = body.content.with_children(
            tuple({r.review_id: r for page in reviews for r in page.content}.values()),
            tuple({e.event_id: e for page in events for e in page.content}.values()),
        )
        owner = self.client.credential.etag_owner
        seen = SeenPullRequest(owner, body, reviews, events) if owner else None
        self._remember(key, pull_request, seen, read_at)
        return pull_request

    def _children(
        self,
        path: str,
        name: str,
        read: Callable[[Json], T | None],
        known: Sequence[Seen[tuple[T, ...]]],
    ) -> tuple[Seen[tuple[T, ...]], ...]:
        """The pages of a list; ``known`` are those of an earlier reading, which may still hold."""
        pages = self._settled_pages(path, {"per_page": _LARGEST_PAGE}, name, known, read)

        def seen(index: int, page: _Listing) -> Seen[tuple[T, ...]]:
            if page.is_unchanged:
                return known[index]
            kept = tuple(record for record in map(read, page.items) if record)
            return Seen(page.etag, kept, page.next is not None or len(page.items) >= _LARGEST_PAGE)

        return tuple(seen(index, page) for index, page in enumerate(pages))

    def _seen(self, key: str) -> SeenPullRequest | None:
        """What is remembered of a pull request, as this credential sees it."""
        owner, kept = self.client.credential.etag_owner, self._etags.get(key)
        return load(kept[1], owner) if owner and kept else None

    def _remember(
        self, key: str, pull_request: PullRequest, seen: SeenPullRequest | None, read_at: datetime
    ) -> None:
        """Keep what reconciling asks for again and again: open pull requests.

        Not what was read in the very second of a change: GitHub's times have whole seconds, and so may have what
        it makes ETags of.
        """
        changes = [pull_request.updated_at]
        changes += [review.submitted_at for review in pull_request.reviews or ()]
        changes += [event.created_at for event in pull_request.events or ()]
        if seen is None or seen.body.etag is None or pull_request.state != "open" or max(changes) >= read_at:
            self._etags.forget(key)
        elif seen != self._seen(key):
            self._etags.put(key, seen.body.etag, seen.dump())

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────

    def items(self, path: str, parameters: Parameters, name: str, check: _Check = _key) -> list[Json]:
        """All items of a list; what slid to the next page while we read is there twice.

        ``check`` raises where an item cannot be true; its page is then asked for again.
        """
        pages = self._pages(path, {"per_page": _LARGEST_PAGE, **parameters}, name, check=check)
        return [item for page in pages for item in page.items]

    def settled_items(self, path: str, parameters: Parameters, name: str, check: _Check = _key) -> list[Json]:
        """All items of a list that may shrink, read again where it did while we turned the pages."""
        pages = self._settled_pages(path, {"per_page": _LARGEST_PAGE, **parameters}, name, check=check)
        return [item for page in pages for item in page.items]

    def _settled_pages(
        self,
        path: str,
        parameters: Parameters,
        name: str,
        known: Sequence[Seen[Any]] = (),
        check: _Check = _key,
    ) -> list[_Listing]:
        """The pages of a list that may shrink; one that is still as ``known`` has no items, but is unchanged."""

        def read() -> list[_Listing]:
            nonlocal known
            believed, known = known, ()  # where that does not settle, all is read afresh
            pages = list(self._pages(path, parameters, name, believed, check))
            for number, page in enumerate(pages[:-1], 1):
                again = self._page(path, {**parameters, "page": number}, name, page.etag)
                if not again.is_unchanged and [*map(_key, again.items)] != [*map(_key, page.items)]:
                    raise _Unsettled(f"{path} changed while it was read.")
            return pages

        return self._until_settled(read)

    def _pages(
        self,
        path: str,
        parameters: Parameters,
        name: str,
        known: Sequence[Seen[Any]] = (),
        check: _Check = _key,
    ) -> Iterator[_Listing]:
        seen: set[object] = set()
        address, query = path, parameters
        for number in itertools.count(1):
            before = known[number - 1] if number <= len(known) else None
            listing = self._page(address, query, name, before.etag if before else None, check)
            new = {_key(item) for item in listing.items} - seen
            if number > 1 and listing.next and not (new or listing.is_unchanged):
                raise _Unsettled("GitHub's list goes on without bringing anything new.")
            seen |= new
            yield listing
            if listing.next:
                address, query = listing.next, {}
            elif listing.is_unchanged and before and before.may_go_on:
                # A 304 need not carry the Link, and a full page stays as it is when it gets a next one.
                address, query = path, {**parameters, "page": number + 1}
            else:
                return

    def _page(
        self, path: str, parameters: Parameters, name: str, etag: str | None = None, check: _Check = _key
    ) -> _Listing:
        def read(answer: Answer) -> _Listing:
            if answer.status == 304:
                following = protocol.next_page(answer)
                return _Listing([], following, None, etag, answer.read_at, is_unchanged=True)
            items = answer.json()
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise MalformedAnswer("GitHub's answer is not the list that was asked for.")
            for item in items:
                check(item)
            return _Listing(
                items,
                protocol.next_page(answer),
                protocol.last_page(answer),
                answer.headers.get("etag"),
                answer.read_at,
            )

        return self.client.get(path, parameters, read=read, etag=etag, repository=name)

    def _get(self, path: str, read: Callable[[Answer], T], name: str) -> T:
        return self.client.get(path, read=read, repository=name)

    def _until_settled(self, read: Callable[[], T]) -> T:
        attempt = 0
        while True:
            try:
                return read()
            except _Unsettled as trouble:
                attempt += 1
                if attempt >= self.client.patience(trouble):
                    raise MalformedAnswer(str(trouble)) from None
                self.client.back_off(attempt, str(trouble))

    @staticmethod
    def _same(repository: Repository, pull_request: Json) -> Repository:
        """The repository that a pull request says it belongs to."""
        with protocol.as_promised():
            return (
                _repository(pull_request["base"]["repo"]) if pull_request["base"].get("repo") else repository
            )


# ── reading objects ──────────────────────────────────────────────────────────────────────────────────


def _pulls(repository: Repository) -> str:
    return f"/repos/{repository.full_name}/pulls"


def _object(answer: Answer) -> Json:
    body = answer.json()
    if not isinstance(body, dict):
        raise MalformedAnswer("GitHub's answer is not the object that was asked for.")
    return body


def _repository(body: Json) -> Repository:
    return Repository(
        mapping.integer(body, "id"), mapping.string(body, "node_id"), mapping.full_name(body, "full_name")
    )


def _owned(body: Json) -> OwnedRepository:
    return OwnedRepository(
        mapping.full_name(body, "full_name"), bool(body.get("archived")), bool(body.get("fork"))
    )


def _head(body: Json) -> Head:
    return Head(
        mapping.string(body, "node_id"), mapping.time(body["updated_at"]), mapping.integer(body, "number")
    )


def _numbered(body: Json) -> tuple[int, Head]:
    return mapping.integer(body, "number"), _head(body)


def _outline(body: Json) -> Outline:
    head = _head(body)
    return Outline(head.node_id, mapping.integer(body, "id"), head.updated_at, None, head.number)


def _more(heads: Sequence[Head], listing: _Listing) -> str | None:
    """Where the heads go on. A 304 stands for the rows of its page, not for there being no further page."""
    return "2" if listing.next or (listing.is_unchanged and len(heads) >= _LARGEST_PAGE) else None


def _goes_on(page: Sequence[Head], since: datetime) -> bool:
    """Whether the next page may hold something updated since."""
    return any(head.updated_at >= since for head in page[-_OUT_OF_ORDER:])


def _position(cursor: str) -> tuple[int, int, int]:
    """Rows a page, the page, and the highest number of a pull request before it."""
    match = re.fullmatch(r"page:([1-9][0-9]{0,2}):([1-9][0-9]{0,8}):([0-9]{1,9})", cursor)
    if match is None:
        raise CursorRejected("The history was begun by GraphQL; it starts over by REST.")
    return int(match[1]), int(match[2]), int(match[3])
