"""Credentials: what they may see, and their rate limits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from prpipeline.sandbox.github.model import Actor, Repository, Team

ANONYMOUS_LIMIT = 60


@dataclass
class Budget:
    """A primary rate limit: a number of points per window, which starts with the first point spent."""

    resource: str
    limit: int
    window: timedelta = timedelta(hours=1)
    used: int = 0
    resets_at: datetime | None = None

    def roll(self, now: datetime) -> None:
        """Start a new window if the last one is over."""
        if self.resets_at is None or now >= self.resets_at:
            self.used, self.resets_at = 0, now + self.window

    def spend(self, points: int, now: datetime) -> bool:
        """Spend points and return True, or spend none and return False if too few are left."""
        self.roll(now)
        if self.used >= self.limit:
            return False
        self.used = min(self.limit, self.used + points)
        return True

    def refund(self, points: int) -> None:
        """Give points back for an answer that turned out to be free."""
        self.used = max(0, self.used - points)

    @property
    def remaining(self) -> int:
        """What is left of this window."""
        return self.limit - self.used

    def reset_epoch(self, now: datetime) -> int:
        """The end of the window in seconds since 1970, rounded up so that waiting until then is enough."""
        self.roll(now)
        assert self.resets_at is not None
        return ceil(self.resets_at.timestamp())

    def headers(self, now: datetime) -> dict[str, str]:
        """The x-ratelimit headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_epoch(now)),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Resource": self.resource,
        }


@dataclass
class Credential:
    """A token and its permissions.

    `kind` is classic, fine-grained or installation. `repositories` are the private repositories it sees (None: all).
    `missing_permissions` may hold `pull_requests`, `contents` and `members`; `sso_organizations` ask for a sign-on it lacks.
    """

    token: str | None
    login: str = "sandbox-user"
    kind: str = "classic"
    scopes: Collection[str] = ("repo", "read:org")
    repositories: Collection[str] | None = None
    missing_permissions: Collection[str] = ()
    sso_organizations: Collection[str] = ()
    administered: Collection[str] | None = ()  # organisations and repositories; None: all
    core_limit: int = 5000
    graphql_limit: int = 5000
    window: timedelta = timedelta(hours=1)
    expires_at: datetime | None = None
    core: Budget = field(init=False)
    graphql: Budget = field(init=False)

    def __post_init__(self) -> None:
        self.core = Budget("core", self.core_limit, self.window)
        self.graphql = Budget("graphql", self.graphql_limit, self.window)

    @property
    def anonymous(self) -> bool:
        """Whether the request has no token."""
        return self.token is None

    def sees(self, repository: Repository) -> bool:
        """Whether the repository is visible to this token."""
        if not repository.private:
            return True
        if self.anonymous:
            return False
        return self.repositories is None or repository.full_name in self.repositories

    def administers(self, target: str) -> bool:
        """Whether it may set up the webhooks of an organisation, or a repository (`owner/name`)."""
        names = None if self.administered is None else {name.lower() for name in self.administered}
        return names is None or target.lower() in names

    def must_sign_on(self, repository: Repository) -> bool:
        """Whether the owner requires a single sign-on that this token does not have."""
        return repository.owner.login in self.sso_organizations

    def is_actor(self, actor: Actor | None) -> bool:
        """Whether this token belongs to that actor."""
        return actor is not None and not self.anonymous and actor.login == self.login

    def sees_teams(self) -> bool:
        """Whether it may read the members and teams of organizations."""
        if self.kind == "classic":
            return "read:org" in self.scopes
        return "members" not in self.missing_permissions

    def sees_team(self, team: Team) -> bool:
        """Whether GitHub shows it this team: a secret one only to its members, as here nobody owns an organization."""
        return self.sees_teams() and (not team.secret or any(map(self.is_actor, team.all_members())))

    def reads_pull_requests(self, repository: Repository) -> bool:
        """Whether it may read pull requests; classic tokens that see a repository may."""
        return "pull_requests" not in self.missing_permissions

    def reads_commits(self) -> bool:
        """Whether it may read commits by GraphQL; REST lists those of a pull request to whoever may read that."""
        return "contents" not in self.missing_permissions


def anonymous() -> Credential:
    """No token: public repositories, 60 requests an hour, no GraphQL."""
    return Credential(None, login="", scopes=(), core_limit=ANONYMOUS_LIMIT, graphql_limit=0)
