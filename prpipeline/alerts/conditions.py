"""What is wrong now, and what it has in common with what was wrong before: by that, each target is told once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from prpipeline.model import failures
from prpipeline.model.failures import ApiFailure, FailureKind, MustWait, TransientFailure
from prpipeline.model.redaction import redact
from prpipeline.model.repository import without_name
from prpipeline.model.tracking import Caller
from prpipeline.settings import ConfigurationError
from prpipeline.warehouse import WarehouseError
from prpipeline.warehouse.alerts import Told, Trouble
from prpipeline.warehouse.jira_projects import SelectedProject
from prpipeline.warehouse.tracking import Tracked


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is wrong; ``told`` is what makes it the same thing tomorrow."""

    told: Told
    says: str
    team: str | None = None


def conditions(
    tracked: Sequence[Tracked],
    troubles: Sequence[Trouble],
    stale_after: timedelta | None,
    now: datetime,
    unannounced: Mapping[str, str] = MappingProxyType({}),
    projects: Sequence[SelectedProject] = (),
) -> Iterator[Condition]:
    """Everything that is wrong; no freshness where ``stale_after`` is None.

    ``unannounced``: by tracked name, what to say where deliveries of webhooks stopped. A repository or project of Jira
    whose sync failed is not also called stale.
    """
    for trouble in troubles:
        yield Condition(Told(trouble.kind, trouble.caller, trouble.cause), trouble.says)
    for row in tracked:
        if row.tracked_as in unannounced:
            yield Condition(Told("webhooks", row.tracked_as, ""), unannounced[row.tracked_as], row.team)
        if row.last_error is not None:
            cause = cause_of(without_name(row.tracked_as, row.last_error), row.last_failure)
            yield Condition(Told("sync", row.tracked_as, cause), row.last_error, row.team)
        elif stale_after is not None and (row.last_sync_at or row.tracked_at) < now - stale_after:
            says = _stale(row.last_sync_at, stale_after, "tracked")
            yield Condition(Told("freshness", row.tracked_as, ""), says, row.team)
    for project in projects:
        seen_at = project.last_sync_at or project.changed_at
        if project.last_error is not None:
            nameless = project.last_error.replace(project.label, "it").replace(project.entry, "it")
            cause = cause_of(nameless, project.last_failure)
            yield Condition(Told("jira", project.entry, cause), project.last_error)
        elif stale_after is not None and seen_at is not None and seen_at < now - stale_after:
            says = _stale(project.last_sync_at, stale_after, "selected")
            yield Condition(Told("jira_freshness", project.entry, ""), says)


def run_trouble(caller: Caller, error: Exception, now: datetime) -> Trouble:
    """What stopped a run, as a trouble; of an exception that is no sentence for people, the type as well."""
    is_sentence = isinstance(error, (ApiFailure, WarehouseError, ConfigurationError))
    says = redact(str(error) if is_sentence else f"Unexpected: {type(error).__name__}: {error}")
    kind = error.kind if isinstance(error, ApiFailure) else None
    return Trouble("run", caller, cause_of(says, kind), says, now)


def cause_of(text: str, kind: FailureKind | None) -> str:
    """What a failure has in common with tomorrow's.

    All trouble with GitHub, Jira or the network is one cause, all limits another: within an outage, messages change. What
    lasts, such as a missing permission, goes by its message without numbers: times and ids of requests change each day.
    """
    failure = getattr(failures, kind) if kind else None
    for family in (MustWait, TransientFailure):
        if failure is not None and issubclass(failure, family):
            return family.__name__
    return re.sub(r"\d+", "#", text)


def _stale(last_sync_at: datetime | None, stale_after: timedelta, since: str) -> str:
    hours = stale_after.total_seconds() / 3600
    if last_sync_at is None:
        return f"Never synced, though {since} for more than {hours:,.0f} hours."
    return f"Not synced for more than {hours:,.0f} hours. Is what should sync it running?"
