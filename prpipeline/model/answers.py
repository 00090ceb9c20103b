"""The answers of a source: pages of complete pull requests, and short lists of what exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from prpipeline.model.failures import ApiFailure
from prpipeline.model.pull_requests import Actor, PullRequest


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository: GitHub's number identifies it, the name is its current one."""

    repository_id: int
    node_id: str
    full_name: str
    missing: int = 0  # pull requests that GitHub is known to count and not to list


@dataclass(frozen=True, slots=True)
class Page:
    """Complete pull requests of one repository, and the cursor of the next page."""

    repository: Repository
    pull_requests: tuple[PullRequest, ...]
    read_at: datetime  # GitHub's clock
    total: int | None  # how many pull requests GitHub counts in the repository
    cursor: str | None  # where the next page starts; None on the last page


@dataclass(frozen=True, slots=True)
class Head:
    """A pull request's identity and version, without its content."""

    node_id: str
    updated_at: datetime
    number: int | None = None  # REST hydrates by number, GraphQL by id


@dataclass(frozen=True, slots=True)
class Probe:
    """The most recently updated pull requests of a repository, newest first."""

    repository: Repository
    heads: tuple[Head, ...]
    total: int | None
    cursor: str | None  # None: these are all there are


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """The newest updates of many repositories, and a failure for each one that GitHub refuses."""

    read_at: datetime
    probes: dict[int, Probe]  # by repository_id
    refused: dict[int, ApiFailure]


@dataclass(frozen=True, slots=True)
class Hydrated:
    """Complete pull requests of any repository, requested by identity."""

    read_at: datetime
    pull_requests: tuple[tuple[int, PullRequest], ...]  # (repository_id, pull request)
    missing: tuple[Head, ...]  # GitHub says that they do not exist


@dataclass(frozen=True, slots=True)
class Outline:
    """One line per pull request, for reconciliation to compare; None is what the source's list does not say."""

    node_id: str
    pull_request_id: int
    updated_at: datetime
    author: Actor
    number: int | None = None
    merged_by: Actor | None = None
    reviews_by_state: Mapping[str, int] | None = None
    reviews: tuple[OutlinedReview, ...] | None = None  # the newest ones
    events: frozenset[str] | None = None  # the ids of the newest ones
    events_are_all: bool = False

    @property
    def actors(self) -> tuple[Actor, ...]:
        """Whom it names."""
        reviewers = tuple(review.reviewer for review in self.reviews or ())
        return (
            (self.author, *reviewers) if self.merged_by is None else (self.author, self.merged_by, *reviewers)
        )


@dataclass(frozen=True, slots=True)
class OutlinedReview:
    """A review's identity, and what can change of it without moving any time stamp."""

    review_id: int
    state: str
    reviewer: Actor


@dataclass(frozen=True, slots=True)
class OutlineAnswer:
    """Every pull request that GitHub lists in a repository, and its count of them."""

    lines: list[Outline]
    total: int | None
    read_at: datetime  # GitHub's clock, before the first of them


@dataclass(frozen=True, slots=True)
class OwnedRepository:
    full_name: str
    is_archived: bool
    is_fork: bool
