"""The daily increment and the weekly reconciliation, over all tracked repositories, in as few runs as may be; tidying."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.schedule_times import daily_cron, weekly_cron
from prpipeline.defs.jobs import sync_job
from prpipeline.defs.retention import tidy_job
from prpipeline.settings import ScheduleSettings

# Which runs a publication has to wait for, and which repositories a run is about.
BATCH_TAG = "prpipeline/batch"


def build_schedules(settings: ScheduleSettings) -> list[dg.ScheduleDefinition]:
    return [
        _schedule(
            "daily_sync",
            daily_cron(settings),
            settings.timezone,
            is_on=settings.enabled,
            reconcile=False,
            description="Every day: what changed in all tracked repositories.",
        ),
        _schedule(
            "weekly_reconcile",
            weekly_cron(settings),
            settings.timezone,
            is_on=settings.reconcile,
            reconcile=True,
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
    name: str, cron: str, zone: str, *, is_on: bool, reconcile: bool, description: str
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job=sync_job,
        cron_schedule=cron,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED,
        description=description,
    )
    def schedule(
        context: dg.ScheduleEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        tracked = pipeline.tracking.tracked()
        if not tracked:
            yield dg.SkipReason("No repository is tracked yet: list some in repositories.yaml.")
        size = pipeline.settings.sync.batch_size
        for number, start in enumerate(range(0, len(tracked), size)):
            yield run_request(
                f"{name}:{context.scheduled_execution_time.isoformat()}:{number}",
                tracked[start : start + size],
                reconcile=reconcile,
            )

    return schedule


def run_request(run_key: str, names: list[str], *, reconcile: bool = False) -> dg.RunRequest:
    """A run of the sync job over these repositories."""
    config = {"repositories": names, "reconcile": reconcile}
    return dg.RunRequest(
        run_key=run_key,
        run_config={"ops": {"repository_sync": {"config": config}}},
        tags={BATCH_TAG: f"{len(names)} repositories" if len(names) > 1 else names[0]},
    )


def named_in(run_config: Mapping[str, Any]) -> list[str]:
    """The repositories that a run of the sync job is about; none where it is about all."""
    config = run_config.get("ops", {}).get("repository_sync", {}).get("config", {})
    return list(config.get("repositories", []))
