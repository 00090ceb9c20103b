"""How long Dagster's records of runs are kept: it has no limit for them, and they would outgrow the data.

The warehouse, with its own history of syncs (``meta.syncs``), is not touched.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from prpipeline.app.stores import tidy_warehouse
from prpipeline.defs.resources import PipelineResource

_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_AT_ONCE = 200


def forget_old_runs(instance: dg.DagsterInstance, keep: timedelta) -> int:
    """Delete the runs that ended longer ago than ``keep``; how many.

    One stays that the newest materialization of something came from, of a repository which did not change since: its
    partition would count as never materialized.
    """
    before = datetime.now(UTC) - keep
    old = dg.RunsFilter(statuses=_FINISHED, updated_before=before)
    found = {run.run_id for run in instance.get_runs(old)}
    forgotten = found - set(_sources_of_the_newest(instance, before)) if found else set()
    for run_id in forgotten:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        file_of = getattr(instance.event_log_storage, "path_for_shard", None)
        if file_of is not None:  # SQLite: delete_run empties the run's file, and leaves it
            Path(file_of(run_id)).unlink(missing_ok=True)
    return len(forgotten)


def _sources_of_the_newest(instance: dg.DagsterInstance, before: datetime) -> Iterator[str]:
    """The runs of before that moment whose materializations nothing has superseded."""
    storage, materialized = instance.event_log_storage, dg.DagsterEventType.ASSET_MATERIALIZATION
    for key in instance.all_asset_keys():
        event = instance.get_latest_materialization_event(key)
        if event:
            yield event.run_id
        then = dg.AssetRecordsFilter(asset_key=key, before_timestamp=before.timestamp())
        last = instance.fetch_materializations(then, limit=1).records
        if not last:
            continue
        newest = storage.get_latest_storage_id_by_partition(key, materialized).values()
        ids = [storage_id for storage_id in newest if storage_id <= last[0].storage_id]
        for start in range(0, len(ids), _AT_ONCE):
            some = dg.AssetRecordsFilter(asset_key=key, storage_ids=ids[start : start + _AT_ONCE])
            yield from (
                record.run_id for record in instance.fetch_materializations(some, limit=_AT_ONCE).records
            )


@dg.op(description="Forget finished runs that are older than schedule.keep_runs_days.")
def forget_runs(context: dg.OpExecutionContext, pipeline: PipelineResource) -> None:
    days = pipeline.open().settings.schedule.keep_runs_days
    count = forget_old_runs(context.instance, timedelta(days=days))
    context.log.info(f"{count} runs that ended more than {days} days ago are forgotten.")


@dg.op(
    description="Merge a lake's small files, and remove those that nobody needs; a local file needs none of it."
)
def tidy_lake(context: dg.OpExecutionContext, pipeline: PipelineResource) -> None:
    context.log.info(tidy_warehouse(pipeline.open().settings))


@dg.job(
    name="tidy",
    description="Forget finished runs that are older than schedule.keep_runs_days, except where a partition's newest "
    "numbers come from one; merge the small files of a warehouse that is a lake. Loses no data.",
    executor_def=dg.in_process_executor,
)
def tidy_job() -> None:
    forget_runs()
    tidy_lake()
