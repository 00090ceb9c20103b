"""What became of each repository, as Dagster's events: a run's own bookkeeping knows only all or nothing."""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

# Dagster counts a partition as failed that a run planned and did not deliver, and has no public way to say so of single
# partitions. test_private_api.py fails where this changes.
from dagster._core.events import AssetMaterializationPlannedData

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.types import Summary, SyncResult
from prpipeline.defs import metadata

# An event costs Dagster about 9 ms and 5 KB: of many repositories only those that changed get one, and only the first
# of a run get a preview and a picture.
FEW = 50

WHY = "why it failed"


class Reporter:
    """Reports the partitions of the selected assets, one by one."""

    def __init__(self, pipeline: Pipeline, keys: Sequence[dg.AssetKey]) -> None:
        self._pipeline = pipeline
        self._keys = keys
        self._reported = 0

    def materializations(
        self,
        results: Mapping[str, SyncResult | None],
        before: Mapping[str, Mapping[str, int]] | None = None,
    ) -> Iterator[dg.AssetMaterialization]:
        """An event per repository and asset; ``before`` has the row counts from before the sync."""
        if not results:
            return
        summaries = self._pipeline.stored.summaries(list(results))
        ids = {row.tracked_as: row.repository_id for row in self._pipeline.tracking.tracked_rows()}
        for name, result in results.items():
            summary, repository_id = summaries.get(name, Summary()), ids.get(name)
            self._reported += 1
            for key in self._keys:
                table = key.path[-1]
                rows_before = None if before is None else before.get(name, {}).get(table, 0)
                entries = metadata.of_partition(table, summary, result, rows_before)
                if self._reported <= FEW and repository_id is not None:
                    rows = self._pipeline.stored.preview(table, repository_id)
                    entries = metadata.to_look_at(table, summary, rows) | entries
                yield dg.AssetMaterialization(key, partition=name, metadata=entries)

    def reasons(
        self,
        failed: Sequence[SyncResult],
        instance: dg.DagsterInstance,
        more: metadata.Metadata | None = None,
    ) -> Iterator[dg.AssetObservation]:
        """Why these failed, for the pages of their partitions; a reason that is there already is not repeated."""
        for result in failed[:FEW]:
            for key in self._keys:
                if not is_shown(instance, key, result.tracked_as, result.error or ""):
                    yield dg.AssetObservation(
                        key, partition=result.tracked_as, metadata={WHY: result.error or "", **(more or {})}
                    )

    def plan(self, failed: Sequence[SyncResult], context: dg.AssetExecutionContext) -> None:
        """Let these show as failed."""
        show_as_failed(context.op_execution_context, self._keys, [result.tracked_as for result in failed])


def show_as_failed(
    context: dg.OpExecutionContext, keys: Sequence[dg.AssetKey], partitions: Sequence[str]
) -> None:
    """Let these partitions show as failed where the run itself has planned none."""
    for partition in partitions:
        for key in keys:
            event = dg.DagsterEvent.build_asset_materialization_planned_event(
                context.run.job_name,
                context.op_handle.name,
                AssetMaterializationPlannedData(key, partition=partition),
            )
            context.instance.report_dagster_event(event, context.run.run_id)


def is_shown(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str, why: str) -> bool:
    """Whether the partition's page gives this reason: it shows what was observed since the last materialization."""
    where = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
    observed = instance.fetch_observations(where, limit=1).records
    made = instance.fetch_materializations(where, limit=1).records
    if not observed or (made and made[0].storage_id > observed[0].storage_id):
        return False
    observation = observed[0].asset_observation
    return observation is not None and getattr(observation.metadata.get(WHY), "value", None) == why
