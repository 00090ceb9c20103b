"""What Dagster loads: ``defs``. Reads the settings when it is asked for, not at import."""

from collections.abc import Mapping

import dagster as dg

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.schedule_times import sync_period
from prpipeline.defs.assets import (
    build_aggregates,
    build_published,
    build_repository_sync,
    review_time_report,
)
from prpipeline.defs.checks import build_checks
from prpipeline.defs.jobs import publish_job, reconcile_job, sync_job
from prpipeline.defs.retention import tidy_job
from prpipeline.defs.schedules import build_schedules
from prpipeline.defs.sensors import publish_sensor, tracking_sensor
from prpipeline.metrics.checks import all_checks
from prpipeline.settings import Settings, load_settings


@dg.resource(description="The pipeline on the data folder; reads the settings anew for each run.")
def pipeline_resource() -> Pipeline:
    return Pipeline(load_settings())


def build_definitions(
    settings: Settings, resource_overrides: Mapping[str, object] | None = None
) -> dg.Definitions:
    """Everything Dagster knows of prpipeline, for these settings."""
    period = sync_period(settings.schedule)
    return dg.Definitions(
        assets=[
            build_repository_sync(settings.sync.batch_size),
            build_aggregates(),
            build_published(period),
            review_time_report,
        ],
        asset_checks=[build_checks(all_checks(period))],
        jobs=[sync_job, reconcile_job, publish_job, tidy_job],
        schedules=build_schedules(settings.schedule),
        sensors=[tracking_sensor, publish_sensor],
        resources={"pipeline": pipeline_resource, **(resource_overrides or {})},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    return build_definitions(load_settings())
