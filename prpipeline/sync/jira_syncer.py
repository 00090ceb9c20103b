"""Syncs the selected projects of Jira, one after the other. One bad project harms no other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from prpipeline.model.failures import (
    ApiFailure,
    BadCredentials,
    FailureKind,
    LimitReached,
    PermanentFailure,
)
from prpipeline.model.jira import JiraProject
from prpipeline.model.sql import Connection
from prpipeline.model.tracking import SyncMode, status_after
from prpipeline.settings import SyncSettings
from prpipeline.sync.jira_context import JiraContext, still_selected
from prpipeline.sync.jira_history import sync_history
from prpipeline.sync.jira_increment import sync_increment
from prpipeline.sync.jira_reconcile import reconcile
from prpipeline.sync.jira_source import JiraSource
from prpipeline.sync.syncer import SyncOptions
from prpipeline.warehouse import Warehouse, host, jira_projects, jira_records
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.jira_projects import SelectedProject

log = logging.getLogger("prpipeline")

_PLAIN = SyncOptions()


@dataclass(frozen=True, slots=True)
class JiraResult:
    """How the sync of one project went."""

    entry: str
    project: str  # its key now, or the entry where that is not known
    project_id: int | None
    mode: SyncMode
    issues: int = 0  # read and written
    removed: int = 0  # that Jira shows no more
    requests: int = 0
    seconds: float = 0.0
    window_end: datetime | None = None  # everything that changed until here is in the warehouse
    error: str | None = None
    failure: FailureKind | None = None

    @property
    def failed(self) -> bool:
        return self.mode == "failed"


class JiraSyncer:
    """Brings selected projects up to date. ``open_source`` may fail like any request, so it is part of the sync.

    ``address``: what to remember as the Jira that the data are of, where that is not its site.
    """

    def __init__(
        self,
        open_source: Callable[[], JiraSource],
        warehouse: Warehouse,
        settings: SyncSettings,
        *,
        address: str | None = None,
    ) -> None:
        self._open = open_source
        self._address = address
        self._warehouse = warehouse
        self._settings = settings
        self._context: JiraContext | None = None
        self._found: dict[str, JiraProject | ApiFailure] = {}
        self._charged = 0

    def sync(self, entries: Sequence[str], options: SyncOptions = _PLAIN) -> Iterator[JiraResult]:
        """Sync projects by the entries of the file; a result each, as each is done.

        Raises WarehouseError, OtherHost; what Jira does wrong is in the results.
        """
        with self._warehouse.session():
            with self._warehouse.transaction() as connection:
                rows = {project.entry: project for project in jira_projects.selected(connection)}
            chosen = [rows[entry] for entry in dict.fromkeys(entries) if entry in rows]
            started = time.monotonic()
            shared: ApiFailure | None = None
            try:
                self._begin(chosen)
            except ApiFailure as failure:
                shared = failure
            for project in chosen:
                result, shared = self._one(project, options, shared, started)
                started = time.monotonic()
                yield result

    def _begin(self, chosen: Sequence[SelectedProject]) -> None:
        """What all projects share: who asks, which site, its statuses and projects. Raises ApiFailure."""
        source = self._open()
        context = self._context = JiraContext(source, self._warehouse, self._settings)
        account = source.account()
        context.account_id = account.account_id
        statuses = source.statuses()
        # By number where it is known: keys change.
        asked = {project.entry: str(project.project_id or project.entry) for project in chosen}
        found = source.find_projects(list(dict.fromkeys(asked.values())))
        self._found = {entry: found[name] for entry, name in asked.items()}
        known = [project for project in found.values() if isinstance(project, JiraProject)]
        context.projects = {project.project_id: project for project in known}
        with self._warehouse.transaction() as connection:
            host.claim(connection, "jira", self._address or host.normalised(source.site))
            if jira_projects.note_account(connection, account.account_id, utc_now()):
                log.warning("Jira is asked as another account than before; it may see other issues.")
            if jira_records.write_statuses(connection, statuses):
                jira_projects.touch_all(connection, utc_now())

    def _one(
        self,
        project: SelectedProject,
        options: SyncOptions,
        shared: ApiFailure | None,
        started: float,
    ) -> tuple[JiraResult, ApiFailure | None]:
        """The result of one project, and a failure that is every project's if there is one now."""
        mode: SyncMode = "increment"
        failure = shared
        if failure is None:
            assert self._context is not None
            context = self._context
            context.written, context.removed, context.broken = 0, 0, {}
            try:
                project = self._resolved(context, project)
                mode = "history" if options.full or project.history_done_at is None else "increment"
                mode = self._work(context, project, mode, options)
            except ApiFailure as caught:
                failure = caught
                shared = caught if isinstance(caught, (BadCredentials, LimitReached)) else None
        return self._recorded(project, "failed" if failure else mode, failure, options, started), shared

    def _resolved(self, context: JiraContext, project: SelectedProject) -> SelectedProject:
        """The project with what Jira says of it now. Raises ApiFailure where it shows none."""
        found = self._found[project.entry]
        if isinstance(found, ApiFailure):
            raise type(found)(str(found))
        with self._warehouse.transaction() as connection:
            project = still_selected(connection, project)
            if project.project_id is None:
                self._adopt(connection, project, found)
            jira_projects.update(
                connection,
                project.entry,
                project_id=found.project_id,
                project_key=found.project_key,
                former_keys=list(found.former_keys),
                name=found.name,
            )
            if jira_records.rename_project(connection, found, context.source.site):
                jira_projects.update(connection, project.entry, changed_at=utc_now())
            return still_selected(connection, project)

    @staticmethod
    def _adopt(connection: Connection, project: SelectedProject, found: JiraProject) -> None:
        """Take over what is known of the project by another entry. Raises PermanentFailure where that is selected, too."""
        for other in jira_projects.all_known(connection):
            if other.entry != project.entry and other.project_id == found.project_id:
                if other.is_tracked:
                    raise PermanentFailure(
                        f"{project.entry} and {other.entry} are the same project; leave one of them in jira.projects."
                    )
                jira_projects.take_over(connection, project.entry, other)
                return

    @staticmethod
    def _work(
        context: JiraContext, project: SelectedProject, mode: SyncMode, options: SyncOptions
    ) -> SyncMode:
        if mode == "history":
            if project.history_done_at is not None:
                context.update(project, history_done_at=None, history_cursor=None, history_started_at=None)
                project = replace(project, history_cursor=None, history_started_at=None)
            sync_history(context, project)
        elif not sync_increment(context, project):
            mode = "unchanged"
        if options.reconcile:
            reconcile(context, project)
            if mode == "unchanged" and (context.written or context.removed):
                mode = "increment"
        return mode

    def _recorded(
        self,
        project: SelectedProject,
        mode: SyncMode,
        failure: ApiFailure | None,
        options: SyncOptions,
        started: float,
    ) -> JiraResult:
        now, seconds = utc_now(), round(time.monotonic() - started, 3)
        context = self._context
        requests = (context.source.usage.requests if context else 0) - self._charged
        self._charged += requests
        with self._warehouse.transaction() as connection:
            if failure and jira_projects.get(connection, project.entry):
                jira_projects.update(
                    connection,
                    project.entry,
                    status=status_after(failure, was_seen=project.project_id is not None),
                    last_error=str(failure),
                    last_failure=failure.kind,
                    last_attempt_at=now,
                )
            after = jira_projects.get(connection, project.entry) or project
            result = JiraResult(
                entry=project.entry,
                project=after.label,
                project_id=after.project_id,
                mode=mode,
                issues=context.written if context else 0,
                removed=context.removed if context else 0,
                requests=requests,
                seconds=seconds,
                window_end=after.watermark_at,
                error=str(failure) if failure else None,
                failure=failure.kind if failure else None,
            )
            if mode != "unchanged":
                row = {
                    "caller": options.caller,
                    "entry": result.entry,
                    "mode": mode,
                    "started_at": now - timedelta(seconds=seconds),
                    "finished_at": now,
                    "issues": result.issues,
                    "removed": result.removed,
                    "requests": requests,
                    "seconds": seconds,
                    "error": result.error,
                }
                jira_projects.record_syncs(connection, [row])
        return result
