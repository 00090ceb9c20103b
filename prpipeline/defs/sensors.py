"""What happens without a clock: new repositories get their history, and finished syncs get published."""

import hashlib
import json
from collections.abc import Sequence

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

from prpipeline.app.pipeline import Pipeline
from prpipeline.defs.assets import PUBLISHED_DATABASE
from prpipeline.defs.instance import end_orphans
from prpipeline.defs.jobs import SYNCED_KEYS, publish_job, reconcile_job, sync_job
from prpipeline.defs.partitions import repository_partitions
from prpipeline.defs.schedules import named_in, run_request
from prpipeline.model.failures import ApiFailure
from prpipeline.settings import ConfigurationError
from prpipeline.warehouse.tracking import Tracked

_PARTITIONS = "prpipeline/partitions"

# A run with this tag publishes by itself.
PUBLISHES_ITSELF_TAG = "prpipeline/publishes"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dg.sensor(
    name="tracking",
    job=sync_job,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Follows repositories.yaml, the command line and partitions added here; new repositories get "
    "their history at once.",
)
def tracking_sensor(
    context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.SensorResult | dg.SkipReason:
    end_orphans(context.instance)
    state = json.loads(context.cursor) if context.cursor else {}
    partitions = set(context.instance.get_dynamic_partitions(repository_partitions.name or ""))
    followed, problems = _follow_file(pipeline, state.get("file"))
    problems += pipeline.tracking.adopt(_added_by_hand(context.instance, pipeline, partitions))
    tracked = pipeline.tracking.tracked_rows()
    # A repository is asked for once each time it is tracked: the daily schedule takes up those that fail.
    new = {t.tracked_as: t.tracked_at.isoformat() for t in tracked if _is_new(t)}
    asked = {key: at for key, at in state.get("asked", {}).items() if new.get(key) == at}
    under_way = _under_way(context.instance) if new else set()
    to_ask = [key for key, at in new.items() if asked.get(key) != at and key not in under_way]
    for sentence in problems:
        context.log.warning(sentence)
    cursor = json.dumps({"file": followed, "asked": asked | {key: new[key] for key in to_ask}})
    keys = {t.tracked_as for t in tracked}
    _remember(context.instance, keys)
    return dg.SensorResult(
        run_requests=_histories(to_ask, new, pipeline.settings.sync.batch_size),
        dynamic_partitions_requests=_partition_changes(partitions, keys),
        skip_reason=None if to_ask else " ".join(problems) or "Nothing new is tracked.",
        cursor=cursor,
    )


def _follow_file(pipeline: Pipeline, seen: str | None) -> tuple[str | None, list[str]]:
    try:
        return pipeline.follow_file(seen), []
    except (ConfigurationError, ApiFailure) as error:
        return seen, [str(error)]


def _added_by_hand(instance: dg.DagsterInstance, pipeline: Pipeline, partitions: set[str]) -> set[str]:
    """The partitions that were added in the UI; those that were there before were untracked meanwhile."""
    remembered = instance.daemon_cursor_storage.get_cursor_values({_PARTITIONS}).get(_PARTITIONS)
    before = json.loads(remembered) if remembered else (t.tracked_as for t in pipeline.tracking.known_rows())
    return partitions.difference(before)


def _remember(instance: dg.DagsterInstance, keys: set[str]) -> None:
    # Not in the sensor's cursor, of which every tick keeps a copy.
    instance.daemon_cursor_storage.set_cursor_values({_PARTITIONS: json.dumps(sorted(keys))})


def _is_new(tracked: Tracked) -> bool:
    return tracked.last_attempt_at is None or tracked.last_attempt_at < tracked.tracked_at


def _under_way(instance: dg.DagsterInstance) -> set[str]:
    """The repositories that runs are about already, such as those of a command line."""
    runs = instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED, job_name=sync_job.name))
    return {name for run in runs for name in named_in(run.run_config)}


def _histories(names: Sequence[str], tracked_at: dict[str, str], size: int) -> list[dg.RunRequest]:
    requests = []
    for start in range(0, len(names), size):
        batch = list(names[start : start + size])
        digest = hashlib.sha256(json.dumps([[n, tracked_at[n]] for n in batch]).encode()).hexdigest()[:16]
        requests.append(run_request(f"history:{digest}", batch))
    return requests


def _partition_changes(
    have: set[str], wanted: set[str]
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if wanted - have:
        changes.append(repository_partitions.build_add_request(sorted(wanted - have)))
    if have - wanted:
        changes.append(repository_partitions.build_delete_request(sorted(have - wanted)))
    return changes


@dg.sensor(
    name="publish_after_sync",
    job=publish_job,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Publishes once when the last of the syncs and backfills under way has ended, well or not.",
)
def publish_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    # Not a run status sensor: there is one for each status, and a batch that ends both ways would publish twice.
    instance = context.instance
    if any(_is_sync(run) for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))):
        return dg.SkipReason("Syncs are under way; the last of them is followed by a publication.")
    if instance.get_backfills(filters=BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])):
        return dg.SkipReason("A backfill is under way; its end is followed by a publication.")
    published = _last_publication(instance)
    ended = instance.get_run_records(
        dg.RunsFilter(
            statuses=_ENDED,
            updated_after=published.create_timestamp if published else None,
        )
    )
    newest = max(
        (r for r in ended if _is_sync(r.dagster_run) and (r.end_time or 0) > _started(published)),
        key=lambda record: record.end_time or 0,
        default=None,
    )
    if newest is None:
        return dg.SkipReason("No sync has ended since the last publication.")
    return dg.RunRequest(run_key=f"publish-after-{newest.dagster_run.run_id}")


def _last_publication(instance: dg.DagsterInstance) -> dg.RunRecord | None:
    event = instance.get_latest_materialization_event(PUBLISHED_DATABASE)
    return instance.get_run_record_by_id(event.run_id) if event else None


def _started(record: dg.RunRecord | None) -> float:
    return (record.start_time or 0) if record else 0


def _is_sync(run: dg.DagsterRun) -> bool:
    """Whether a run changes what is to be published, and does not publish by itself."""
    selected = run.asset_selection or set()
    if PUBLISHES_ITSELF_TAG in run.tags or PUBLISHED_DATABASE in selected:
        return False
    return run.job_name in {sync_job.name, reconcile_job.name} or bool(selected & SYNCED_KEYS)
