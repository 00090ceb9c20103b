"""What happens without a clock: new repositories get their history, and finished syncs get published."""

import hashlib
import json

import dagster as dg

from prpipeline.defs.jobs import publish_job, reconcile_job, sync_job
from prpipeline.defs.partitions import repository_partitions
from prpipeline.defs.schedules import run_request
from prpipeline.github.failures import GitHubFailure
from prpipeline.pipeline import Pipeline
from prpipeline.settings import ConfigurationError

# A run with this tag publishes by itself.
PUBLISHES_ITSELF_TAG = "prpipeline/publishes"
_UNFINISHED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


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
    partitions = set(context.instance.get_dynamic_partitions(repository_partitions.name or ""))
    state = json.loads(context.cursor) if context.cursor else {}
    followed: str | None = state.get("file")
    problem: str | None = None
    try:
        followed = pipeline.follow_file(followed)
    except (ConfigurationError, GitHubFailure) as error:
        problem = str(error)
    refused = pipeline.adopt(partitions)
    tracked = pipeline.tracked_rows()
    # A repository is asked for once each time it is tracked: the daily schedule takes up those that fail.
    new = {t.tracked_as: t.tracked_at.isoformat() for t in tracked if t.status == "new"}
    asked = {key: at for key, at in state.get("asked", {}).items() if new.get(key) == at}
    to_ask = [key for key, at in new.items() if asked.get(key) != at]
    keys = {t.tracked_as for t in tracked}
    requests = []
    size = pipeline.settings.sync.batch_size
    for start in range(0, len(to_ask), size):
        names = to_ask[start : start + size]
        digest = hashlib.sha256(json.dumps([[n, new[n]] for n in names]).encode()).hexdigest()[:16]
        requests.append(run_request(f"history:{digest}", names))
    partition_requests = [
        request
        for wanted, build in (
            (sorted(keys - partitions), repository_partitions.build_add_request),
            (sorted(partitions - keys), repository_partitions.build_delete_request),
        )
        if wanted
        for request in [build(wanted)]
    ]
    for sentence in filter(None, [problem, *refused]):
        context.log.warning(sentence)
    cursor = json.dumps({"file": followed, "asked": asked | {key: new[key] for key in to_ask}})
    if not requests and not partition_requests:
        context.update_cursor(cursor)
        return dg.SkipReason(" ".join([problem] if problem else [*refused, "Nothing new is tracked."]))
    return dg.SensorResult(
        run_requests=requests, dynamic_partitions_requests=partition_requests, cursor=cursor
    )


def _publish_after(name: str, status: dg.DagsterRunStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=name,
        run_status=status,
        request_job=publish_job,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Publishes once when the last of the syncs under way has ended.",
    )
    def publish_after(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        run = context.dagster_run
        if run.job_name == publish_job.name or PUBLISHES_ITSELF_TAG in run.tags:
            return dg.SkipReason("This run publishes by itself.")
        if not _syncs(run):
            return dg.SkipReason("This run changed nothing that is published.")
        others = context.instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))
        if any(_syncs(other) for other in others):
            return dg.SkipReason("Other syncs are under way; the last of them publishes.")
        return dg.RunRequest(run_key=f"publish-after-{run.run_id}")

    return publish_after


def _syncs(run: dg.DagsterRun) -> bool:
    if run.job_name in {sync_job.name, reconcile_job.name}:
        return True
    selected = run.asset_selection or set()
    return any(key.path[0] in {"raw", "metrics"} for key in selected) and run.job_name != publish_job.name


publish_after_success = _publish_after("publish_after_success", dg.DagsterRunStatus.SUCCESS)
publish_after_failure = _publish_after("publish_after_failure", dg.DagsterRunStatus.FAILURE)
