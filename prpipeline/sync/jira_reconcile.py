"""What moves no time stamp: issues that were deleted, hidden, moved away, archived. Compares all ids of a project with ours.

An issue that Jira does not show any more is marked, never removed; and not even that where so many vanish at once that a
permission is the likelier reason.
"""

from __future__ import annotations

import logging

from prpipeline.model.failures import AccessDenied, BadCredentials
from prpipeline.sync.jira_context import JiraContext
from prpipeline.warehouse import jira_projects, jira_records
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.jira_projects import SelectedProject

log = logging.getLogger("prpipeline")

_FEW = 5  # may vanish at once whatever their share, but for all
_SHARE = 0.1
_ASKED_AT_ONCE = 100


def reconcile(context: JiraContext, project: SelectedProject) -> None:
    """Read what we lack, and mark what is gone. Raises ApiFailure; then nothing is marked."""
    assert project.project_id is not None
    listed = context.source.all_ids(project.project_id)
    with context.warehouse.transaction() as connection:
        ours = jira_records.present(connection, project.project_id)
        moved = jira_records.moved_away(connection, project)
    context.read(project, sorted(listed - ours))
    context.check_broken()
    vanished = _vanished(context, project, sorted(ours - listed), len(ours))
    vanished += _vanished_elsewhere(context, project, moved)
    if vanished and context.source.account().account_id != context.account_id:
        raise BadCredentials(
            "Jira takes us for another account than a moment ago; nothing was marked as gone."
        )
    now = utc_now()
    with context.warehouse.transaction() as connection:
        if vanished:
            jira_records.mark_gone(connection, vanished, now)
            jira_projects.update(connection, project.entry, changed_at=now)
        jira_projects.update(connection, project.entry, reconciled_at=now)
    context.removed += len(vanished)


def _vanished(context: JiraContext, project: SelectedProject, unlisted: list[int], held: int) -> list[int]:
    """Those that Jira shows in no way of asking; what it does show, in another project or archived, is written.

    Raises AccessDenied where they are too many.
    """
    vanished: list[int] = []
    for start in range(0, len(unlisted), _ASKED_AT_ONCE):
        vanished += context.read(project, unlisted[start : start + _ASKED_AT_ONCE])
        if len(vanished) > max(_FEW, _SHARE * held) or (held and len(vanished) == held):
            raise AccessDenied(
                f"{len(vanished):,} or more of the {held:,} issues of {project.label} vanished at once: the account has most "
                "likely lost a permission (Browse projects, or issue security). Nothing was marked as gone; give it back, or "
                "deselect the project."
            )
    context.check_broken()
    return vanished


def _vanished_elsewhere(context: JiraContext, project: SelectedProject, moved: list[int]) -> list[int]:
    """Read again the issues that moved from here to where no sync looks; those that Jira does not show any more.

    None where they are many: who may not see where they went cannot tell. That holds up no other issue.
    """
    vanished: list[int] = []
    for start in range(0, len(moved), _ASKED_AT_ONCE):
        vanished += context.read(project, moved[start : start + _ASKED_AT_ONCE])
        if len(vanished) > max(_FEW, _SHARE * len(moved)):
            log.info(
                "%s: issues that moved away are not shown any more; they stay as they were.", project.label
            )
            vanished = []
            break
    context.check_broken()
    return vanished
