"""The sensor that reports to Dagster what the command line, cron or a script did to the same data folder.

Syncs without a change are not on the warehouse's record, so they are not reported.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg

from prpipeline.app.freshness import of_deliveries
from prpipeline.app.pipeline import Pipeline
from prpipeline.app.schedule_times import sync_period
from prpipeline.app.types import Publication, RecordedSync, SyncResult, all_checks
from prpipeline.defs import checks, metadata
from prpipeline.defs.events import Reporter
from prpipeline.defs.keys import (
    AGGREGATES,
    PUBLISHED_DATABASE,
    PUBLISHED_TABLES,
    REVIEW_TIME_REPORT,
    SYNCED,
    tables_of_jira,
)
from prpipeline.defs.partitions import repository_partitions
from prpipeline.defs.resources import PipelineResource

_AT_ONCE = 200  # rows of the record a tick, four events each: about 8 s; a tick has 60

Event = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation


@dg.sensor(
    name="outside_activity",
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports what was synced and published outside Dagster (by the command line, cron or a script) as "
    "materializations and check results.",
)
def outside_activity_sensor(
    context: dg.SensorEvaluationContext, pipeline: PipelineResource
) -> dg.SensorResult:
    opened = pipeline.open()
    cursor = {"sync": 0, "publication": 0} | (json.loads(context.cursor) if context.cursor else {})
    partitions = set(context.instance.get_dynamic_partitions(repository_partitions.name or ""))
    syncs, publications = opened.stored.activity_since(cursor["sync"], cursor["publication"], _AT_ONCE)
    ready = _ready(syncs, opened, partitions)
    events = list(_of_syncs(ready, opened, partitions, context.instance))
    if ready:
        cursor["sync"] = ready[-1].sync_id
    # After the syncs that it shows: what is older than what it is made of shows as "Unsynced".
    if publications and len(ready) == len(syncs) < _AT_ONCE:
        cursor["publication"] = publications[-1].publication_id
        if publications[-1].caller != "dagster":  # else an older one has been replaced since
            events += _of_publication(publications[-1], opened)
    return dg.SensorResult(
        asset_events=events,
        cursor=json.dumps(cursor),
        skip_reason=None if events else "Nothing was done outside Dagster since the last look.",
    )


def _ready(syncs: Sequence[RecordedSync], pipeline: Pipeline, partitions: set[str]) -> list[RecordedSync]:
    """Those before the first one whose partition the tracking sensor has yet to add."""
    waiting = set(pipeline.tracking.tracked()) - partitions
    stop = next((i for i, sync in enumerate(syncs) if sync.tracked_as in waiting), len(syncs))
    return list(syncs[:stop])


def _of_syncs(
    syncs: Sequence[RecordedSync], pipeline: Pipeline, partitions: set[str], instance: dg.DagsterInstance
) -> Iterator[Event]:
    newest = {
        sync.tracked_as: sync for sync in syncs if sync.caller != "dagster" and sync.tracked_as in partitions
    }
    reporter = Reporter(pipeline, SYNCED)
    done = {name: sync for name, sync in newest.items() if sync.mode != "failed"}
    for event in reporter.materializations({name: _result(sync) for name, sync in done.items()}):
        assert event.partition is not None
        yield event.with_metadata({**event.metadata, **_by(done[str(event.partition)])})
    for sync in newest.values():
        if sync.mode == "failed":
            yield from reporter.reasons([_result(sync)], instance, _by(sync))


def _by(sync: RecordedSync) -> metadata.Metadata:
    return {
        "by": (sync.caller or "unknown").replace("_", " "),
        "at": dg.MetadataValue.timestamp(sync.finished_at.replace(tzinfo=UTC)),
    }


def _result(sync: RecordedSync) -> SyncResult:
    return SyncResult(
        sync.tracked_as,
        sync.repository_id,
        None,
        sync.mode,
        pull_requests=sync.pull_requests,
        reviews=sync.reviews,
        removed=sync.removed,
        requests=round(sync.requests),
        points=round(sync.points),
        seconds=sync.seconds,
        error=sync.error,
    )


def _of_publication(publication: Publication, pipeline: Pipeline) -> Iterator[Event]:
    chosen = all_checks(sync_period(pipeline.settings.schedule), with_jira=pipeline.settings.uses_jira)
    found = pipeline.stored.check(chosen)
    yield from map(checks.evaluation, found)
    # In the order of their lineage, for the same reason.
    yield from (_table(key, publication) for key in AGGREGATES)
    yield dg.AssetMaterialization(
        PUBLISHED_DATABASE,
        metadata=metadata.of_publication(
            publication,
            pipeline.settings.published_path,
            pipeline.stored.weeks(),
            pipeline.tracking.tracked_rows(),
        )
        | metadata.of_deliveries(of_deliveries(pipeline.settings)),
    )
    of_jira = tables_of_jira(publication.row_counts) if pipeline.settings.uses_jira else ()
    yield from (_table(key, publication) for key in (*PUBLISHED_TABLES, *of_jira))
    report = pipeline.report_path
    if report.exists() and _written(report.stat().st_mtime) >= publication.published_at:
        yield dg.AssetMaterialization(
            REVIEW_TIME_REPORT, metadata={"file": dg.MetadataValue.path(str(report))}
        )


def _table(key: dg.AssetKey, publication: Publication) -> dg.AssetMaterialization:
    rows = publication.row_counts.get(key.path[-1])
    return dg.AssetMaterialization(key, metadata={} if rows is None else {"dagster/row_count": rows})


def _written(mtime: float) -> datetime:
    return datetime.fromtimestamp(mtime, UTC).replace(tzinfo=None)
