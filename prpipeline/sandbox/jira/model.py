"""What a Jira holds: projects, people, statuses, sprints, issues with their changelogs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

POINTS, POINTS_FLOAT, SPRINT, EPIC = (
    "customfield_10016",
    "customfield_10024",
    "customfield_10020",
    "customfield_10014",
)


@dataclass(eq=False)
class User:
    """An account, with Cloud's and Data Center's identity."""

    account_id: str
    name: str
    email: str | None = None
    is_active: bool = True
    account_type: str = "atlassian"
    zone: str = "UTC"

    @property
    def key(self) -> str:
        """Data Center's."""
        return f"JIRAUSER{self.account_id}"


@dataclass(eq=False)
class Status:
    id: str
    name: str
    category: str  # new, indeterminate, done, undefined


@dataclass(eq=False)
class Sprint:
    id: int
    name: str
    state: str = "active"
    start: datetime | None = None
    end: datetime | None = None
    complete: datetime | None = None


@dataclass(eq=False)
class Project:
    """``is_browsable``: its issues may be seen; ``is_listed``: the project itself is."""

    id: int
    key: str
    name: str
    former_keys: list[str] = field(default_factory=list)
    is_browsable: bool = True
    is_listed: bool = True
    is_archived: bool = False
    last_number: int = 0


@dataclass(eq=False)
class State:
    """What the search index knows of an issue from a moment on."""

    at: datetime
    project_id: int | None  # None: deleted
    updated: datetime


@dataclass(eq=False)
class Issue:
    """``fields`` holds what is served as it is. ``created`` and ``updated`` are served in the account's zone, unless
    ``fields`` has a text for them."""

    id: int
    project: Project
    number: int
    created: datetime
    updated: datetime
    fields: dict[str, Any]
    histories: list[dict[str, Any]] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    is_hidden: bool = False
    is_archived: bool = False
    is_deleted: bool = False

    @property
    def key(self) -> str:
        return f"{self.project.key}-{self.number}"

    @property
    def is_shown(self) -> bool:
        """Whether the account may read it by its id."""
        return not (self.is_hidden or self.is_deleted) and self.project.is_browsable

    @property
    def status_id(self) -> str:
        return str(self.fields["status"])

    def indexed(self, at: datetime) -> State | None:
        """What searching finds of it."""
        known = [state for state in self.states if state.at <= at]
        return known[-1] if known else None
