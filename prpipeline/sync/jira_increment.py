"""What changed in a project since its watermark.

List, read what is newer than what we hold, list again until nothing is. There is no upper bound: an issue that changes
every few minutes would never lie below it. Before that, an issue whose time we know has to be found by its time.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from prpipeline.model.failures import MalformedAnswer
from prpipeline.model.jira import JiraPage
from prpipeline.sync.jira_context import JiraContext, done
from prpipeline.warehouse import jira_records
from prpipeline.warehouse.jira_projects import SelectedProject

log = logging.getLogger("prpipeline")

_MINUTE = timedelta(minutes=1)
_LATER = timedelta(minutes=10)  # zones differ by a quarter of an hour at least
_CANARIES = 3
_COARSEST = timedelta(seconds=1)  # some servers store no fractions of a second


def sync_increment(context: JiraContext, project: SelectedProject) -> bool:
    """Read what changed; whether anything did. Raises ApiFailure."""
    check_times(context, project)
    assert project.project_id is not None
    assert project.watermark_at is not None
    since, first_read_at = project.watermark_at, None
    before = context.written
    for round_number in range(max(2, context.settings.attempts)):
        newest, found = since, 0
        for page in context.source.changed(project.project_id, since):
            first_read_at = first_read_at or page.read_at
            found += _take(context, project, page, is_first=round_number == 0)
            newest = max([newest, *page.updated.values()])
        if not found:
            break
        since = newest  # what is listed late, with an earlier time, the next sync's overlap brings
    assert first_read_at is not None
    context.check_broken()
    context.update(project, **done(context, first_read_at))
    return context.written > before


def _take(context: JiraContext, project: SelectedProject, page: JiraPage, *, is_first: bool) -> int:
    """Read and write what of a page is newer than what we hold; how many those were."""
    updated = page.updated or {
        issue.issue_id: issue.updated_at for issue in (page.whole.issues if page.whole else ())
    }
    with context.warehouse.transaction() as connection:
        held = jira_records.held(connection, list(updated))

    def is_wanted(issue_id: int) -> bool:
        known, listed = held.get(issue_id), updated[issue_id]
        if known is None or known.is_gone or known.updated_at < listed:
            return True
        # It may have changed again in the very second in which it was read.
        return is_first and known.updated_at == listed and known.synced_at < listed + _COARSEST

    wanted = [issue_id for issue_id in updated if is_wanted(issue_id) and issue_id not in context.broken]
    if page.whole is None:
        missing = context.read(project, wanted)
        return len(wanted) - len(missing)  # listed and not shown: deleted, and the index does not know yet
    context.broken |= page.whole.broken
    chosen = tuple(issue for issue in page.whole.issues if issue.issue_id in set(wanted))
    if chosen:
        whole = page.whole
        context.write(project, type(whole)(chosen, (), {}, whole.read_at))
    return len(chosen)


def check_times(context: JiraContext, project: SelectedProject) -> None:
    """Whether Jira finds an issue by the time of its last change, and not by a later one. Raises MalformedAnswer.

    Where times were understood in another time zone than ours, changes of hours would be missed without a word. An issue
    that searching does not know, or knows in an earlier state than ours, is gone or ahead of the index, and cannot tell.
    """
    assert project.project_id is not None
    with context.warehouse.transaction() as connection:
        candidates = jira_records.newest(connection, project.project_id, _CANARIES)
    for issue_id, key, updated_at in candidates:
        since, later = updated_at - _MINUTE, (updated_at + _LATER).replace(second=0, microsecond=0)
        if context.source.indexed(issue_id, since) is None:
            known = context.source.indexed(issue_id, None)
            if known is None or known < updated_at:
                log.info("%s is gone, or Jira's index lags behind it; the next issue has to tell.", key)
                continue
            if context.source.indexed(issue_id, since, past_index=True) is None:
                raise _misunderstood(key, updated_at)
        listed = context.source.indexed(issue_id, later)
        if listed is not None and listed < later:
            raise _misunderstood(key, updated_at)
        return
    if candidates:
        log.info("%s: no issue is left by which to check how Jira understands times.", project.label)


def _misunderstood(key: str, updated_at: datetime) -> MalformedAnswer:
    return MalformedAnswer(
        f"Jira does not find {key} by the time of its last change, {updated_at:%Y-%m-%d %H:%M} UTC: it understands times in "
        "another way, and changes would be missed. Nothing was read; 'prpipeline jira connect' shows the account's time zone."
    )
