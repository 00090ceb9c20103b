"""The stored words for how a repository or project is tracked, its status, and how it was synced."""

from __future__ import annotations

from typing import Literal

from prpipeline.model.failures import AccessDenied, ApiFailure, NotFound

TrackedBy = Literal["file", "cli", "ui", "demo"]
"""repositories.yaml, the command line, a partition added in Dagster's UI, or ``prpipeline demo``."""

RepositoryStatus = Literal["new", "ok", "failed", "gone", "forbidden"]
"""new: never synced. gone: it is shown no longer. forbidden: the token may not see it. failed: anything else."""

SyncMode = Literal["history", "increment", "reconcile", "unchanged", "failed"]
"""The kind of sync that one repository had."""

Caller = Literal["command_line", "dagster", "python", "webhooks"]
"""The program that started a sync or a publication; webhooks: a drain of their inbox outside Dagster."""


def status_after(failure: ApiFailure, *, was_seen: bool) -> RepositoryStatus:
    """What a failed sync makes of it; what was never seen is not gone."""
    if isinstance(failure, NotFound) and was_seen:
        return "gone"
    return "forbidden" if isinstance(failure, AccessDenied) else "failed"
