"""What people change of a pull request itself: its branch, its words, its labels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from prpipeline.sandbox.clock import Clock, whole_second
from prpipeline.sandbox.github.accounts import Accounts, change
from prpipeline.sandbox.github.model import Actor, Label, Milestone, PullRequest, TimelineEvent


class Edits(Accounts):
    """The part of a world between its accounts and its pull requests; `silent` as in `World`."""

    def __init__(self, clock: Clock | None, silent: Iterable[str]) -> None:
        super().__init__(clock)
        self.silent = frozenset(silent)
        self._labels: dict[str, Label] = {}
        self._milestones: dict[str, Milestone] = {}

    @change
    def push(self, pull_request: PullRequest, at: datetime | None = None) -> None:
        """Push a commit to the branch."""
        pull_request.commits += 1
        pull_request.additions += 1
        pull_request.head_oid = f"{pull_request.id * 7919 + pull_request.commits:040x}"
        self._touch(pull_request, self._stamp(at), "push")

    @change
    def force_push(
        self,
        pull_request: PullRequest,
        first_commit_at: datetime,
        commits: int = 1,
        at: datetime | None = None,
    ) -> None:
        """Replace the commits of the branch, as after a rebase."""
        now = self._stamp(at)
        pull_request.first_commit_at, pull_request.commits = whole_second(first_commit_at), commits
        pull_request.head_oid = f"{pull_request.id * 104_729 + int(now.timestamp()):040x}"
        self._event(pull_request, "head_ref_force_pushed", None, now)
        self._touch(pull_request, now, "force_push")

    @change
    def edit_title(
        self, pull_request: PullRequest, title: str, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Change the title."""
        now = self._stamp(at)
        event = self._event(pull_request, "renamed", by, now)
        event.before, event.after = pull_request.title, title
        pull_request.title = title
        self._touch(pull_request, now, "edit_title")

    @change
    def edit_body(self, pull_request: PullRequest, body: str, at: datetime | None = None) -> None:
        """Change the description."""
        pull_request.body = body
        self._touch(pull_request, self._stamp(at), "edit_body")

    @change
    def label(
        self, pull_request: PullRequest, name: str, by: Actor | str | None = None, at: datetime | None = None
    ) -> None:
        """Add a label."""
        now, label = self._stamp(at), self.known_label(name)
        if label not in pull_request.labels:
            pull_request.labels.append(label)
        self._event(pull_request, "labeled", by, now).label = label
        self._touch(pull_request, now, "label")

    @change
    def unlabel(self, pull_request: PullRequest, name: str, at: datetime | None = None) -> None:
        """Take a label off."""
        pull_request.labels.remove(self.known_label(name))
        self._touch(pull_request, self._stamp(at), "unlabel")

    @change
    def set_milestone(self, pull_request: PullRequest, title: str | None, at: datetime | None = None) -> None:
        """Put a pull request into a milestone, or take it out."""
        pull_request.milestone = self.known_milestone(title)
        self._touch(pull_request, self._stamp(at), "set_milestone")

    def known_label(self, name: str) -> Label:
        """The label of that name, created if there is none."""
        if name not in self._labels:
            self._labels[name] = Label(self.next_id("label"), name)
        return self._labels[name]

    def known_milestone(self, title: str | None) -> Milestone | None:
        """The milestone of that title, created if there is none."""
        if title is not None and title not in self._milestones:
            number = len(self._milestones) + 1
            self._milestones[title] = Milestone(self.next_id("milestone"), number, title)
        return None if title is None else self._milestones[title]

    # Internals

    def _person(self, pull_request: PullRequest, by: Actor | str | None) -> Actor | None:
        return pull_request.author if by is None else self.actor(by)

    def _event(
        self, pull_request: PullRequest, kind: str, by: Actor | str | None, at: datetime
    ) -> TimelineEvent:
        event = TimelineEvent(self.next_id("event"), pull_request, kind, self._person(pull_request, by), at)
        pull_request.events.append(event)
        pull_request.events.sort(key=lambda e: (e.created_at, e.id))
        return event

    def _touch(self, pull_request: PullRequest, now: datetime, by: str) -> None:
        if by not in self.silent:
            pull_request.updated_at = max(pull_request.updated_at, now)
        pull_request.repository.version += 1
