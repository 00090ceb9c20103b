"""The assets: what is read from GitHub and what is derived of it. Each body calls the core and reports."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent
from pydantic import Field

from prpipeline import metrics
from prpipeline.app.pipeline import Pipeline
from prpipeline.defs import metadata
from prpipeline.defs.partitions import repository_partitions
from prpipeline.defs.plain_failure import PlainFailure, plainly
from prpipeline.sync import SyncOptions, SyncResult
from prpipeline.warehouse.summary import Summary

log = logging.getLogger("prpipeline")

PULL_REQUESTS = dg.AssetKey(["raw", "pull_requests"])
REVIEWS = dg.AssetKey(["raw", "reviews"])
REVIEW_EVENTS = dg.AssetKey(["raw", "review_events"])
REVIEW_TIME_HOURS = dg.AssetKey(["metrics", "review_time_hours"])
PUBLISHED_DATABASE = dg.AssetKey("published_database")
REVIEW_TIME_REPORT = dg.AssetKey("review_time_report")
AGGREGATES = [dg.AssetKey(["metrics", table]) for table in metrics.AGGREGATE_TABLES]
RAW = (PULL_REQUESTS, REVIEWS, REVIEW_EVENTS)
OWNERS = ["team:analytics"]
RECONCILE = "reconcile"  # the job that looks closer

# How long a sync may take before anybody has to know.
_LATE = timedelta(hours=2)

# An event costs Dagster about 9 ms and 5 KB: of many repositories only those that changed are worth one, and only
# the first of a run something to look at as well.
_FEW = 50


class SyncConfig(dg.Config):
    """What to sync, and how."""

    repositories: list[str] = Field(
        default=[],
        description="Tracked repositories (owner/name) to bring up to date. Empty: the chosen partitions, or "
        "all tracked repositories where none are chosen.",
    )
    days_back: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="How many days of history to read of repositories that are new. Empty: as set for each.",
    )
    full: bool = Field(default=False, description="Read the whole history again from its start.")
    reconcile: bool | None = Field(
        default=None,
        description="Also find what GitHub does not report as a change: deletions and silent edits. "
        "Empty: job 'reconcile' does, all others do not.",
    )


def _raw(key: dg.AssetKey) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        description=metadata.description(key.path[-1]),
        group_name="github",
        kinds={"github", "duckdb"},
        owners=OWNERS,
        tags={"layer": "raw"},
        metadata=metadata.of_table(key.path[-1]),
        skippable=True,
        partitions_def=repository_partitions,
    )


def _review_times() -> dg.AssetSpec:
    return dg.AssetSpec(
        REVIEW_TIME_HOURS,
        deps=RAW,
        description=metadata.description("review_time_hours"),
        group_name="metrics",
        kinds={"sql", "duckdb"},
        owners=OWNERS,
        tags={"layer": "metrics"},
        metadata=metadata.of_table("review_time_hours"),
        skippable=True,
        partitions_def=repository_partitions,
    )


def build_repository_sync(batch_size: int) -> dg.AssetsDefinition:
    """The asset over all that is per repository, in one step: a bad repository holds up no other."""

    @dg.multi_asset(
        name="repository_sync",
        specs=[*map(_raw, RAW), _review_times()],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=batch_size),
        pool="github",
    )
    def repository_sync(
        context: dg.AssetExecutionContext, config: SyncConfig, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
        with plainly():
            yield from _sync(context, config, pipeline)

    return repository_sync


def _sync(
    context: dg.AssetExecutionContext, config: SyncConfig, pipeline: Pipeline
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
    names = _names(context, config, pipeline)
    reporter = _Reporter(context, pipeline)
    if not context.selected_asset_keys & set(RAW):
        pipeline.derive(names)
        yield from reporter.materializations(dict.fromkeys(names))
        return
    failed: list[SyncResult] = []
    # The job's name rather than configuration of it: the launchpad fills that with the assets' defaults.
    reconcile = context.run.job_name == RECONCILE if config.reconcile is None else config.reconcile
    options = SyncOptions(config.full, config.days_back, reconcile)
    before = pipeline.row_counts(names)
    for results in _in_batches(pipeline.sync(names, options)):
        changed = [r.tracked_as for r in results if r.mode not in {"unchanged", "failed"}]
        if REVIEW_TIME_HOURS in context.selected_asset_keys:
            pipeline.derive(changed)
        told = {
            r.tracked_as: r for r in results if not r.failed and (r.mode != "unchanged" or len(names) <= _FEW)
        }
        yield from reporter.materializations(told, before)
        failed += [result for result in results if result.failed]
    if failed:
        _report_failures(context, failed)
        yield from reporter.reasons(failed)
        raise PlainFailure(
            metadata.failures(failed, len(names)),
            {"failed": dg.MetadataValue.md(metadata.failure_table(failed))},
        )


def _names(context: dg.AssetExecutionContext, config: SyncConfig, pipeline: Pipeline) -> list[str]:
    """The partition keys to work on; one that is not tracked fails later, by itself."""
    if context.has_partition_key or context.has_partition_key_range:
        return list(context.partition_keys)
    tracked = {key.lower(): key for key in pipeline.tracking.tracked()}
    return [tracked.get(name.lower(), name) for name in config.repositories] or list(tracked.values())


def _in_batches(results: Iterator[SyncResult]) -> Iterator[list[SyncResult]]:
    """Results as they come, a few at a time, so that their metrics share a transaction."""
    batch: list[SyncResult] = []
    for result in results:
        log.log(logging.DEBUG if result.mode == "unchanged" else logging.INFO, metadata.sentence(result))
        batch.append(result)
        # A history has taken its time; many small ones may share the work that follows.
        if len(batch) >= _FEW or result.seconds > 1:
            yield batch
            batch = []
    if batch:
        yield batch


class _Reporter:
    """Tells Dagster of each partition by itself; a run's own bookkeeping knows only all or nothing."""

    def __init__(self, context: dg.AssetExecutionContext, pipeline: Pipeline) -> None:
        self._keys = [key for key in (*RAW, REVIEW_TIME_HOURS) if key in context.selected_asset_keys]
        self._pipeline = pipeline
        self._told = 0

    def materializations(
        self,
        results: Mapping[str, SyncResult | None],
        before: Mapping[str, Mapping[str, int]] | None = None,
    ) -> Iterator[dg.AssetMaterialization]:
        found = self._pipeline.summaries(list(results)) if results else {}
        for name, result in results.items():
            summary = found.get(name, Summary())
            self._told += 1
            for key in self._keys:
                table = key.path[-1]
                rows_before = None if before is None else before.get(name, {}).get(table, 0)
                entries = metadata.of_partition(table, summary, result, rows_before)
                if self._told <= _FEW and result is not None and result.repository_id is not None:
                    rows = self._pipeline.preview(table, result.repository_id)
                    entries = metadata.to_look_at(table, summary, rows) | entries
                yield dg.AssetMaterialization(key, partition=name, metadata=entries)

    def reasons(self, failed: Sequence[SyncResult]) -> Iterator[dg.AssetObservation]:
        """Why these failed, for the pages of their partitions."""
        for result in failed[:_FEW]:
            for key in self._keys:
                yield dg.AssetObservation(
                    key, partition=result.tracked_as, metadata={"why it failed": result.error or ""}
                )


def _report_failures(context: dg.AssetExecutionContext, failed: Sequence[SyncResult]) -> None:
    """Let the failed partitions show as failed where the run itself carries no partitions.

    Dagster counts a partition as failed that a run planned and did not deliver.
    """
    if context.has_partition_key or context.has_partition_key_range:
        return
    for result in failed:
        for key in sorted(context.selected_asset_keys):
            event = DagsterEvent.build_asset_materialization_planned_event(
                context.run.job_name,
                context.op_execution_context.op_handle.name,
                AssetMaterializationPlannedData(key, partition=result.tracked_as),
            )
            context.instance.report_dagster_event(event, context.run.run_id)


def build_aggregates() -> dg.AssetsDefinition:
    """The tables that span repositories."""

    @dg.multi_asset(name="aggregates", specs=list(map(_aggregate, AGGREGATES)), pool="warehouse")
    def aggregates(pipeline: dg.ResourceParam[Pipeline]) -> Iterator[dg.MaterializeResult[None]]:
        with plainly():
            rows = pipeline.aggregate()
        for key in AGGREGATES:
            yield dg.MaterializeResult(
                asset_key=key, metadata=metadata.of_aggregate(key.path[-1], rows[key.path[-1]])
            )

    return aggregates


def _aggregate(key: dg.AssetKey) -> dg.AssetSpec:
    table = key.path[-1]
    return dg.AssetSpec(
        key,
        deps=[REVIEW_TIME_HOURS],
        description=metadata.description(table),
        group_name="metrics",
        kinds={"sql", "duckdb"},
        owners=OWNERS,
        tags={"layer": "metrics"},
        metadata=metadata.of_table(table),
    )


def build_published(sync_period: timedelta | None) -> dg.AssetsDefinition:
    """The database and the report; with a freshness policy where syncs come by themselves, once in ``sync_period``."""
    freshness = sync_period and dg.FreshnessPolicy.time_window(
        warn_window=sync_period + _LATE, fail_window=2 * sync_period + _LATE
    )

    @dg.asset(
        key=PUBLISHED_DATABASE,
        deps=[*RAW, REVIEW_TIME_HOURS, *AGGREGATES],
        group_name="published",
        kinds={"duckdb"},
        owners=OWNERS,
        tags={"layer": "published"},
        freshness_policy=freshness,
        description="The DuckDB file for BI tools: a new release of all published tables, shown to readers in one step.",
        pool="warehouse",
    )
    def published_database(pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
        with plainly():
            return dg.MaterializeResult(metadata=metadata.of_release(pipeline.publish(), pipeline.weeks()))

    return published_database


@dg.asset(
    key=REVIEW_TIME_REPORT,
    deps=[PUBLISHED_DATABASE],
    group_name="published",
    kinds={"html"},
    owners=OWNERS,
    tags={"layer": "published"},
    description="The report: one HTML file beside the published database, with charts and the queue of waiting pull "
    "requests. Opens from disk in any browser.",
)
def review_time_report(pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
    with plainly():
        return dg.MaterializeResult(metadata=metadata.of_report(pipeline.report()))
