"""How a repository came to be tracked, how it is, and how it was synced: the words that are stored."""

from __future__ import annotations

from typing import Literal

TrackedBy = Literal["file", "cli", "ui", "demo"]
"""repositories.yaml, the command line, a partition added in Dagster's UI, or ``prpipeline demo``."""

RepositoryStatus = Literal["new", "ok", "failed", "gone", "forbidden"]
"""new: never synced. gone: GitHub no longer shows it. forbidden: the token may not see it. failed: anything else."""

SyncMode = Literal["history", "increment", "reconcile", "unchanged", "failed"]
"""What a sync of one repository did."""

Caller = Literal["command_line", "dagster", "python"]
"""What started a sync or a publication."""
