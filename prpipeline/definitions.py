"""The definitions that Dagster loads: ``defs``. Settings are read when it is called, not at import."""

import warnings
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg

from prpipeline.app.schedule_times import sync_period
from prpipeline.app.types import Settings, all_checks, load_settings
from prpipeline.defs.alerts_sensor import alerts_sensor
from prpipeline.defs.assets import build_assets
from prpipeline.defs.deliveries_sensor import deliveries_sensor
from prpipeline.defs.jobs import deliveries_job, publish_job, reconcile_job, sync_job
from prpipeline.defs.outside_sensor import outside_activity_sensor
from prpipeline.defs.publish_sensor import publish_sensor
from prpipeline.defs.resources import PipelineResource
from prpipeline.defs.retention import tidy_job
from prpipeline.defs.schedules import build_schedules
from prpipeline.defs.tracking_sensor import tracking_sensor


def build_definitions(
    settings: Settings, resource_overrides: Mapping[str, object] | None = None
) -> dg.Definitions:
    """All definitions of the code location, for these settings."""
    period = sync_period(settings.schedule)
    with warnings.catch_warnings():
        # Code references are beta: they help developers, and nothing depends on them.
        warnings.simplefilter("ignore", dg.BetaWarning)
        step = build_assets(settings, period, all_checks(period, with_jira=settings.uses_jira))
        assets = dg.with_source_code_references([step])
        more = _of_jira(settings, period)
    return dg.Definitions(
        assets=[*assets, *more.get("assets", [])],
        asset_checks=more.get("asset_checks", []),
        jobs=[sync_job, reconcile_job, deliveries_job, publish_job, tidy_job, *more.get("jobs", [])],
        schedules=[*build_schedules(settings.schedule), *more.get("schedules", [])],
        sensors=[
            tracking_sensor,
            publish_sensor,
            deliveries_sensor,
            outside_activity_sensor,
            alerts_sensor,
            *more.get("sensors", []),
        ],
        resources={"pipeline": PipelineResource.of(settings), **(resource_overrides or {})},
        executor=dg.in_process_executor,
    )


def _of_jira(settings: Settings, period: timedelta | None) -> dict[str, list[Any]]:
    """What there is more of with Jira; nothing without."""
    if not settings.uses_jira:
        return {}
    from prpipeline.defs import jira

    return jira.build(settings, period)


@dg.definitions
def defs() -> dg.Definitions:
    return build_definitions(load_settings())
