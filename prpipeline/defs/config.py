"""What a person or a schedule can say about a run, and which repositories the run then works on."""

import dagster as dg
from pydantic import Field

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.types import SyncResult
from prpipeline.defs import added_partitions
from prpipeline.defs.plain_failure import PlainFailure

_MOST_DAYS = 36_500


class SyncConfig(dg.Config):
    """What to sync, and how. Runs that only publish read none of it."""

    repositories: list[str] = Field(
        default=[],
        description="Tracked repositories (owner/name) to bring up to date. Empty: the chosen partitions, or "
        "all tracked repositories where none are chosen.",
    )
    # Bounds are checked by days() below: pydantic's own would show as a stack.
    days_back: int | None = Field(
        default=None,
        description="How many days of history to read of repositories that are new. Empty: as set for each.",
    )
    full: bool = Field(default=False, description="Read the whole history again from its start.")
    reconcile: bool = Field(
        default=False,
        description="Also find what GitHub does not report as a change: deletions and silent edits. Runs of job "
        "reconcile do so in any case, by their tag.",
    )

    def days(self) -> int | None:
        """``days_back``, valid. Raises PlainFailure."""
        if self.days_back is not None and not 1 <= self.days_back <= _MOST_DAYS:
            raise PlainFailure(
                f"days_back is {self.days_back}; write a number of days from 1 to {_MOST_DAYS}, or leave it empty."
            )
        return self.days_back


class Chosen:
    """The repositories of a run: those to sync by tracked name, and those that cannot be synced, as failed results."""

    def __init__(self, context: dg.AssetExecutionContext, config: SyncConfig, pipeline: Pipeline) -> None:
        self._context, self._pipeline = context, pipeline
        self.names: list[str] = []
        self.refused: list[SyncResult] = []
        self.is_partitioned = context.has_partition_key or context.has_partition_key_range
        if self.is_partitioned:
            self._by_partition(context.partition_keys)
        else:
            self._by_name(config.repositories)

    def __len__(self) -> int:
        return len(self.names) + len(self.refused)

    def _by_partition(self, keys: list[str] | tuple[str, ...]) -> None:
        """A partition that was added in the UI is tracked by the run itself; it need not wait for the sensor."""
        tracked = set(self._pipeline.tracking.tracked())
        untracked = [key for key in keys if key not in tracked]
        instance = self._context.instance
        added = added_partitions.added_by_hand(instance, self._pipeline, untracked)
        unknown = added_partitions.refused(instance, untracked)
        problems = dict(zip(untracked, self._adopt(untracked, added), strict=True))
        for key in keys:
            if key in tracked or problems.get(key) is None:
                self.names.append(key)
            elif key in unknown:
                self._refuse(key, "GitHub knew no such repository a moment ago, so its partition is removed.")
            elif key in added:
                self._refuse(key, problems[key] or "")
            else:
                self._pass_over(key)

    def _adopt(self, untracked: list[str], added: set[str]) -> list[str | None]:
        said = self._pipeline.tracking.adopt(added)
        now = {name.lower(): name for name in self._pipeline.tracking.tracked()}
        problems: list[str | None] = []
        for key in untracked:
            known = now.get(key.lower())
            if known == key:
                problems.append(None)
            elif known:
                problems.append(f"Tracked already as {known}; use that partition.")
            else:
                problems.append(next((s for s in said if repr(key) in s or key in s), "Not tracked."))
        return problems

    def _by_name(self, names: list[str]) -> None:
        """Names in any letter case. What is no longer tracked is passed over; what never was fails by itself."""
        tracked = {key.lower(): key for key in self._pipeline.tracking.tracked()}
        if not names:
            self.names = list(tracked.values())
            return
        known = {row.tracked_as.lower() for row in self._pipeline.tracking.known_rows()}
        is_repetition = self._context.run.parent_run_id is not None
        for name in names:
            if name.lower() not in tracked and (is_repetition or name.lower() in known):
                self._pass_over(name)
            else:
                self.names.append(tracked.get(name.lower(), name))

    def _refuse(self, key: str, why: str) -> None:
        self.refused.append(SyncResult(key, None, None, "failed", error=why, is_permanent=True))

    def _pass_over(self, name: str) -> None:
        self._context.log.info(f"{name} is no longer tracked; it is passed over.")
