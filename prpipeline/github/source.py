"""What syncing may ask of GitHub, whichever way it is asked: the types, and the face of a source.

``extract`` answers by GraphQL, ``rest`` by REST, with the same records and the same guarantees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from prpipeline.github.client import Client
from prpipeline.github.failures import GitHubFailure
from prpipeline.github.records import PullRequest
from prpipeline.repository import RepositoryName


@dataclass(frozen=True, slots=True)
class Repository:
    """Who a repository is (its number), and what GitHub calls it now."""

    repository_id: int
    node_id: str
    full_name: str


@dataclass(frozen=True, slots=True)
class Page:
    """Whole pull requests of one repository, and how to go on."""

    repository: Repository
    pull_requests: tuple[PullRequest, ...]
    read_at: datetime  # GitHub's clock
    total: int | None  # how many pull requests GitHub counts in the repository
    cursor: str | None  # where the next page starts; None: this was the last one


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
    """One look at many repositories; those that GitHub refuses are named with the failure."""

    read_at: datetime
    probes: dict[int, Probe]  # by repository_id
    refused: dict[int, GitHubFailure]


@dataclass(frozen=True, slots=True)
class Hydrated:
    """Whole pull requests, asked for by identity, of any repository."""

    read_at: datetime
    pull_requests: tuple[tuple[int, PullRequest], ...]  # (repository_id, pull request)
    missing: tuple[Head, ...]  # GitHub says that they do not exist


@dataclass(frozen=True, slots=True)
class Outline:
    """One line per pull request: what reconciling compares."""

    node_id: str
    pull_request_id: int
    updated_at: datetime
    reviews: int | None
    number: int | None = None


class Source(Protocol):
    """How syncing talks to GitHub. All methods raise GitHubFailure."""

    client: Client

    def repository(self, name: RepositoryName) -> tuple[Repository, int | None]:
        """The repository behind a name, and how many pull requests GitHub counts in it."""

    def history(
        self, name: str, *, after: str | None, back: timedelta | None, started_at: datetime | None
    ) -> Iterator[Page]:
        """Every pull request, oldest first; with ``back``, newest first those updated that long before the start.

        ``after`` and ``started_at`` (GitHub's clock) continue a walk that was broken off.
        """

    def probe(self, repositories: Sequence[Repository]) -> ProbeAnswer:
        """The newest heads of up to 100 repositories."""

    def changed(self, probe: Probe, since: datetime) -> list[Head]:
        """All heads updated at or after ``since``; goes on where the probe ended."""

    def hydrate(self, repository_heads: Sequence[tuple[Repository, Head]]) -> Iterator[Hydrated]:
        """Whole pull requests for these heads, in as few requests as is wise."""

    def outline(self, repository: Repository) -> tuple[list[Outline], int | None]:
        """Every pull request of the repository in outline, and GitHub's count of them."""

    def owner_repositories(self, owner: str) -> list[OwnedRepository]:
        """All repositories of an organisation or user that the credential may see."""


@dataclass(frozen=True, slots=True)
class OwnedRepository:
    full_name: str
    is_archived: bool
    is_fork: bool
