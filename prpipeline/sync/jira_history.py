"""All issues of a project, page by page of ids; one that was killed goes on where it stopped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from prpipeline.model.failures import CursorRejected
from prpipeline.model.jira import JiraPage
from prpipeline.sync.gathering import gathered
from prpipeline.sync.jira_context import JiraContext, done
from prpipeline.warehouse import jira_records
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.jira_projects import SelectedProject


def sync_history(context: JiraContext, project: SelectedProject) -> None:
    """Read what is left of a project's history and mark it done. Raises ApiFailure."""
    try:
        _walk(context, project, project.history_cursor)
    except CursorRejected:  # it is good for seven days; what was read since the start is not read again
        _walk(context, project, None)


def _walk(context: JiraContext, project: SelectedProject, cursor: str | None) -> None:
    assert project.project_id is not None
    started_at = project.history_started_at

    def write(pages: Sequence[JiraPage]) -> None:
        changes = {"history_cursor": pages[-1].cursor} if pages[-1].cursor else {}
        context.write(project, *(page.whole for page in pages if page.whole is not None), **changes)

    with gathered(context.source, context.warehouse.store.batch_rows, write, _issues_of) as whole_pages:
        for page in context.source.walk(project.project_id, cursor):
            if started_at is None:
                started_at = page.read_at
                context.update(project, history_started_at=started_at)
            if page.whole is not None:
                whole_pages.add(page)
            else:
                changes = {"history_cursor": page.cursor} if page.cursor else {}
                context.read(project, _unread(context, page.issue_ids, started_at), **changes)
    assert started_at is not None
    if context.broken:  # the next sync walks again, and reads only what it does not have yet
        context.update(project, history_cursor=None)
        context.check_broken()
    context.update(
        project,
        **done(context, started_at),
        history_cursor=None,
        history_started_at=None,
        history_done_at=utc_now(),
    )


def _issues_of(page: JiraPage) -> int:
    return len(page.whole.issues) if page.whole else 0


def _unread(context: JiraContext, issue_ids: Collection[int], started_at: datetime) -> list[int]:
    """Those that were not read since the history began."""
    with context.warehouse.transaction() as connection:
        held = jira_records.held(connection, issue_ids)
    return [i for i in issue_ids if i not in held or held[i].is_gone or held[i].synced_at < started_at]
