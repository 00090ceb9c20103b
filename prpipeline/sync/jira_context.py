"""What history, increment and reconciliation of a project share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prpipeline.model.failures import MalformedAnswer, PermanentFailure
from prpipeline.model.jira import JiraIssues, JiraProject
from prpipeline.model.sql import Connection
from prpipeline.settings import SyncSettings
from prpipeline.sync.jira_source import JiraSource
from prpipeline.warehouse import Warehouse, jira_projects, jira_records
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.jira_projects import SelectedProject

AT_ONCE = 500
"""Issues that are read and written together: their changelogs share a request, and a kill costs no more."""

_NAMED = 5


@dataclass
class JiraContext:
    """Of one sync. ``projects``: all that are selected, by number; the counters are of the project in hand."""

    source: JiraSource
    warehouse: Warehouse
    settings: SyncSettings
    account_id: str = ""
    projects: dict[int, JiraProject] = field(default_factory=dict)
    written: int = 0
    removed: int = 0
    broken: dict[int, str] = field(default_factory=dict)

    @property
    def overlap(self) -> timedelta:
        return timedelta(minutes=self.settings.overlap_minutes)

    def read(self, project: SelectedProject, issue_ids: Sequence[int], **changes: Any) -> list[int]:
        """Read these issues whole and write them, ``AT_ONCE`` to a transaction; ``changes`` to the project go with the
        last. Returns those that Jira does not show."""
        missing: list[int] = []
        for start in range(0, len(issue_ids), AT_ONCE):
            answer = self.source.hydrate(issue_ids[start : start + AT_ONCE])
            is_last = start + AT_ONCE >= len(issue_ids)
            self.write(project, answer, **(changes if is_last else {}))
            missing += answer.missing
        if not issue_ids and changes:
            self.update(project, **changes)
        return missing

    def write(self, project: SelectedProject, *answers: JiraIssues, **changes: Any) -> None:
        """Write what was read in one transaction."""
        with self.warehouse.transaction() as connection:
            still_selected(connection, project)
            written = sum(
                jira_records.write(connection, answer, self.projects.values()) for answer in _joined(answers)
            )
            if written:
                changes = {"changed_at": utc_now(), **changes}
            if changes:
                jira_projects.update(connection, project.entry, **changes)
        self.written += written
        for answer in answers:
            self.broken |= answer.broken

    def update(self, project: SelectedProject, **changes: Any) -> None:
        with self.warehouse.transaction() as connection:
            still_selected(connection, project)
            jira_projects.update(connection, project.entry, **changes)

    def check_broken(self) -> None:
        """Raise MalformedAnswer where an issue could not be stored: then the watermark must not pass it."""
        if self.broken:
            named = list(self.broken.values())
            more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
            raise MalformedAnswer(
                f"Jira gives issues that cannot be right ({'; '.join(named[:_NAMED])}{more}); all others are stored. Have "
                "an administrator of Jira look at them."
            )


def _joined(answers: Sequence[JiraIssues]) -> Sequence[JiraIssues]:
    """These as one, as old as the oldest; the state of an issue that is in several is that of the last of them."""
    if len(answers) < 2:
        return answers
    issues = {issue.issue_id: issue for answer in answers for issue in answer.issues}
    return [JiraIssues(tuple(issues.values()), (), {}, min(answer.read_at for answer in answers))]


def still_selected(connection: Connection, project: SelectedProject) -> SelectedProject:
    """The row as it is now. Raises PermanentFailure if the project was taken out of the file meanwhile."""
    now = jira_projects.get(connection, project.entry)
    if now is None or not now.is_tracked:
        raise PermanentFailure(
            f"{project.label} was taken out of jira.projects while it was being synced; its sync is over."
        )
    return now


def done(context: JiraContext, read_at: datetime) -> Mapping[str, Any]:
    """The columns of a project of which everything until then is stored."""
    now = utc_now()
    return {
        "status": "ok",
        "last_error": None,
        "last_failure": None,
        "last_attempt_at": now,
        "last_sync_at": now,
        "watermark_at": read_at - context.overlap,
    }
