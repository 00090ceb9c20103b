"""The sensor that makes partitions follow what is tracked, and asks for the history of what is new."""

import hashlib
import json
from collections.abc import Sequence

import dagster as dg

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.types import ApiFailure, ConfigurationError, Tracked
from prpipeline.defs import added_partitions, runs
from prpipeline.defs.batches import batches
from prpipeline.defs.jobs import SYNC_JOBS, sync_job
from prpipeline.defs.partitions import repository_partitions
from prpipeline.defs.resources import PipelineResource
from prpipeline.defs.schedules import named_in, sync_config

PARTITIONS = repository_partitions.name or ""


@dg.sensor(
    name="tracking",
    job=sync_job,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Follows repositories.yaml, the command line and partitions added here; new repositories get "
    "their history at once.",
)
def tracking_sensor(
    context: dg.SensorEvaluationContext, pipeline: PipelineResource
) -> dg.SensorResult | dg.SkipReason:
    return _tick(context, pipeline.open())


def _tick(context: dg.SensorEvaluationContext, pipeline: Pipeline) -> dg.SensorResult:
    instance = context.instance
    state = json.loads(context.cursor) if context.cursor else {}
    partitions = list(instance.get_dynamic_partitions(PARTITIONS))
    followed, problems = _follow_file(pipeline, state.get("file"))
    untracked = set(partitions).difference(pipeline.tracking.tracked())
    added = added_partitions.added_by_hand(instance, pipeline, untracked)
    # Not those of the last seconds: a person may be about to launch a run over one, and that run tracks it.
    problems += pipeline.tracking.adopt(added.intersection(state.get("added", [])))
    tracked = pipeline.tracking.tracked_rows()
    # A repository is asked for once each time it is tracked: the daily schedule takes up those that fail.
    new = {t.tracked_as: t.tracked_at.isoformat() for t in tracked if _is_new(t)}
    asked = {key: at for key, at in state.get("asked", {}).items() if new.get(key) == at}
    is_backfilling = runs.is_backfilling(instance)
    under_way = _under_way(instance, partitions) if new else set()
    # A backfill may be about to launch a run over them.
    to_ask = [
        key for key, at in new.items() if asked.get(key) != at and key not in under_way and not is_backfilling
    ]
    for sentence in problems:
        context.log.warning(sentence)
    keys = {t.tracked_as for t in tracked}
    # Dagster ends a backfill whose partitions are removed meanwhile.
    recent = added.difference(state.get("added", []), keys)
    surplus = set() if is_backfilling else set(partitions) - keys - recent
    added_partitions.forget(instance, surplus)
    added_partitions.remember(instance, keys | (set(partitions) - recent if is_backfilling else set()))
    return dg.SensorResult(
        run_requests=_histories(context, pipeline, to_ask, new),
        dynamic_partitions_requests=_partition_changes(sorted(keys - set(partitions)), sorted(surplus)),
        skip_reason=None if to_ask else " ".join(problems) or "Nothing new is tracked.",
        cursor=json.dumps(
            {"file": followed, "asked": asked | {key: new[key] for key in to_ask}, "added": sorted(recent)}
        ),
    )


def _follow_file(pipeline: Pipeline, seen: str | None) -> tuple[str | None, list[str]]:
    try:
        return pipeline.follow_file(seen), []
    except (ConfigurationError, ApiFailure) as error:
        return seen, [str(error)]


def _is_new(tracked: Tracked) -> bool:
    return tracked.last_attempt_at is None or tracked.last_attempt_at < tracked.tracked_at


def _under_way(instance: dg.DagsterInstance, partitions: Sequence[str]) -> set[str]:
    """The repositories that unfinished runs sync already, such as those that a person launched."""
    found: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=runs.UNFINISHED)):
        if runs.is_sync(run, SYNC_JOBS):
            found |= set(named_in(run.run_config)) | runs.partitions_of(run, partitions)
    return found


def _histories(
    context: dg.SensorEvaluationContext,
    pipeline: Pipeline,
    names: Sequence[str],
    tracked_at: dict[str, str],
) -> list[dg.RunRequest]:
    requests = []
    for batch, tags in batches(names, pipeline.settings, context):
        digest = hashlib.sha256(json.dumps([[n, tracked_at[n]] for n in batch]).encode()).hexdigest()[:16]
        requests.append(dg.RunRequest(run_key=f"history:{digest}", run_config=sync_config(batch), tags=tags))
    return requests


def _partition_changes(
    missing: list[str], surplus: list[str]
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if missing:
        changes.append(repository_partitions.build_add_request(missing))
    if surplus:
        changes.append(repository_partitions.build_delete_request(surplus))
    return changes
