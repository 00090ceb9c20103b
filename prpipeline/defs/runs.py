"""Which runs are published, and by which run: kept as run tags, so that the UI shows it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from prpipeline.defs.keys import PUBLISHED_DATABASE, SYNCED
from prpipeline.defs.metadata import PUBLISHED_AT

PUBLISHED_BY_TAG = "prpipeline/published_by"  # a run, itself perhaps
BLOCKED_TAG = "prpipeline/release"
_BLOCKED = "blocked by checks"

UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_RECENT = 25  # backfills; older ones have ended
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def is_sync(run: dg.DagsterRun, sync_jobs: frozenset[str]) -> bool:
    """Whether a run changes what is published."""
    return run.job_name in sync_jobs or bool((run.asset_selection or set()) & set(SYNCED))


def last_publication(instance: dg.DagsterInstance) -> tuple[str, datetime] | None:
    """The run that published last, and as of when in UTC; no run (an empty id) where it was not Dagster."""
    event = instance.get_latest_materialization_event(PUBLISHED_DATABASE)
    if event is None or event.asset_materialization is None:
        return None
    stated = event.asset_materialization.metadata.get(PUBLISHED_AT)
    moment = stated.value if isinstance(stated, dg.TimestampMetadataValue) else event.timestamp
    return event.run_id, datetime.fromtimestamp(moment, UTC)


def unpublished(instance: dg.DagsterInstance, sync_jobs: frozenset[str]) -> list[dg.RunRecord]:
    """The ended runs that synced after the last publication began, the newest first."""
    published = last_publication(instance)
    run_id, since = published or ("", datetime.fromtimestamp(0, UTC))
    ended = instance.get_run_records(
        dg.RunsFilter(statuses=_ENDED, updated_after=since if published else None)
    )
    found = [
        record
        for record in ended
        if is_sync(record.dagster_run, sync_jobs)
        and record.dagster_run.run_id != run_id
        and (record.end_time or 0) > since.timestamp()
        # Another publication of the same data would be blocked as well.
        and record.dagster_run.tags.get(BLOCKED_TAG) != _BLOCKED
    ]
    return sorted(found, key=lambda record: record.end_time or 0, reverse=True)


def note_blocked(context: dg.AssetExecutionContext) -> None:
    context.instance.add_run_tags(context.run.run_id, {BLOCKED_TAG: _BLOCKED})


def note_published(context: dg.AssetExecutionContext, waiting: Sequence[dg.RunRecord]) -> None:
    """Let the runs that waited for this publication, and this one, say by which run they are published."""
    by = {PUBLISHED_BY_TAG: context.run.run_id}
    for run_id in (context.run.run_id, *(record.dagster_run.run_id for record in waiting)):
        context.instance.add_run_tags(run_id, by)


def is_backfilling(instance: dg.DagsterInstance) -> bool:
    """Whether a backfill may launch more runs."""
    return any(backfill.status.value == "REQUESTED" for backfill in instance.get_backfills(limit=_RECENT))


def partitions_of(run: dg.DagsterRun, partitions: Sequence[str]) -> set[str]:
    """The partitions that a run is about by its tags."""
    if key := run.tags.get("dagster/partition"):
        return {key}
    first, last = (run.tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end"))
    if first in partitions and last in partitions:
        return set(partitions[partitions.index(first) : partitions.index(last) + 1])
    return set()
