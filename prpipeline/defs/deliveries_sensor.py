"""The sensor that has read what deliveries of webhooks told of, within a minute."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg

from prpipeline.app.deliveries import Drain, InboxError
from prpipeline.app.types import WarehouseError
from prpipeline.defs import runs
from prpipeline.defs.jobs import deliveries_job
from prpipeline.defs.resources import PipelineResource

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=15)


@dg.sensor(
    name="deliveries",
    job=deliveries_job,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads what deliveries of webhooks told of, as soon as a pull request is quiet for 5 seconds, or after 60. "
    "Without 'prpipeline webhooks serve' it does nothing.",
)
def deliveries_sensor(
    context: dg.SensorEvaluationContext, pipeline: PipelineResource
) -> dg.SensorResult | dg.SkipReason:
    drain = Drain(pipeline.open(), "dagster")
    try:
        if not drain.inbox.exists():
            return dg.SkipReason(
                "There is no inbox: 'prpipeline webhooks serve' has never run on this data folder."
            )
        if any(
            run.job_name == deliveries_job.name
            for run in context.instance.get_runs(dg.RunsFilter(statuses=runs.UNFINISHED))
        ):
            return dg.SkipReason("A run that reads deliveries is under way.")
        waiting = drain.sort_out()
        newest = drain.newest_due
    except (InboxError, WarehouseError) as error:
        return dg.SkipReason(str(error))
    finally:
        drain.inbox.close()
    if not waiting:
        return dg.SkipReason("Nothing that deliveries told of is due.")
    return _request(context.cursor, waiting, newest)


def _request(cursor: str | None, waiting: int, newest: int) -> dg.SensorResult | dg.SkipReason:
    """A run, unless one for the same deliveries failed a moment ago: each further one waits twice as long."""
    now = datetime.now(UTC)
    before = json.loads(cursor) if cursor else {}
    number = 0
    if before.get("newest") == newest:
        number = before["number"] + 1
        again = datetime.fromisoformat(before["at"]) + min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (number - 1))
        if now < again:
            return dg.SkipReason(f"The last run left them undone; the next one at {again:%H:%M:%S} UTC.")
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"deliveries-{newest}-{number}-{now:%Y%m%dT%H%M%S}")],
        cursor=json.dumps({"newest": newest, "number": number, "at": now.isoformat()}),
    )
