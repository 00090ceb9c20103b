"""The accounts, teams and repositories of the sandbox's GitHub: the part of a world below its pull requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from prpipeline.sandbox.clock import Clock, SystemClock, whole_second
from prpipeline.sandbox.github.model import Actor, PullRequest, Repository, Team

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W", bound="Accounts")


class Missing(LookupError):
    """There is no such thing in this world."""


def change(method: Callable[Concatenate[W, P], R]) -> Callable[Concatenate[W, P], R]:
    """Decorator of a method that changes the world: it takes the lock and raises the version."""

    @wraps(method)
    def locked(self: W, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            self._depth += 1
            try:
                result = method(self, *args, **kwargs)
            finally:
                self._depth -= 1
            self.version += 1
            if self.on_change and not self._depth:  # some changes are made of others
                self.on_change(method.__name__, args[0] if args else None, result)
            return result

    return cast("Callable[Concatenate[W, P], R]", locked)


class Accounts:
    """The base of `World`: the clock, the lock, the ids, and who owns what."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.lock = threading.RLock()
        self.version = 0
        self.on_change: Callable[[str, object, object], None] | None = None  # name, first argument, result
        self._depth = 0
        self.nodes: dict[str, Actor | Team | Repository | PullRequest] = {}
        self.repositories: dict[int, Repository] = {}
        self._names: dict[str, Repository] = {}
        self._actors: dict[str, Actor] = {}
        self._teams: dict[str, Team] = {}
        # Some ids are below 2**31 and most are above, so that tests notice a client that stores 32 bits.
        self._next = {
            "actor": 1_000_001,
            "team": 9_000_001,
            "label": 7_000_000_001,
            "milestone": 8_000_001,
            "repository": 800_000_001,
            "pull_request": 2_147_483_500,
            "review": 2_147_483_400,
            "event": 19_000_000_001,
        }

    # People

    def actor(self, who: Actor | str) -> Actor:
        """The actor with that login, created if there is none."""
        if isinstance(who, Actor):
            return who
        with self.lock:
            found = self._actors.get(who.lower())
            if found and not found.deleted:
                return found
            return self.add_bot(who) if who.endswith("[bot]") else self.add_user(who)

    def find_actor(self, login: str) -> Actor | None:
        """The user, bot or organization of that login, as either API prints it."""
        found = self._actors.get(login.lower())
        return None if found is None or found.deleted else found

    @change
    def add_user(
        self, login: str, *, id: int | None = None, kind: str = "User", node_id: str = "", called: str = ""
    ) -> Actor:
        """Add an account; `kind` is User, Bot, Mannequin or Organization."""
        now = whole_second(self.clock.now())
        actor = Actor(id or self.next_id("actor"), login, kind, node_id, created_at=now, called=called)
        self._actors[actor.rest_login.lower()] = actor
        self.nodes[actor.node_id] = actor
        return actor

    def add_bot(self, login: str, called: str = "") -> Actor:
        """Add the user of an App; the login may end in `[bot]` or not. REST may have a name of its own for it."""
        return self.add_user(login.removesuffix("[bot]"), kind="Bot", called=called)

    def add_organization(self, login: str) -> Actor:
        """Add an organization."""
        return self.add_user(login, kind="Organization")

    @change
    def add_team(
        self,
        organization: Actor | str,
        slug: str,
        members: Iterable[Actor | str] = (),
        *,
        name: str = "",
        secret: bool = False,
        parent: Team | None = None,
    ) -> Team:
        """Add a team to an organization."""
        owner = organization if isinstance(organization, Actor) else self._owner(organization)
        team = Team(self.next_id("team"), owner, slug, name=name, secret=secret, parent=parent)
        team.members = [self.actor(member) for member in members]
        if parent:
            parent.children.append(team)
        self._teams[team.combined_slug.lower()] = team
        self.nodes[team.node_id] = team
        return team

    @change
    def set_members(self, team: Team, members: Iterable[Actor | str]) -> None:
        """Let a team have these members, and no others of its own."""
        team.members = [self.actor(member) for member in members]

    @change
    def delete_team(self, team: Team) -> None:
        """Delete a team and its child teams."""
        for child in list(team.children):
            self.delete_team(child)
        if team.parent:
            team.parent.children.remove(team)
        self._teams.pop(team.combined_slug.lower())
        self.nodes.pop(team.node_id, None)

    def teams_of(self, organization: Actor) -> list[Team]:
        """The teams of an organization, by id."""
        return sorted((t for t in self._teams.values() if t.organization is organization), key=lambda t: t.id)

    @change
    def rename_user(self, user: Actor | str, login: str) -> Actor:
        """Change a login; everything the user did shows the new one."""
        actor = self.actor(user)
        self._actors.pop(actor.rest_login.lower(), None)
        actor.login = login
        self._actors[actor.rest_login.lower()] = actor
        self._names = {r.full_name.lower(): r for r in self._live()} | self._names
        self._touch_everything()
        return actor

    @change
    def delete_user(self, user: Actor | str) -> None:
        """Delete an account; what the user did stays, without an author."""
        actor = self.actor(user)
        actor.deleted = True
        self.nodes.pop(actor.node_id, None)
        self._touch_everything()

    # Repositories

    def repository(self, full_name: str) -> Repository:
        """The repository whose current name this is. Raises Missing."""
        found = self.find_repository(full_name, follow_renames=False)
        if found is None:
            raise Missing(full_name)
        return found

    def find_repository(self, full_name: str, *, follow_renames: bool = True) -> Repository | None:
        """The repository with that name or, with `follow_renames`, that former name."""
        found = self._names.get(full_name.lower())
        if found is None or found.deleted:
            return None
        return found if follow_renames or found.full_name.lower() == full_name.lower() else None

    def repositories_of(self, owner: Actor) -> list[Repository]:
        """The repositories of an owner, oldest first."""
        return [r for r in self._live() if r.owner is owner]

    @change
    def add_repository(
        self,
        full_name: str,
        *,
        private: bool = False,
        archived: bool = False,
        fork: bool = False,
        id: int | None = None,
        node_id: str = "",
        at: datetime | None = None,
    ) -> Repository:
        """Create a repository; an unknown owner becomes an organization."""
        owner, name = full_name.split("/")
        if self.find_repository(full_name, follow_renames=False):
            raise ValueError(f"{full_name} exists already")
        now = self._stamp(at)
        repository = Repository(
            id or self.next_id("repository"),
            self._owner(owner),
            name,
            created_at=now,
            updated_at=now,
            node_id=node_id,
            private=private,
            archived=archived,
            fork=fork,
        )
        self.repositories[repository.id] = repository
        self._names[full_name.lower()] = repository
        self.nodes[repository.node_id] = repository
        return repository

    @change
    def rename_repository(self, repository: Repository | str, name: str) -> Repository:
        """Rename a repository; the old name redirects until another repository takes it."""
        found = self._repository(repository)
        found.name = name
        self._renamed(found)
        return found

    @change
    def transfer_repository(self, repository: Repository | str, owner: Actor | str) -> Repository:
        """Give a repository to another owner; the old name redirects."""
        found = self._repository(repository)
        found.owner = owner if isinstance(owner, Actor) else self._owner(owner)
        self._renamed(found)
        return found

    @change
    def set_private(self, repository: Repository | str, private: bool = True) -> None:
        """Hide a repository from all credentials without access to it."""
        self._repository(repository).private = private

    @change
    def block_repository(self, repository: Repository | str, status: int | None = 451) -> None:
        """Block access to a repository: 451 for a legal takedown, 403 for a breach of the terms, None to lift it."""
        self._repository(repository).blocked = status

    @change
    def delete_repository(self, repository: Repository | str) -> None:
        """Delete a repository and its pull requests."""
        found = self._repository(repository)
        found.deleted = True
        self._names = {name: r for name, r in self._names.items() if r is not found}
        self.repositories.pop(found.id)
        self.nodes.pop(found.node_id, None)
        for pull_request in found.pull_requests.values():
            self.nodes.pop(pull_request.node_id, None)

    # Shared with the pull requests

    def next_id(self, kind: str) -> int:
        """A database id that is not in use yet."""
        self._next[kind] += 1
        return self._next[kind] - 1

    def _live(self) -> list[Repository]:
        return list(self.repositories.values())

    def _stamp(self, at: datetime | None) -> datetime:
        return whole_second(at or self.clock.now())

    def _owner(self, login: str) -> Actor:
        return self._actors.get(login.lower()) or self.add_organization(login)

    def _repository(self, repository: Repository | str) -> Repository:
        return self.repository(repository) if isinstance(repository, str) else repository

    def _touch_everything(self) -> None:
        for repository in self.repositories.values():
            repository.version += 1

    def _renamed(self, repository: Repository) -> None:
        self._names[repository.full_name.lower()] = repository
        repository.version += 1
