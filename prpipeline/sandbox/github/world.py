"""What there is on the sandbox's GitHub, and what people can do there.

Every method is one thing that a person does on GitHub, under one lock, stamped with the world's clock unless `at` is
given. Which of them move `updatedAt` is decided here; how things look through the API is not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from prpipeline.sandbox.github.clock import Clock, SystemClock, whole_second
from prpipeline.sandbox.github.model import Actor, Label, PullRequest, Repository, Review, Team, TimelineEvent

SILENT = frozenset({"dismiss_review", "delete_review", "edit_review", "delete_comment", "resolve_thread"})
"""Changes that do not move `updatedAt`. GitHub does not document it; dismissal is the cautious guess."""

P = ParamSpec("P")
R = TypeVar("R")


class Missing(LookupError):
    """There is no such thing in this world."""


def change(method: Callable[Concatenate[World, P], R]) -> Callable[Concatenate[World, P], R]:
    """A method that changes the world: it holds the lock and raises the version."""

    @wraps(method)
    def locked(self: World, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            result = method(self, *args, **kwargs)
            self.version += 1
            return result

    return cast("Callable[Concatenate[World, P], R]", locked)


class World:
    """A GitHub of one's own.

    People may be given as `Actor` or as a login; an unknown login becomes a new user, one ending in `[bot]` a bot.
    `silent` names the methods whose change leaves `updatedAt` where it was.
    """

    def __init__(self, clock: Clock | None = None, silent: Iterable[str] = SILENT) -> None:
        self.clock: Clock = clock or SystemClock()
        self.silent = frozenset(silent)
        self.lock = threading.RLock()
        self.version = 0
        self.nodes: dict[str, Actor | Team | Repository | PullRequest] = {}
        self.repositories: dict[int, Repository] = {}
        self._names: dict[str, Repository] = {}
        self._actors: dict[str, Actor] = {}
        self._teams: dict[str, Team] = {}
        self._labels: dict[str, Label] = {}
        # Some ids below 2**31 and most above, so that a client that stores 32 bits is found out.
        self._next = {
            "actor": 1_000_001,
            "team": 9_000_001,
            "label": 7_000_000_001,
            "repository": 800_000_001,
            "pull_request": 2_147_483_500,
            "review": 2_147_483_400,
            "event": 19_000_000_001,
        }

    # People

    def actor(self, who: Actor | str) -> Actor:
        """The actor of that login, made if it is not there yet."""
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
    def add_user(self, login: str, *, id: int | None = None, kind: str = "User", node_id: str = "") -> Actor:
        """Somebody joins; `kind` is User, Bot, Mannequin or Organization."""
        actor = Actor(
            id or self.next_id("actor"), login, kind, node_id, created_at=whole_second(self.clock.now())
        )
        self._actors[actor.rest_login.lower()] = actor
        self.nodes[actor.node_id] = actor
        return actor

    def add_bot(self, login: str) -> Actor:
        """An App's user; `[bot]` at the end of the login may be given or left out."""
        return self.add_user(login.removesuffix("[bot]"), kind="Bot")

    def add_organization(self, login: str) -> Actor:
        """An organization."""
        return self.add_user(login, kind="Organization")

    @change
    def add_team(self, organization: Actor | str, slug: str) -> Team:
        """A team of an organization."""
        owner = organization if isinstance(organization, Actor) else self._owner(organization)
        team = Team(self.next_id("team"), owner, slug)
        self._teams[team.combined_slug.lower()] = team
        self.nodes[team.node_id] = team
        return team

    @change
    def rename_user(self, user: Actor | str, login: str) -> Actor:
        """Somebody changes their login; everything they did carries the new one."""
        actor = self.actor(user)
        self._actors.pop(actor.rest_login.lower(), None)
        actor.login = login
        self._actors[actor.rest_login.lower()] = actor
        self._names = {r.full_name.lower(): r for r in self._live()} | self._names
        self._touch_everything()
        return actor

    @change
    def delete_user(self, user: Actor | str) -> None:
        """Somebody deletes their account; what they did stays, without an author."""
        actor = self.actor(user)
        actor.deleted = True
        self.nodes.pop(actor.node_id, None)
        self._touch_everything()

    # Repositories

    def repository(self, full_name: str) -> Repository:
        """The repository of that current name."""
        found = self.find_repository(full_name, follow_renames=False)
        if found is None:
            raise Missing(full_name)
        return found

    def find_repository(self, full_name: str, *, follow_renames: bool = True) -> Repository | None:
        """The repository of that name, former names included unless told otherwise."""
        found = self._names.get(full_name.lower())
        if found is None or found.deleted:
            return None
        return found if follow_renames or found.full_name.lower() == full_name.lower() else None

    def repositories_of(self, owner: Actor) -> list[Repository]:
        """The repositories that somebody owns, by age."""
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
        """A repository is created; an unknown owner becomes an organization."""
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
        """The repository gets a new name; the old one redirects, unless it is taken again."""
        found = self._repository(repository)
        found.name = name
        self._renamed(found)
        return found

    @change
    def transfer_repository(self, repository: Repository | str, owner: Actor | str) -> Repository:
        """The repository gets a new owner; the old name redirects."""
        found = self._repository(repository)
        found.owner = owner if isinstance(owner, Actor) else self._owner(owner)
        self._renamed(found)
        return found

    @change
    def set_private(self, repository: Repository | str, private: bool = True) -> None:
        """The repository disappears from everyone who was not let in."""
        self._repository(repository).private = private

    @change
    def set_archived(self, repository: Repository | str, archived: bool = True) -> None:
        """The repository becomes read-only."""
        self._repository(repository).archived = archived

    @change
    def block_repository(self, repository: Repository | str, status: int | None = 451) -> None:
        """GitHub blocks access: 451 for a legal takedown, 403 for a breach of the terms, None to lift it."""
        self._repository(repository).blocked = status

    @change
    def delete_repository(self, repository: Repository | str) -> None:
        """The repository is gone, and its pull requests with it."""
        found = self._repository(repository)
        found.deleted = True
        self._names = {name: r for name, r in self._names.items() if r is not found}
        self.repositories.pop(found.id)
        self.nodes.pop(found.node_id, None)
        for pull_request in found.pull_requests.values():
            self.nodes.pop(pull_request.node_id, None)

    # Pull requests

    @change
    def open_pull_request(
        self,
        repository: Repository | str,
        author: Actor | str,
        title: str = "A change",
        *,
        draft: bool = False,
        base: str = "main",
        additions: int = 10,
        deletions: int = 2,
        changed_files: int = 1,
        number: int | None = None,
        id: int | None = None,
        at: datetime | None = None,
    ) -> PullRequest:
        """Somebody opens a pull request."""
        found = self._repository(repository)
        now = self._stamp(at)
        pull_request = PullRequest(
            id or self.next_id("pull_request"),
            found,
            number or found.last_number + 1,
            self.actor(author),
            title,
            created_at=now,
            updated_at=now,
            is_draft=draft,
            base_ref=base,
            additions=additions,
            deletions=deletions,
            changed_files=changed_files,
        )
        self.adopt(pull_request)
        return pull_request

    @change
    def close(
        self, pull_request: PullRequest, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Somebody closes a pull request without merging it."""
        now = self._stamp(at)
        pull_request.state, pull_request.closed_at = "CLOSED", now
        self._event(pull_request, "closed", by, now)
        self._touch(pull_request, now, "close")

    @change
    def reopen(
        self, pull_request: PullRequest, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Somebody reopens a closed pull request."""
        now = self._stamp(at)
        pull_request.state, pull_request.closed_at = "OPEN", None
        self._event(pull_request, "reopened", by, now)
        self._touch(pull_request, now, "reopen")

    @change
    def merge(
        self, pull_request: PullRequest, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Somebody merges a pull request; GitHub notes a merge and a closing."""
        now = self._stamp(at)
        pull_request.state, pull_request.closed_at, pull_request.merged_at = "MERGED", now, now
        pull_request.merged_by = self._person(pull_request, by)
        self._event(pull_request, "merged", by, now)
        self._event(pull_request, "closed", by, now)
        self._touch(pull_request, now, "merge")

    @change
    def ready_for_review(
        self, pull_request: PullRequest, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """A draft becomes ready."""
        now = self._stamp(at)
        pull_request.is_draft = False
        self._event(pull_request, "ready_for_review", by, now)
        self._touch(pull_request, now, "ready_for_review")

    @change
    def convert_to_draft(
        self, pull_request: PullRequest, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """A pull request becomes a draft."""
        now = self._stamp(at)
        pull_request.is_draft = True
        self._event(pull_request, "convert_to_draft", by, now)
        self._touch(pull_request, now, "convert_to_draft")

    @change
    def request_review(
        self,
        pull_request: PullRequest,
        reviewer: Actor | Team | str,
        by: Actor | str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Somebody asks a person, or a team (`organization/team`), for a review."""
        now, who = self._stamp(at), self._reviewer(reviewer)
        if who not in pull_request.requested_reviewers:
            pull_request.requested_reviewers.append(who)
        self._event(pull_request, "review_requested", by, now).requested_reviewer = who
        self._touch(pull_request, now, "request_review")

    @change
    def remove_review_request(
        self,
        pull_request: PullRequest,
        reviewer: Actor | Team | str,
        by: Actor | str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Somebody takes a request for review back."""
        now, who = self._stamp(at), self._reviewer(reviewer)
        if who in pull_request.requested_reviewers:
            pull_request.requested_reviewers.remove(who)
        self._event(pull_request, "review_request_removed", by, now).requested_reviewer = who
        self._touch(pull_request, now, "remove_review_request")

    @change
    def push(self, pull_request: PullRequest, at: datetime | None = None) -> None:
        """Somebody pushes a commit to the branch."""
        pull_request.commits += 1
        pull_request.additions += 1
        pull_request.head_oid = f"{pull_request.id * 7919 + pull_request.commits:040x}"
        self._touch(pull_request, self._stamp(at), "push")

    @change
    def edit_title(
        self, pull_request: PullRequest, title: str, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Somebody changes the title."""
        now = self._stamp(at)
        event = self._event(pull_request, "renamed", by, now)
        event.before, event.after = pull_request.title, title
        pull_request.title = title
        self._touch(pull_request, now, "edit_title")

    @change
    def edit_body(self, pull_request: PullRequest, body: str, at: datetime | None = None) -> None:
        """Somebody changes the description."""
        pull_request.body = body
        self._touch(pull_request, self._stamp(at), "edit_body")

    @change
    def label(
        self, pull_request: PullRequest, name: str, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Somebody adds a label."""
        now = self._stamp(at)
        if name not in self._labels:
            self._labels[name] = Label(self.next_id("label"), name)
        pull_request.labels.append(self._labels[name])
        self._event(pull_request, "labeled", by, now).label = self._labels[name]
        self._touch(pull_request, now, "label")

    @change
    def comment(
        self,
        pull_request: PullRequest,
        author: Actor | str,
        at: datetime | None = None,
        body: str = "A remark",
    ) -> TimelineEvent:
        """Somebody comments on the conversation; this is no review."""
        now = self._stamp(at)
        pull_request.comments += 1
        event = self._event(pull_request, "commented", author, now)
        event.after = body
        self._touch(pull_request, now, "comment")
        return event

    @change
    def delete_comment(self, comment: TimelineEvent) -> None:
        """Somebody deletes a comment of the conversation."""
        pull_request = comment.pull_request
        pull_request.events.remove(comment)
        pull_request.comments -= 1
        self._touch(pull_request, self._stamp(None), "delete_comment")

    @change
    def delete_pull_request(self, pull_request: PullRequest) -> None:
        """GitHub's support removes a pull request; nothing tells so."""
        del pull_request.repository.pull_requests[pull_request.number]
        pull_request.repository.version += 1
        self.nodes.pop(pull_request.node_id, None)

    # Reviews

    @change
    def review(
        self,
        pull_request: PullRequest,
        author: Actor | str,
        state: str = "APPROVED",
        *,
        comments: int = 0,
        body: str = "",
        id: int | None = None,
        started_at: datetime | None = None,
        at: datetime | None = None,
    ) -> Review:
        """Somebody reviews: APPROVED, CHANGES_REQUESTED, COMMENTED, or PENDING, which only its author sees."""
        now = self._stamp(at)
        review = Review(
            id or self.next_id("review"),
            pull_request,
            self.actor(author),
            state,
            created_at=self._stamp(started_at) if started_at else now,
            submitted_at=None if state == "PENDING" else now,
            updated_at=now,
            commit_oid=pull_request.head_oid,
            comments=comments,
            body=body,
        )
        pull_request.reviews.append(review)
        pull_request.reviews.sort(key=lambda r: r.id)
        if state == "PENDING":
            pull_request.repository.version += 1
        else:
            self._submitted(review, now)
        return review

    @change
    def submit_review(self, review: Review, state: str = "COMMENTED", at: datetime | None = None) -> None:
        """The author of a pending review submits it."""
        now = self._stamp(at)
        review.state, review.submitted_at, review.updated_at = state, now, now
        self._submitted(review, now)

    @change
    def dismiss_review(
        self, review: Review, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Somebody dismisses a review; its state changes in place."""
        now = self._stamp(at)
        event = self._event(review.pull_request, "review_dismissed", by, now)
        event.review, event.previous_state = review, review.state
        review.state, review.updated_at = "DISMISSED", now
        self._touch(review.pull_request, now, "dismiss_review")

    @change
    def edit_review(self, review: Review, body: str, at: datetime | None = None) -> None:
        """The author of a review changes its text."""
        now = self._stamp(at)
        review.body, review.updated_at = body, now
        self._touch(review.pull_request, now, "edit_review")

    @change
    def delete_review(self, review: Review) -> None:
        """A review disappears without a trace."""
        review.pull_request.reviews.remove(review)
        review.pull_request.review_comments -= review.comments
        self._touch(review.pull_request, self._stamp(None), "delete_review")

    # Bulk loading, for samples and recordings

    def next_id(self, kind: str) -> int:
        """A database id that was not used before."""
        self._next[kind] += 1
        return self._next[kind] - 1

    def adopt(self, pull_request: PullRequest) -> None:
        """Take in a pull request that was built elsewhere."""
        repository = pull_request.repository
        repository.pull_requests[pull_request.number] = pull_request
        repository.last_number = max(repository.last_number, pull_request.number)
        self.nodes[pull_request.node_id] = pull_request
        repository.version += 1
        self.version += 1

    # Internals

    def _live(self) -> list[Repository]:
        return list(self.repositories.values())

    def _stamp(self, at: datetime | None) -> datetime:
        return whole_second(at or self.clock.now())

    def _owner(self, login: str) -> Actor:
        return self._actors.get(login.lower()) or self.add_organization(login)

    def _repository(self, repository: Repository | str) -> Repository:
        return self.repository(repository) if isinstance(repository, str) else repository

    def _reviewer(self, reviewer: Actor | Team | str) -> Actor | Team:
        if isinstance(reviewer, str):
            if "/" not in reviewer:
                return self.actor(reviewer)
            return self._teams.get(reviewer.lower()) or self.add_team(*reviewer.split("/"))
        return reviewer

    def _person(self, pull_request: PullRequest, by: Actor | str | None) -> Actor | None:
        return pull_request.author if by is None else self.actor(by)

    def _event(
        self, pull_request: PullRequest, kind: str, by: Actor | str | None, at: datetime
    ) -> TimelineEvent:
        event = TimelineEvent(self.next_id("event"), pull_request, kind, self._person(pull_request, by), at)
        pull_request.events.append(event)
        pull_request.events.sort(key=lambda e: (e.created_at, e.id))
        return event

    def _submitted(self, review: Review, now: datetime) -> None:
        pull_request = review.pull_request
        pull_request.review_comments += review.comments
        # GitHub takes a reviewer off the list of those asked as soon as they answer.
        if review.author in pull_request.requested_reviewers:
            pull_request.requested_reviewers.remove(review.author)
        self._touch(pull_request, now, "review")

    def _touch(self, pull_request: PullRequest, now: datetime, by: str) -> None:
        if by not in self.silent:
            pull_request.updated_at = max(pull_request.updated_at, now)
        pull_request.repository.version += 1

    def _touch_everything(self) -> None:
        for repository in self.repositories.values():
            repository.version += 1

    def _renamed(self, repository: Repository) -> None:
        self._names[repository.full_name.lower()] = repository
        repository.version += 1
