"""What a webhook's delivery tells, and what waits in the inbox because of it: a hint that something changed, never data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from prpipeline.model.inbox import InboxError as InboxError
from prpipeline.model.inbox import NotListening as NotListening

DeliveryState = Literal["new", "done", "parked"]
"""new: to be looked at. done: what it tells is stored. parked: GitHub did not show it in time; an increment will."""

NoticeKind = Literal["pull_request", "repository", "roster", "ping", "hook_deleted", "other"]
"""What a delivery is about. roster: which repositories an App's installation has. other: nothing of ours."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A delivery's content: identities and a time. ``updated_at`` is GitHub's, naive UTC."""

    kind: NoticeKind
    event: str
    action: str | None = None
    repository_id: int | None = None
    pull_request_id: int | None = None
    number: int | None = None
    node_id: str | None = None  # maybe in the form of years ago, so never stored as data
    updated_at: datetime | None = None
    repositories: tuple[int, ...] | None = None  # whom a roster's change concerns; None: all of them
    hook_id: int | None = None  # as the content says it
    problem: str = ""  # what people should know: a hook that is set up wrong, or gone

    @property
    def is_kept(self) -> bool:
        """Whether something has to be looked at because of it."""
        return self.kind in {"pull_request", "repository", "roster"}


@dataclass(frozen=True, slots=True)
class Hint:
    """All that waits about one pull request, one repository, or the roster (without a ``repository_id``)."""

    deliveries: tuple[str, ...]
    repository_id: int | None
    pull_request_id: int | None = None
    number: int | None = None
    node_id: str | None = None
    updated_at: datetime | None = None  # the newest that was told
    told_of_review_at: tuple[datetime, ...] = ()  # the times that were told with a review
    repositories: tuple[int, ...] | None = None
    received_at: datetime = datetime.min  # the oldest, our clock, naive UTC
    attempts: int = 0
