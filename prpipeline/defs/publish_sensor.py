"""The sensor that publishes once after a batch of syncs, unless they changed nothing."""

import dagster as dg

from prpipeline.defs import runs
from prpipeline.defs.jobs import SYNC_JOBS, publish_job
from prpipeline.defs.resources import PipelineResource


@dg.sensor(
    name="publish_after_sync",
    job=publish_job,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Publishes once when the last of the syncs and backfills under way has ended, well or not. Syncs that "
    "changed nothing are followed by one publication a day.",
)
def publish_sensor(
    context: dg.SensorEvaluationContext, pipeline: PipelineResource
) -> dg.RunRequest | dg.SkipReason:
    # Not a run status sensor: there is one for each status, and a batch that ends both ways would publish twice.
    instance = context.instance
    unfinished = instance.get_runs(dg.RunsFilter(statuses=runs.UNFINISHED))
    if any(runs.is_sync(run, SYNC_JOBS) for run in unfinished):
        return dg.SkipReason("Syncs are under way; the last of them is followed by a publication.")
    if runs.is_backfilling(instance):
        return dg.SkipReason("A backfill is under way; its end is followed by a publication.")
    published = runs.last_publication(instance)
    waiting = runs.unpublished(instance, SYNC_JOBS)
    if not waiting:
        return dg.SkipReason(
            f"No sync has ended since the publication of {published[1]:%Y-%m-%d %H:%M} UTC."
            if published
            else "No sync has ended yet."
        )
    if not pipeline.open().has_news():
        since = (
            f"the publication of {published[1]:%Y-%m-%d %H:%M} UTC" if published else "the last publication"
        )
        return dg.SkipReason(f"Nothing has changed since {since}; without changes there is one a day.")
    return dg.RunRequest(run_key=f"publish-after-{waiting[0].dagster_run.run_id}")
