"""Jira in Dagster: one partition per selected project, synced in runs of its own, so that Jira holds up no pull request.

Imported only where projects of Jira are selected.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.schedule_times import daily_cron, weekly_cron
from prpipeline.app.types import (
    JiraResult,
    RecordedJiraSync,
    ScheduleSettings,
    Settings,
    SyncOptions,
    all_checks,
)
from prpipeline.defs import checks as asset_checks
from prpipeline.defs import specs
from prpipeline.defs.events import WHY, is_shown, show_as_failed
from prpipeline.defs.jobs import JIRA_SYNC, RECONCILE_JIRA, RECONCILE_TAG, SYNC_JIRA
from prpipeline.defs.keys import JIRA_ISSUES
from prpipeline.defs.plain_failure import PlainFailure, plainly
from prpipeline.defs.resources import PipelineResource

PARTITIONS = "jira_projects"

_LATE = timedelta(hours=2)
_AT_ONCE = 200  # rows of the record a tick

Event = dg.AssetMaterialization | dg.AssetObservation
project_partitions = dg.DynamicPartitionsDefinition(name=PARTITIONS)


class JiraConfig(dg.Config):
    """What to sync, and how."""

    projects: list[str] = Field(
        default=[], description="Selected projects, as the repositories file has them. Empty: all."
    )
    full: bool = Field(default=False, description="Read the whole history again from its start.")
    reconcile: bool = Field(
        default=False,
        description="Also find what is deleted, hidden, moved or archived. Job reconcile_jira does so.",
    )


@dg.op(name=JIRA_SYNC)
def sync_projects(context: dg.OpExecutionContext, config: JiraConfig, pipeline: PipelineResource) -> None:
    """Bring projects up to date with Jira, one by one; each is an event of its own."""
    closer = config.reconcile or RECONCILE_TAG in context.run.tags
    options = SyncOptions(config.full, reconcile=closer, caller="dagster")
    with plainly():
        opened = pipeline.open()
        opened.follow_jira()
        failed: list[JiraResult] = []
        for result in opened.sync_jira(options, _chosen(context, config, opened)):
            if not result.failed:
                context.log_event(_materialization(result.entry, result.mode, result.issues, result.requests))
                continue
            failed.append(result)
            show_as_failed(context, [JIRA_ISSUES], [result.entry])
            if not is_shown(context.instance, JIRA_ISSUES, result.entry, result.error or ""):
                context.log_event(_reason(result.entry, result.error))
        if failed:
            raise PlainFailure(" ".join(f"{result.project}: {result.error}" for result in failed))


def _chosen(context: dg.OpExecutionContext, config: JiraConfig, pipeline: Pipeline) -> list[str] | None:
    """The entries of the file that the configuration names, in any letter case, by key or number; None for all.

    Raises PlainFailure for what is not selected, but in a run that repeats another: it passes over what was selected then.
    """
    if not config.projects:
        return None
    rows = pipeline.stored.jira_projects()
    names = {name.lower(): row.entry for row in rows for name in (row.project_key, row.entry) if name}
    unknown = [name for name in config.projects if name.strip().lower() not in names]
    if unknown and context.run.parent_run_id is None:
        raise PlainFailure(
            f"Not selected under jira.projects of the repositories file: {', '.join(unknown)}. "
            f"Selected are: {', '.join(row.label for row in rows) or 'none'}."
        )
    if unknown:
        context.log.warning(f"No longer selected, and passed over: {', '.join(unknown)}.")
    return [names[name] for project in config.projects if (name := project.strip().lower()) in names]


@dg.job(
    name=SYNC_JIRA,
    description="Bring the selected projects of Jira up to date: all, or those named in the configuration.",
    executor_def=dg.in_process_executor,
)
def sync_jira() -> None:
    sync_projects()


@dg.job(
    name=RECONCILE_JIRA,
    tags={RECONCILE_TAG: "true"},
    description="Like sync_jira, and find issues that were deleted, hidden, moved away or archived.",
    executor_def=dg.in_process_executor,
)
def reconcile_jira() -> None:
    sync_projects()


def build(settings: Settings, sync_period: timedelta | None) -> dict[str, list[Any]]:
    """What the definitions have more of with Jira, by the names of their arguments. The demo has no Jira to ask."""
    tables = specs.of_jira(JIRA_ISSUES, settings.file.owners, is_demo=settings.is_demo)
    if settings.is_demo:
        return {"assets": tables}
    return {
        "assets": [_issues(sync_period, settings.file.owners), *tables],
        "asset_checks": [_checks(sync_period)],
        "jobs": [sync_jira, reconcile_jira],
        "schedules": _schedules(settings.schedule),
        "sensors": [jira_sensor],
    }


def _issues(sync_period: timedelta | None, owners: Sequence[str]) -> dg.AssetSpec:
    """The raw issues: an asset that only jobs fill.

    Were it materialized like the others, Dagster would no longer let people choose repositories in Materialize all: it does
    so only where all that it runs has partitions of one kind.
    """
    freshness = None
    if sync_period is not None:
        freshness = dg.FreshnessPolicy.time_window(
            warn_window=sync_period + _LATE, fail_window=2 * sync_period + _LATE
        )
    return dg.AssetSpec(
        JIRA_ISSUES,
        group_name="jira",
        owners=owners,
        kinds={"jira", "duckdb"},
        tags={"layer": "raw"},
        partitions_def=project_partitions,
        freshness_policy=freshness,
        description="Issues of the selected projects of Jira, with their changelogs. The jobs sync_jira and "
        "reconcile_jira fill it.",
    )


def _checks(sync_period: timedelta | None) -> dg.AssetChecksDefinition:
    checks = [check for check in all_checks(sync_period, with_jira=True) if check.is_of_jira]

    @dg.multi_asset_check(
        name="checks_of_jira",
        specs=[asset_checks.spec(check) for check in checks],
        can_subset=True,
        # After the step that computes what they look at, even where that fails.
        op_tags={"dagster/priority": "-1"},
    )
    def checks_of_jira(
        context: dg.AssetCheckExecutionContext, pipeline: PipelineResource
    ) -> Iterator[dg.AssetCheckResult]:
        selected = {key.name for key in context.selected_asset_check_keys}
        with plainly():
            found = pipeline.open().stored.check([check for check in checks if check.name in selected])
            yield from map(asset_checks.result, found)

    return checks_of_jira


def _reason(entry: str, error: str | None, **more: Any) -> dg.AssetObservation:
    return dg.AssetObservation(JIRA_ISSUES, partition=entry, metadata={WHY: error or "", **more})


def _materialization(
    entry: str, mode: str, issues: int, requests: float, **more: Any
) -> dg.AssetMaterialization:
    metadata = {"mode": mode, "issues": issues, "requests": int(requests), **more}
    return dg.AssetMaterialization(JIRA_ISSUES, partition=entry, metadata=metadata)


def _schedules(settings: ScheduleSettings) -> list[dg.ScheduleDefinition]:
    return [
        dg.ScheduleDefinition(
            name=name,
            job_name=job,
            cron_schedule=cron,
            execution_timezone=settings.timezone,
            default_status=dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED,
            description=description,
        )
        for name, job, cron, is_on, description in (
            (
                "daily_jira_sync",
                SYNC_JIRA,
                daily_cron(settings),
                settings.enabled,
                "Every day: what changed in the selected projects of Jira.",
            ),
            (
                "weekly_jira_reconcile",
                RECONCILE_JIRA,
                weekly_cron(settings),
                settings.reconcile,
                "Every week: what was deleted, hidden, moved away or archived in Jira.",
            ),
        )
    ]


@dg.sensor(
    name="jira",
    job_name=SYNC_JIRA,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Follows jira.projects of the repositories file, asks for the history of what is new, and reports what "
    "was synced outside Dagster.",
)
def jira_sensor(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult:
    opened = pipeline.open()
    opened.follow_jira()
    cursor = {"sync": 0, "asked": []} | (json.loads(context.cursor) if context.cursor else {})
    partitions = set(context.instance.get_dynamic_partitions(PARTITIONS))
    rows = {row.entry: row for row in opened.stored.jira_projects()}
    new = sorted(entry for entry, row in rows.items() if row.last_attempt_at is None)
    to_ask = [entry for entry in new if entry not in cursor["asked"]]
    syncs = opened.stored.jira_activity_since(cursor["sync"], _AT_ONCE)
    ready = _ready(syncs, rows.keys() - partitions)
    events = [_outside(sync) for sync in ready if sync.caller != "dagster" and sync.entry in partitions]
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if missing := sorted(rows.keys() - partitions):
        changes.append(project_partitions.build_add_request(missing))
    if surplus := sorted(partitions - rows.keys()):
        changes.append(project_partitions.build_delete_request(surplus))
    requests = []
    if to_ask:
        config = {"ops": {JIRA_SYNC: {"config": {"projects": to_ask}}}}
        requests.append(dg.RunRequest(run_config=config, tags={"prpipeline/batch": ", ".join(to_ask)[:200]}))
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=changes,
        asset_events=events,
        skip_reason=None if requests or events else "Nothing new of Jira.",
        cursor=json.dumps({"sync": ready[-1].sync_id if ready else cursor["sync"], "asked": new}),
    )


def _ready(syncs: Sequence[RecordedJiraSync], waiting: set[str]) -> list[RecordedJiraSync]:
    """Those before the first one whose partition is yet to be added."""
    stop = next((i for i, sync in enumerate(syncs) if sync.entry in waiting), len(syncs))
    return list(syncs[:stop])


def _outside(sync: RecordedJiraSync) -> Event:
    more: dict[str, Any] = {
        "by": sync.caller.replace("_", " "),
        "at": dg.MetadataValue.timestamp(sync.finished_at.replace(tzinfo=UTC)),
    }
    if sync.mode == "failed":
        return _reason(sync.entry, sync.error, **more)
    return _materialization(sync.entry, sync.mode, sync.issues, sync.requests, **more)
