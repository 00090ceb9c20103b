"""An issue of Jira with its changes, the same from Cloud and Data Center; what a source answers. Times are naive UTC, to the
millisecond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class JiraUser:
    """An account: Cloud's accountId, or Data Center's key, identifies it; the name is a label."""

    account_id: str
    display_name: str | None
    email: str | None  # for matching people only, never published
    account_type: str | None  # atlassian, app, customer; None where Jira does not say
    is_active: bool | None


@dataclass(frozen=True, slots=True)
class JiraChange:
    """One item of an issue's changelog. ``field`` in lower case: status, assignee, sprint, key, project, …"""

    change_id: str
    item: int  # its place in the change, from 0
    field: str
    from_id: str | None
    from_text: str | None
    to_id: str | None
    to_text: str | None
    author_id: str | None
    created_at: datetime

    @property
    def change_key(self) -> str:
        """Unique among the changes of an issue."""
        return f"{self.change_id}/{self.item}"


@dataclass(frozen=True, slots=True)
class JiraIssue:
    """An issue; None for the changes means that they were not asked for."""

    issue_id: int
    issue_key: str
    project_id: int
    project_key: str
    summary: str
    issue_type_id: str | None
    issue_type: str | None
    hierarchy_level: int | None  # -1 sub-task, 0, 1 epic
    status_id: str
    status: str
    status_category: str | None  # the issue's own word: new, indeterminate, done; None: undefined
    priority_id: str | None
    priority: str | None
    resolution: str | None
    assignee_id: str | None
    reporter_id: str | None
    creator_id: str | None
    parent_id: int | None
    parent_key: str | None  # as the issue says; of an Epic Link field where there is no parent
    labels: tuple[str, ...]
    components: tuple[str, ...]
    fix_versions: tuple[str, ...]
    story_points: float | None
    sprint_ids: tuple[int, ...]
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    status_category_changed_at: datetime | None
    due_on: date | None
    url: str
    has_broken_changes: bool = False  # the changelog does not lead to the present status, in any reading
    changes: tuple[JiraChange, ...] | None = None
    users: tuple[JiraUser, ...] = ()  # all that the issue and its changes name
    sprints: tuple[JiraSprint, ...] = ()  # those of the issue's sprint field

    @property
    def gone_at(self) -> None:
        """What was read is there."""


@dataclass(frozen=True, slots=True)
class JiraSprint:
    sprint_id: int
    name: str | None
    state: str | None  # future, active, closed
    started_at: datetime | None
    ended_at: datetime | None  # planned
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class JiraStatus:
    status_id: str
    name: str
    category: str | None  # its key today: new, indeterminate, done; None: undefined


@dataclass(frozen=True, slots=True)
class JiraProject:
    project_id: int
    project_key: str
    name: str
    former_keys: tuple[str, ...] = ()
    is_archived: bool = False


# ── what a source answers ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class JiraAccount:
    """Who asks: another account may see other issues."""

    account_id: str
    display_name: str | None
    time_zone: str | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class JiraIssues:
    """Issues that were read by their ids; every id that was asked for is in one of the three."""

    issues: tuple[JiraIssue, ...]
    missing: tuple[int, ...]  # Jira shows no such issue, in no way of asking
    broken: Mapping[int, str]  # what cannot be right about an issue that Jira gives
    read_at: datetime  # naive UTC


@dataclass(frozen=True, slots=True)
class JiraPage:
    """A page of a list of issues; ``whole`` where the list gives them whole."""

    issue_ids: tuple[int, ...]
    updated: Mapping[int, datetime]  # where it was asked for
    whole: JiraIssues | None
    cursor: str | None  # the page after this one; None: this is the last
    read_at: datetime
