"""All assets, in one step: read GitHub, compute the metrics, audit, publish, and report what became of each.

One step, because a separate one is skipped as soon as a single repository fails before it; here the others' numbers
are published, the checks run in any case, and the run fails at its end if anything did.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta

import dagster as dg

from prpipeline.app.audit import ReleaseBlocked, blocking
from prpipeline.app.deliveries import Drain
from prpipeline.app.freshness import of_deliveries
from prpipeline.app.pipeline import Pipeline
from prpipeline.app.run import in_batches
from prpipeline.app.types import Check, Findings, Settings, SyncOptions, SyncResult, WarehouseError
from prpipeline.defs import added_partitions, metadata, runs
from prpipeline.defs import checks as asset_checks
from prpipeline.defs.batches import CREDENTIAL_TAG
from prpipeline.defs.config import Chosen, SyncConfig
from prpipeline.defs.events import FEW, Reporter
from prpipeline.defs.jobs import DELIVERIES_TAG, RECONCILE_TAG, STEP, SYNC_JOBS
from prpipeline.defs.keys import (
    AGGREGATES,
    PUBLISHED,
    PUBLISHED_DATABASE,
    PUBLISHED_TABLES,
    RAW,
    REVIEW_TIME_HOURS,
    REVIEW_TIME_REPORT,
    SYNCED,
    tables_of_jira,
)
from prpipeline.defs.plain_failure import SAID_PLAINLY, PlainFailure, plainly
from prpipeline.defs.resources import PipelineResource
from prpipeline.defs.specs import all_specs

Event = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckResult


def build_assets(
    settings: Settings, sync_period: timedelta | None, checks: Sequence[Check]
) -> dg.AssetsDefinition:
    """The step over all assets and checks, of which a run selects any part."""

    @dg.multi_asset(
        name=STEP,
        specs=all_specs(sync_period, settings.file.owners, is_demo=settings.is_demo),
        # Those of Jira stand at its own step; errors that they find keep a release back all the same.
        check_specs=[asset_checks.spec(check) for check in checks if not check.is_of_jira],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=settings.sync.batch_size),
    )
    def sync_and_publish(
        context: dg.AssetExecutionContext, config: SyncConfig, pipeline: PipelineResource
    ) -> Iterator[Event]:
        with plainly():
            opened = pipeline.open(context.run.tags.get(CREDENTIAL_TAG))
            with opened.warehouse.session():
                yield from _Run(context, config, opened, checks).events()

    return sync_and_publish


class _Run:
    """One run over the selected assets and checks."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        config: SyncConfig,
        pipeline: Pipeline,
        checks: Sequence[Check],
    ) -> None:
        self._context, self._config, self._pipeline, self._checks = context, config, pipeline, checks
        self._selected = context.selected_asset_keys
        self._selected_checks = {key.name for key in context.selected_asset_check_keys}
        self._publishes = bool(self._selected & set(PUBLISHED))
        self._problems: list[str] = []
        self._stopped_by: Exception | None = None
        self._tables: dict[str, dg.MetadataValue] = {}

    def events(self) -> Iterator[Event]:
        """Do it all and report it, and put on record whether it got to its end. Raises PlainFailure for what failed."""
        try:
            yield from self._events()
        except PlainFailure:
            self._note(self._stopped_by)  # None: it got to its end, where repositories or checks failed
            raise
        except Exception as error:
            self._note(error)
            raise
        self._note(None)

    def _note(self, stopped_by: Exception | None) -> None:
        with suppress(WarehouseError):  # then there is nowhere to note it
            self._pipeline.note_run("dagster", stopped_by)

    def _events(self) -> Iterator[Event]:
        if DELIVERIES_TAG in self._context.run.tags:
            yield from self._drain()
        elif self._selected & set(SYNCED):
            yield from self._sync_or_derive()
        if self._stopped_by and not (self._problems and isinstance(self._stopped_by, SAID_PLAINLY)):
            raise self._stopped_by
        if self._stopped_by:
            raise PlainFailure(" ".join(self._problems), self._tables)
        if self._publishes or self._selected_checks or self._selected & set(AGGREGATES):
            yield from self._aggregate()
        findings: list[Findings] = []
        if self._publishes or self._selected_checks:
            findings = self._pipeline.stored.check(
                [c for c in self._checks if self._publishes or c.name in self._selected_checks]
            )
            yield from (
                asset_checks.result(found) for found in findings if found.check.name in self._selected_checks
            )
        if self._publishes:
            yield from self._publish(findings)
        elif errors := blocking(findings):
            self._problems.append(metadata.errors(errors))
        if not_uploaded := self._pipeline.upload():  # also what an earlier run could not
            self._problems.append(not_uploaded)
        if self._problems:
            raise PlainFailure(" ".join(self._problems), self._tables)

    # ── the repositories ─────────────────────────────────────────────────────────────────────────────

    def _sync_or_derive(self) -> Iterator[Event]:
        days_back = self._config.days()
        chosen = Chosen(self._context, self._config, self._pipeline)
        reporter = Reporter(self._pipeline, [key for key in SYNCED if key in self._selected])
        if self._selected & set(RAW):
            closer = self._config.reconcile or RECONCILE_TAG in self._context.run.tags
            options = SyncOptions(self._config.full, days_back, closer, caller="dagster")
            failed = yield from self._sync(chosen, options, reporter)
        else:
            failed = yield from self._derive(chosen, reporter)
        if failed:
            if not chosen.is_partitioned:
                reporter.plan(failed, self._context)
            yield from reporter.reasons(failed, self._context.instance)
            publishes = self._publishes and not self._stopped_by
            self._problems.append(metadata.failures(failed, len(chosen), publishes=publishes))
            self._tables["failed"] = dg.MetadataValue.md(metadata.failure_table(failed))

    def _sync(
        self, chosen: Chosen, options: SyncOptions, reporter: Reporter
    ) -> Generator[Event, None, list[SyncResult]]:
        failed, reported = list(chosen.refused), {result.tracked_as for result in chosen.refused}
        try:
            before = self._pipeline.stored.row_counts(chosen.names)
            for results in in_batches(self._pipeline.sync(chosen.names, options)):
                changed = {r.tracked_as: r for r in results if r.mode not in {"unchanged", "failed"}}
                if REVIEW_TIME_HOURS in self._selected:
                    self._pipeline.derive(list(changed))
                unchanged = {r.tracked_as: r for r in results if r.mode == "unchanged"}
                yield from reporter.materializations(
                    changed | unchanged if len(chosen) <= FEW else changed, before
                )
                failed += [result for result in results if result.failed]
                reported |= {result.tracked_as for result in results}
            self._untrack_what_never_was(failed)
        except Exception as error:  # noqa: BLE001 - raised again when each repository that is left shows as failed
            self._stopped_by = error
            why = f"The run stopped before it was done: {error}"
            failed += [
                SyncResult(name, None, None, "failed", error=why)
                for name in chosen.names
                if name not in reported
            ]
        return failed

    def _drain(self) -> Iterator[Event]:
        """What deliveries of webhooks told of, whichever repositories that is about."""
        reporter = Reporter(self._pipeline, [key for key in SYNCED if key in self._selected])
        drain = Drain(self._pipeline, "dagster")
        results: dict[str, SyncResult] = {}
        try:
            for result in drain.results():
                results[result.tracked_as] = result
        except Exception as error:  # noqa: BLE001 - raised again when what was done is reported
            self._stopped_by = error
        finally:
            drain.inbox.close()
        done = {name: result for name, result in results.items() if not result.failed}
        yield from reporter.materializations(done)
        if failed := [result for result in results.values() if result.failed]:
            reporter.plan(failed, self._context)
            yield from reporter.reasons(failed, self._context.instance)
            self._problems.append(metadata.failures(failed, len(results), publishes=False))
            self._tables["failed"] = dg.MetadataValue.md(metadata.failure_table(failed))

    def _derive(self, chosen: Chosen, reporter: Reporter) -> Generator[Event, None, list[SyncResult]]:
        """The metrics alone, from what is stored."""
        stored = {t.tracked_as for t in self._pipeline.tracking.tracked_rows() if t.repository_id is not None}
        names = [name for name in chosen.names if name in stored]
        self._pipeline.derive(names)
        yield from reporter.materializations(dict.fromkeys(names))
        never_read = "Nothing of it is stored yet; materialize raw/pull_requests first."
        return [
            *chosen.refused,
            *(
                SyncResult(name, None, None, "failed", error=never_read)
                for name in chosen.names
                if name not in stored
            ),
        ]

    def _untrack_what_never_was(self, failed: Sequence[SyncResult]) -> None:
        """A partition whose name GitHub does not know is most likely a typing error: one failure, not one a day."""
        added = {row.tracked_as for row in self._pipeline.tracking.tracked_rows() if row.tracked_by == "ui"}
        unknown = self._pipeline.untrack_never_found(failed, added)
        added_partitions.refuse(self._context.instance, unknown)
        for name in unknown:
            self._context.log.warning(
                f"{name} is no repository that this credential sees; its partition is removed."
            )

    # ── all repositories together ────────────────────────────────────────────────────────────────────

    def _aggregate(self) -> Iterator[Event]:
        rows = self._pipeline.aggregate()
        for key in AGGREGATES:
            if key in self._selected:
                table = key.path[-1]
                yield dg.AssetMaterialization(key, metadata={"dagster/row_count": rows[table]})

    def _publish(self, findings: Sequence[Findings]) -> Iterator[Event]:
        waiting = runs.unpublished(self._context.instance, SYNC_JOBS)
        try:
            release = self._pipeline.publish(findings, caller="dagster")
        except ReleaseBlocked as blocked:
            self._problems.append(str(blocked))
            self._tables |= {found.check.name: metadata.preview(found.rows) for found in blocked.findings}
            runs.note_blocked(self._context)
            return
        yield dg.AssetMaterialization(
            PUBLISHED_DATABASE,
            metadata=metadata.of_release(
                release, self._pipeline.stored.weeks(), self._pipeline.tracking.tracked_rows()
            )
            | metadata.of_deliveries(of_deliveries(self._pipeline.settings)),
        )
        for key in PUBLISHED_TABLES:
            if key in self._selected:
                yield dg.AssetMaterialization(key, metadata=metadata.of_published(release, key.path[-1]))
        if self._pipeline.settings.uses_jira:
            for key in tables_of_jira(release.rows):  # assets that no step computes by itself
                yield dg.AssetMaterialization(key, metadata=metadata.of_published(release, key.path[-1]))
        if REVIEW_TIME_REPORT in self._selected:
            yield dg.AssetMaterialization(
                REVIEW_TIME_REPORT, metadata=metadata.of_report(self._pipeline.report())
            )
        runs.note_published(self._context, waiting)
