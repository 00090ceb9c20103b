"""A pull request with its reviews and events, the same from every source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from prpipeline.model.body_keys import BodyKey

SUBMITTED_STATES = frozenset({"APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"})


@dataclass(frozen=True, slots=True)
class Actor:
    """An account: the id identifies it, the login is a label."""

    id: int | None
    login: str | None
    is_bot: bool


NOBODY = Actor(None, None, False)


@dataclass(frozen=True, slots=True)
class Review:
    """A submitted review; pending ones are not read."""

    review_id: int
    node_id: str
    reviewer: Actor
    state: str
    submitted_at: datetime
    has_text: bool  # of its own; the text itself is never kept


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """Something that started or stopped a clock."""

    event_id: str
    event: str
    actor: Actor
    created_at: datetime
    subject: Actor = NOBODY
    subject_is_team: bool = False
    review_id: int | None = None
    previous_state: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a pull request."""

    label: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request with its reviews, events and labels; None for the children means they were not asked for."""

    pull_request_id: int
    node_id: str
    number: int
    title: str
    author: Actor
    is_draft: bool
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    merged_at: datetime | None
    merged_by: Actor
    additions: int | None
    deletions: int | None
    changed_files: int | None
    base_ref: str | None
    url: str
    head_ref: str | None = None
    is_from_fork: bool | None = None  # from another repository, also where that one is gone
    milestone: str | None = None
    comments: int | None = None  # of the conversation
    commits: int | None = None
    first_commit_at: datetime | None = None  # authored; the first that GitHub lists
    field_set: int | None = None  # see ``field_sets``; None for an answer that is not the whole pull request
    reviews: tuple[Review, ...] | None = None
    events: tuple[ReviewEvent, ...] | None = None
    labels: tuple[Label, ...] | None = None
    body_keys: tuple[BodyKey, ...] | None = None  # None: the body was not asked for
    reviews_counted: int | None = None  # by GitHub, where it counts more than it gives in every reading

    @property
    def state(self) -> str:
        """open, closed or merged, derived from the times: not every answer has GitHub's flags."""
        if self.merged_at is not None:
            return "merged"
        return "open" if self.closed_at is None else "closed"

    @property
    def has_body_keys(self) -> bool:
        """Whether keys were looked for in this state's body."""
        return self.body_keys is not None

    def with_children(
        self,
        reviews: tuple[Review, ...],
        events: tuple[ReviewEvent, ...],
        labels: tuple[Label, ...] | None = None,
    ) -> PullRequest:
        return replace(self, reviews=reviews, events=events, labels=self.labels if labels is None else labels)
