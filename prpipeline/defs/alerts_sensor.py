"""The sensor that sends alerts and digests, by the targets of the repositories file; without any it does nothing."""

import logging

import dagster as dg

from prpipeline.app.alerting import Alerting, Delivery
from prpipeline.app.types import WarehouseError
from prpipeline.defs import runs
from prpipeline.defs.jobs import SYNC_JOBS
from prpipeline.defs.resources import PipelineResource

log = logging.getLogger("prpipeline")


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the targets under alerts in the repositories file what is wrong, once, and when it is well again; "
    "and sends the digest when it is due. What a target does not accept is sent later.",
)
def alerts_sensor(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
    alerting = Alerting(pipeline.open())
    if not alerting.is_on:
        return dg.SkipReason("No target is named under alerts in the repositories file, so nothing is sent.")
    under_way = any(
        runs.is_sync(run, SYNC_JOBS)
        for run in context.instance.get_runs(dg.RunsFilter(statuses=runs.UNFINISHED))
    )
    try:
        # While repositories or projects fail one after the other, there would be a message for each.
        alerting.prepare(kept={"sync", "jira"} if under_way else ())
        alerting.prepare_digests(only_due=True)
        done = alerting.deliver()
    except WarehouseError as error:
        done = alerting.tell_unrecorded(error)
        done.refused.append(str(error))
    return dg.SkipReason(_said(done))


def _said(done: Delivery) -> str:
    for sentence in done.refused:
        log.warning(sentence)
    return " ".join([done.sentence(), *done.refused])
