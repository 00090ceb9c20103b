"""The protocol of a source: GraphQL and REST implement it with the same guarantees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

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
from prpipeline.model.profiles import Profile, VerifiedEmails
from prpipeline.model.repository import RepositoryName
from prpipeline.model.teams import OrganizationTeams
from prpipeline.model.usage import Allowance, Cost, Usage


class Source(Protocol):
    """One credential's way to GitHub. What asks raises ApiFailure, or Stopped after ``stop``."""

    @property
    def name(self) -> str:
        """What to call the credential; no secret."""

    @property
    def address(self) -> str:
        """Where the API is."""

    @property
    def is_anonymous(self) -> bool:
        """Whether there is no credential at all."""

    @property
    def usage(self) -> Usage:
        """What was spent so far."""

    def allowance(self, repository: str | None = None) -> Allowance | None:
        """The hourly allowance by the last answer, of what is asked about a repository; None if unknown."""

    def cost(self, pull_requests: int) -> Cost:
        """What the history of so many pull requests costs."""

    def cost_of_rows(self, pull_requests: int) -> Cost:
        """What reading so many pull requests by their identity costs."""

    @property
    def field_set(self) -> int:
        """Which fields its whole pull requests have: see ``model.field_sets``."""

    @property
    def reads_bodies(self) -> bool:
        """Whether its whole pull requests have the keys in their bodies."""

    def try_credential(self) -> None:
        """One cheap request, where one is possible without a repository: raises if the credential is refused."""

    def check_queries(self, repository: str | None = None) -> None:
        """One cheap request with all that a sync asks for: raises if the server is too old to know it."""

    def repository(self, name: RepositoryName) -> tuple[Repository, int | None]:
        """The repository behind a name, and how many pull requests GitHub counts in it."""

    def owner_repositories(self, owner: str) -> list[OwnedRepository]:
        """All repositories of an organisation or user that the credential may see."""

    def teams(self, organization: str) -> OrganizationTeams:
        """All teams of an organisation that the credential may see, with all their members; of a user none."""

    def profile(self, login: str) -> Profile:
        """What a person says of themselves. Raises NotFound where no account has this login."""

    def verified_emails(self, organization: str, logins: Sequence[str]) -> VerifiedEmails:
        """The addresses of up to 100 people at domains that the organisation verified, in a request.

        Who is not its member has none, and nobody where it is no organisation.
        """

    def commit_email(self, repository: str, login: str, actor_id: int) -> str | None:
        """The address that the newest commit of this person in the repository was written by."""

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
        """Whole pull requests for these heads, in as few requests as is wise; none is older than its head."""

    def outline(self, repository: Repository) -> OutlineAnswer:
        """Every pull request of the repository in outline, and GitHub's count of them.

        Fewer than it counts, less ``repository.missing``, only where several readings agree.
        """

    def before_waits(self, note: Callable[[float], None] | None) -> None:
        """See ``gathering.Waiting``."""

    def stop(self) -> None:
        """End what is asked or waited for, and ask nothing more. For good; from any thread."""

    def close(self) -> None:
        """Give back the connection."""
