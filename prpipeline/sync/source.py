"""What syncing may ask of GitHub, whichever way it is asked: by GraphQL or by REST, with the same guarantees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from prpipeline.github.client import Client
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
from prpipeline.model.repository import RepositoryName


class Source(Protocol):
    """How syncing talks to GitHub. All methods raise ApiFailure."""

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
