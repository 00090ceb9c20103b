"""Jira for the pipeline: its sync, what it would cost, what a credential may do. Imported only where Jira is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import ceil

from msgspec.structs import replace

from prpipeline.app import credential_locks
from prpipeline.jira.cloud import CloudSource
from prpipeline.jira.connection import Connection, connect
from prpipeline.jira.sources import JiraEdition, open_source
from prpipeline.model.failures import ApiFailure
from prpipeline.model.jira import JiraProject
from prpipeline.model.repository import listed
from prpipeline.settings import ConfigurationError, Settings, SyncSettings
from prpipeline.sync import SyncOptions
from prpipeline.sync.jira_context import AT_ONCE
from prpipeline.sync.jira_syncer import JiraResult, JiraSyncer
from prpipeline.warehouse import Warehouse, alerts, host, jira_projects, jira_records
from prpipeline.warehouse.jira_projects import SelectedProject

__all__ = [
    "Connection",
    "JiraEstimate",
    "JiraResult",
    "connect_to",
    "delete_data",
    "estimate",
    "opened",
    "sync",
]

_SECONDS_A_REQUEST = 1.0  # bulk requests on Jira Cloud, one after the other
_ATTEMPTS = 2


def sync(
    settings: Settings, warehouse: Warehouse, entries: Sequence[str], options: SyncOptions
) -> Iterator[JiraResult]:
    """See ``Pipeline.sync_jira``."""
    jira = settings.connected_jira()
    opened: list[JiraEdition] = []

    def open_one() -> JiraEdition:
        opened.append(open_source(jira, settings.jira_options, settings.sync))
        return opened[0]

    try:
        with closing(warehouse.store.leases()) as leases:
            credential_locks.take_for_jira(jira, leases)
            address = host.DEMO if settings.is_demo else None
            syncer = JiraSyncer(open_one, warehouse, settings.sync, address=address)
            yield from syncer.sync(entries, options)
    finally:
        for source in opened:
            source.close()


def opened(settings: Settings, *, impatient: bool = False) -> JiraEdition:
    """A source to ask by hand. ``impatient``: with few attempts, for who waits for the answer.

    Raises ConfigurationError, ApiFailure.
    """
    sync = _impatient(settings.sync) if impatient else settings.sync
    return open_source(settings.connected_jira(), settings.jira_options, sync)


def delete_data(settings: Settings, warehouse: Warehouse, names: Sequence[str]) -> list[str]:
    """Delete what is stored of projects that are no longer selected, named by entry, key or number; all of them or none.

    Returns what people call them. Raises ConfigurationError for one that is selected or unknown, WarehouseError.
    """
    if not warehouse.exists():
        raise ConfigurationError("Nothing is stored yet.")
    with warehouse.transaction() as connection:
        known, is_sample = jira_projects.all_known(connection), jira_projects.holds_samples(connection)
        chosen = [_deletable(settings, known, name, is_sample=is_sample) for name in names]
        for project in {project.entry: project for project in chosen}.values():
            jira_records.delete_project(connection, project)
            alerts.forget(connection, project.entry)
    return [project.label for project in chosen]


def _deletable(
    settings: Settings, known: Sequence[SelectedProject], name: str, *, is_sample: bool
) -> SelectedProject:
    found = [
        project
        for project in known
        if name.upper() in {project.entry.upper(), str(project.project_id), *project.keys}
    ]
    if not found:
        stored = listed([project.label for project in known])
        raise ConfigurationError(f"Nothing is stored of a project {name}; stored are: {stored or 'none'}.")
    if is_sample:
        raise ConfigurationError(
            f"{found[0].label} is of the demo; its samples go when the first real repository is read."
        )
    if selected := [project for project in found if project.is_tracked]:
        raise ConfigurationError(
            f"{selected[0].label} is selected, so that the next sync would read it again: take it out of jira.projects in "
            f"{settings.repositories_file} first."
        )
    return found[0]


def connect_to(settings: Settings) -> Connection:
    """What the credential is, where it works and what it may. Raises ConfigurationError, ApiFailure."""
    return connect(settings.connected_jira(), settings.jira_options, _impatient(settings.sync))


def _impatient(sync: SyncSettings) -> SyncSettings:
    return replace(sync, attempts=min(_ATTEMPTS, sync.attempts), max_wait_minutes=0)


# ── the cost ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class JiraEstimate:
    """The cost of one project's history; ``error`` says why there is none."""

    project: str
    issues: int | None
    requests: int
    seconds: float
    error: str | None = None


def estimate(settings: Settings) -> list[JiraEstimate]:
    """The cost of the histories of all selected projects; asks Jira for counts only."""
    entries = settings.jira_options.entries
    try:
        source = opened(settings, impatient=True)
    except ApiFailure as failure:
        return [JiraEstimate(entry, None, 0, 0.0, str(failure)) for entry in entries]
    try:
        found = source.find_projects(entries)
        return [_of_one(source, entry, found[entry]) for entry in entries]
    except ApiFailure as failure:
        return [JiraEstimate(entry, None, 0, 0.0, str(failure)) for entry in entries]
    finally:
        source.close()


def _of_one(source: JiraEdition, entry: str, found: JiraProject | ApiFailure) -> JiraEstimate:
    if isinstance(found, ApiFailure):
        return JiraEstimate(entry, None, 0, 0.0, str(found))
    try:
        issues = source.count(found.project_id)
    except ApiFailure as failure:
        return JiraEstimate(found.project_key, None, 0, 0.0, str(failure))
    requests = history_requests(issues, is_cloud=isinstance(source, CloudSource))
    return JiraEstimate(found.project_key, issues, requests, requests * _SECONDS_A_REQUEST)


def history_requests(issues: int, *, is_cloud: bool) -> int:
    """Pages of ids, issues by the hundred, changelogs of ``AT_ONCE`` issues; and those that each sync begins with."""
    first = 5
    if not is_cloud:
        return first + max(1, ceil(issues / 100))
    return first + max(1, ceil(issues / 5_000)) + ceil(issues / 100) + ceil(issues / AT_ONCE)
