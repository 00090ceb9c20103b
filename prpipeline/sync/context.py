"""What history, increment and reconciliation share: the source, the warehouse, progress, costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from prpipeline.model.answers import Head, Hydrated, Repository
from prpipeline.model.failures import MalformedAnswer, PermanentFailure
from prpipeline.model.pull_requests import PullRequest
from prpipeline.model.repository import RepositoryName
from prpipeline.model.sql import Connection
from prpipeline.model.usage import Usage
from prpipeline.settings import SyncSettings
from prpipeline.sync.gathering import Gathered, gathered
from prpipeline.sync.source import Source
from prpipeline.warehouse import Warehouse, records, shortfalls, tracking
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.records import Written
from prpipeline.warehouse.tracking import Tracked

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a history has come, in pull requests."""

    repository: str
    pull_requests: int
    total: int | None  # None where GitHub cannot say, as with days_back


def still_tracked(connection: Connection, tracked: Tracked) -> Tracked:
    """The row as it is now. Raises PermanentFailure if the repository was untracked meanwhile."""
    now = tracking.get(connection, [tracked.tracked_as]).get(tracked.tracked_as)
    if now is None or now.tracked_at != tracked.tracked_at:
        raise untracked(tracked.tracked_as)
    return now


def untracked(name: str) -> PermanentFailure:
    return PermanentFailure(f"{name} was untracked while it was being synced; its sync is over.")


def not_shown(count: int) -> MalformedAnswer:
    return MalformedAnswer(f"GitHub lists pull requests that it does not show ({count}); run it again later.")


def check_plausible(connection: Connection, pull_requests: Sequence[PullRequest]) -> None:
    """Raise MalformedAnswer where most of an answer's pull requests come to lack reviews: that is no fault of theirs."""
    short = [pr for pr in pull_requests if pr.reviews_counted is not None]
    known = shortfalls.known(connection, [pr.pull_request_id for pr in short])
    now = [pr for pr in short if known.get(pr.pull_request_id) != (pr.reviews_counted, len(pr.reviews or ()))]
    reviewed = sum(1 for pr in pull_requests if pr.reviews or pr.reviews_counted)
    if len(now) > 2 and 2 * len(now) > reviewed:
        raise MalformedAnswer(
            f"GitHub counts more reviews than it gives for {len(now)} of {reviewed} pull requests; run it again later."
        )


@dataclass
class Context:
    """One worker's. ``written`` is by repository_id, ``spent`` by tracked name."""

    source: Source
    warehouse: Warehouse
    settings: SyncSettings
    report: Callable[[Progress], None] = lambda progress: None
    written: dict[int, Written] = field(default_factory=dict)
    spent: dict[str, Usage] = field(default_factory=dict)

    @property
    def overlap(self) -> timedelta:
        return timedelta(minutes=self.settings.overlap_minutes)

    @staticmethod
    def name(tracked: Tracked) -> RepositoryName:
        return RepositoryName.parse(tracked.tracked_as)

    @contextmanager
    def charged_to(self, tracked_as: str) -> Iterator[None]:
        """Count what is asked in the block as this repository's.

        A request for several repositories is counted once, with the first of them.
        """
        before = self.source.usage.copy()
        try:
            yield
        finally:
            spent = self.source.usage.since(before)
            self.spent[tracked_as] = self.spent.get(tracked_as, Usage()).plus(spent)

    def gathered(
        self, write: Callable[[Sequence[T]], None], rows: Callable[[T], int]
    ) -> AbstractContextManager[Gathered[T]]:
        """Answers of the source that are written as many at once as the store wants, see ``gathering``."""
        return gathered(self.source, self.warehouse.store.batch_rows, write, rows)

    def hydrate(self, repository_heads: Sequence[tuple[Repository, Head]]) -> list[Head]:
        """Read these pull requests whole, each answer written in one transaction; returns those that are gone."""
        missing: list[Head] = []
        names = {repository.repository_id: repository.full_name for repository, _ in repository_heads}

        def write(answers: Sequence[Hydrated]) -> None:
            own = [
                ([pair for pair in answer.pull_requests if pair[0] in names], answer.read_at)
                for answer in answers
            ]
            with self.warehouse.transaction() as connection:
                for answer in answers:
                    check_plausible(connection, [pull_request for _, pull_request in answer.pull_requests])
                found = {repository_id for pairs, _ in own for repository_id, _ in pairs}
                owners = tracking.with_ids(connection, sorted(found))
                for repository_id in found - {tracked.repository_id for tracked in owners}:
                    raise untracked(names[repository_id])
                written = records.write_answers(connection, own)
                if owners:
                    keys = [tracked.tracked_as for tracked in owners]
                    tracking.update_many(connection, keys, changed_at=utc_now())
            for repository_id, each in written.items():
                self.add(repository_id, each)

        with self.gathered(write, lambda answer: len(answer.pull_requests)) as answers:
            for answer in self.source.hydrate(repository_heads):
                answers.add(answer)
                missing += answer.missing
        return missing

    def hydrate_listed(self, repository_heads: Sequence[tuple[Repository, Head]]) -> None:
        """``hydrate`` for what GitHub lists. Raises MalformedAnswer where it does not show all of them."""
        if missing := self.hydrate(repository_heads):
            raise not_shown(len(missing))

    def add(self, repository_id: int, written: Written) -> None:
        self.written[repository_id] = self.written.get(repository_id, Written()) + written
