"""What syncing asks of Jira; editions and clients stay behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from prpipeline.model.failures import ApiFailure
from prpipeline.model.jira import JiraAccount, JiraIssues, JiraPage, JiraProject, JiraStatus
from prpipeline.model.usage import Usage


class JiraSource(Protocol):
    """One Jira with one credential. All methods raise ApiFailure."""

    @property
    def site(self) -> str:
        """Where people open issues, and what the data are of."""

    @property
    def usage(self) -> Usage: ...

    def before_waits(self, note: Callable[[float], None] | None) -> None:
        """See ``gathering.Waiting``."""

    def account(self) -> JiraAccount:
        """Who asks. Raises BadCredentials."""

    def statuses(self) -> list[JiraStatus]:
        """All statuses of the site, as they are today."""

    def find_projects(self, entries: Sequence[str]) -> Mapping[str, JiraProject | ApiFailure]:
        """Each of these keys (also former ones) or numbers, and why it cannot be read where it cannot."""

    def walk(self, project_id: int, cursor: str | None) -> Iterator[JiraPage]:
        """All issues of a project, in an order that no change of theirs disturbs, from a page's cursor on.

        Raises CursorRejected where the cursor is good no more.
        """

    def changed(self, project_id: int, since: datetime) -> Iterator[JiraPage]:
        """At least one page of the issues that changed since then (naive UTC, inclusive); pages may repeat some."""

    def all_ids(self, project_id: int) -> set[int]:
        """The ids of all issues that Jira lists of a project: a complete answer."""

    def hydrate(self, issue_ids: Sequence[int]) -> JiraIssues:
        """Read these whole, wherever they are now."""

    def indexed(self, issue_id: int, since: datetime | None, *, past_index: bool = False) -> datetime | None:
        """When an issue changed last, if searching finds it as changed since then; None if it does not.

        ``past_index``: by its present state, where Jira can search so.
        """
