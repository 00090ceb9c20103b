"""The daily sync and the weekly reconciliation of all tracked repositories, in batches, and the weekly tidying."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from prpipeline.app.schedule_times import daily_cron, weekly_cron
from prpipeline.app.types import ScheduleSettings
from prpipeline.defs.batches import batches
from prpipeline.defs.jobs import STEP, reconcile_job, sync_job
from prpipeline.defs.resources import PipelineResource
from prpipeline.defs.retention import tidy_job


def build_schedules(settings: ScheduleSettings) -> list[dg.ScheduleDefinition]:
    return [
        _schedule(
            "daily_sync",
            daily_cron(settings),
            settings.timezone,
            sync_job.name,
            is_on=settings.enabled,
            description="Every day: what changed in all tracked repositories.",
        ),
        _schedule(
            "weekly_reconcile",
            weekly_cron(settings),
            settings.timezone,
            reconcile_job.name,
            is_on=settings.reconcile,
            description="Every week: what changed without GitHub saying so, in all tracked repositories.",
        ),
        dg.ScheduleDefinition(
            name="weekly_tidy",
            job=tidy_job,
            cron_schedule=weekly_cron(settings),
            execution_timezone=settings.timezone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Every week: forget what Dagster knows of old runs.",
        ),
    ]


def _schedule(
    name: str,
    cron: str,
    zone: str,
    job: str,
    *,
    is_on: bool,
    description: str,
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job_name=job,
        cron_schedule=cron,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED,
        description=description,
    )
    def schedule(
        context: dg.ScheduleEvaluationContext, pipeline: PipelineResource
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        opened = pipeline.open()
        tracked = opened.tracking.tracked()
        if not tracked:
            yield dg.SkipReason("No repository is tracked yet: list some in repositories.yaml.")
        for number, (names, tags) in enumerate(batches(tracked, opened.settings, context)):
            yield dg.RunRequest(
                run_key=f"{name}:{context.scheduled_execution_time.isoformat()}:{number}",
                run_config=sync_config(names),
                tags=tags,
            )

    return schedule


def sync_config(names: list[str]) -> dict[str, Any]:
    return {"ops": {STEP: {"config": {"repositories": names}}}}


def named_in(run_config: Mapping[str, Any]) -> list[str]:
    """The repositories that a run's configuration names; empty where the run is about all."""
    config = run_config.get("ops", {}).get(STEP, {}).get("config", {})
    return list(config.get("repositories", []))
