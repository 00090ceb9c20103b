"""Syncs a set of tracked repositories: histories first, then increments, then reconciliations.

One bad repository harms no other: its failure is in its result, and its watermark stays where it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from prpipeline.model.failures import (
    ApiFailure,
    BadCredentials,
    FailureKind,
    LimitReached,
    PermanentFailure,
)
from prpipeline.model.repository import listed
from prpipeline.model.tracking import Caller, SyncMode, status_after
from prpipeline.model.usage import Usage
from prpipeline.settings import SyncSettings
from prpipeline.sync.context import Context, Progress, still_tracked, untracked
from prpipeline.sync.fill_up import FillUpBudget, fill_up
from prpipeline.sync.history import sync_history
from prpipeline.sync.identity import renewed
from prpipeline.sync.increment import PROBE_SIZE, Outcome, sync_increments
from prpipeline.sync.reconcile import reconcile
from prpipeline.sync.source import Source
from prpipeline.warehouse import Warehouse, activity, records, tracking
from prpipeline.warehouse.activity import RecordedSync
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.leases import Leases, taken
from prpipeline.warehouse.records import Written
from prpipeline.warehouse.tracking import Tracked

log = logging.getLogger("prpipeline")


def lease_of(tracked_as: str) -> str:
    """The lease of a repository: no two tracked names may mean one."""
    return f"repository {tracked_as}"


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """The options of a sync."""

    full: bool = False  # read the history again from the start
    days_back: int | None = None  # days of history, instead of the repository's own setting
    reconcile: bool = False
    caller: Caller = "python"


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How the sync of one repository went."""

    tracked_as: str
    repository_id: int | None
    repository: str | None
    mode: SyncMode
    pull_requests: int = 0  # read and written
    reviews: int = 0
    removed: int = 0  # rows that GitHub no longer has
    held: int = 0  # pull requests of it in the warehouse
    on_github: int | None = None
    requests: int = 0
    points: int = 0
    seconds: float = 0.0
    window_start: datetime | None = None  # everything that changed from here …
    window_end: datetime | None = None  # … to here is in the warehouse
    error: str | None = None
    failure: FailureKind | None = None
    is_permanent: bool = False

    @property
    def failed(self) -> bool:
        return self.mode == "failed"


@dataclass(frozen=True, slots=True)
class _Done:
    """A repository that was worked on, before that is recorded."""

    tracked: Tracked
    mode: SyncMode
    seconds: float
    failure: ApiFailure | None


class Syncer:
    """Brings tracked repositories up to date, one after the other, with one source."""

    def __init__(
        self,
        source: Source,
        warehouse: Warehouse,
        settings: SyncSettings,
        report: Callable[[Progress], None] = lambda progress: None,
        budget: FillUpBudget | None = None,
        leases: Leases | None = None,
    ) -> None:
        """``budget`` and ``leases``: what is shared with the other workers of the run."""
        self._leases = leases
        self._budget = budget or FillUpBudget(settings.fill_up_per_run)
        self._context = Context(source, warehouse, settings, report)
        self._caller: Caller = "python"

    def sync(self, names: Sequence[str], options: SyncOptions = SyncOptions()) -> Iterator[SyncResult]:
        """Sync repositories by the names they are tracked under; a result each, as each is done.

        Raises WarehouseError; what GitHub does wrong is in the results.
        """
        self._caller = options.caller
        with self._context.warehouse.session():
            if self._leases is not None:
                yield from self._sync(names, options, self._leases)
                return
            with closing(self._context.warehouse.store.leases()) as leases:
                yield from self._sync(names, options, leases)

    def _sync(self, names: Sequence[str], options: SyncOptions, leases: Leases) -> Iterator[SyncResult]:
        chosen = yield from self._found(names)
        shared: ApiFailure | None = None
        for unit in self._units(chosen, options):
            with taken(leases, {lease_of(name) for name in unit}) as held:
                mine = [name for name in unit if lease_of(name) in held]
                yield from self._busy([name for name in unit if name not in set(mine)])
                # As they are now: another run may have been at them until a moment ago.
                chosen = yield from self._found(mine)
                shared = yield from self._sync_unit(chosen, options, shared)

    def _found(self, names: Sequence[str]) -> Generator[SyncResult, None, list[Tracked]]:
        """The rows of those that are tracked; a failure each for the others."""
        chosen = self._chosen(names)
        found = {tracked.tracked_as for tracked in chosen}
        yield from (_not_tracked(name) for name in dict.fromkeys(names) if name not in found)
        return chosen

    def _units(self, chosen: Sequence[Tracked], options: SyncOptions) -> Iterator[list[str]]:
        """What is worked on at a time: a history, or as many increments as share a request."""
        is_long = {t.tracked_as: options.full or self._needs_history(t, options) for t in chosen}
        yield from ([name] for name in is_long if is_long[name])
        quick = [name for name in is_long if not is_long[name]]
        for start in range(0, len(quick), PROBE_SIZE):
            yield quick[start : start + PROBE_SIZE]

    def _busy(self, names: Sequence[str]) -> Iterator[SyncResult]:
        """Another run is syncing these: it will not be long, and no two read the same."""
        if not names:
            return
        log.warning("Another run is syncing %s; this one leaves them to it.", listed(names))
        with self._context.warehouse.transaction() as connection:
            rows = tracking.get(connection, names)
            held = records.counts(connection, [r.repository_id for r in rows.values() if r.repository_id])
        for tracked in rows.values():
            yield self._result(_Done(tracked, "unchanged", 0.0, None), tracked, held)

    def _sync_unit(
        self, chosen: Sequence[Tracked], options: SyncOptions, shared: ApiFailure | None
    ) -> Generator[SyncResult, None, ApiFailure | None]:
        """Sync these, unless ``shared`` is a failure that would be every repository's; returns it, or a new one."""
        chosen, failed = self._renewed(chosen)
        yield from self._results(failed)
        histories = [t for t in chosen if options.full or self._needs_history(t, options)]
        long = {t.tracked_as for t in histories}
        increments = [t for t in chosen if t.tracked_as not in long]
        for tracked in histories:
            result, shared = self._one(tracked, "history", shared, lambda t: self._history(t, options))
            yield result
        if shared is not None:
            yield from self._results([_Done(t, "increment", 0.0, shared) for t in increments])
            return shared
        for outcomes in self._timed(self._filled_up(sync_increments(self._context, increments))):
            if not options.reconcile:
                yield from self._results(outcomes)
                continue
            yield from self._results([done for done in outcomes if done.failure])
            for done in outcomes:
                if done.failure is None:
                    result, shared = self._one(
                        done.tracked, "reconcile", shared, lambda t: reconcile(self._context, t)
                    )
                    yield result
        return shared

    def _filled_up(self, chunks: Iterator[list[Outcome]]) -> Iterator[list[Outcome]]:
        for chunk in chunks:
            fill_up(self._context, chunk, self._budget)
            yield chunk

    @staticmethod
    def _timed(chunks: Iterator[list[Outcome]]) -> Iterator[list[_Done]]:
        started = time.monotonic()
        for chunk in chunks:
            share = (time.monotonic() - started) / max(len(chunk), 1)
            yield [
                _Done(o.tracked, "increment" if o.changed else "unchanged", share, o.failure) for o in chunk
            ]
            started = time.monotonic()

    def _one(
        self,
        tracked: Tracked,
        mode: SyncMode,
        shared: ApiFailure | None,
        work: Callable[[Tracked], object],
    ) -> tuple[SyncResult, ApiFailure | None]:
        """Run the work of one repository, unless ``shared`` is a failure that would be every repository's.

        Returns the result, and such a failure if there is one now.
        """
        started = time.monotonic()
        failure = shared
        if shared is None:
            try:
                with self._context.charged_to(tracked.tracked_as):
                    work(tracked)
            except ApiFailure as caught:
                failure = caught
                shared = caught if isinstance(caught, (BadCredentials, LimitReached)) else None
        (result,) = self._results([_Done(tracked, mode, time.monotonic() - started, failure)])
        return result, shared

    def _chosen(self, names: Sequence[str]) -> list[Tracked]:
        with self._context.warehouse.transaction() as connection:
            rows = tracking.get(connection, names)
        return [rows[name] for name in dict.fromkeys(names) if name in rows and rows[name].is_tracked]

    def _renewed(self, chosen: Sequence[Tracked]) -> tuple[list[Tracked], list[_Done]]:
        """What the names of these mean now, see ``identity.renewed``; and those of which that cannot be found out."""
        known: list[Tracked] = []
        failed: list[_Done] = []
        for tracked in chosen:
            try:
                known.append(renewed(self._context, tracked))
            except ApiFailure as failure:
                failed.append(_Done(tracked, "increment", 0.0, failure))
        return known, failed

    def _days_back(self, tracked: Tracked, options: SyncOptions) -> int | None:
        for days in (options.days_back, tracked.days_back, self._context.settings.days_back):
            if days is not None:
                return days
        return None

    def _needs_history(self, tracked: Tracked, options: SyncOptions) -> bool:
        if tracked.history_done_at is None:
            return True
        wanted, had = self._days_back(tracked, options), tracked.history_days_back
        return had is not None and (wanted is None or wanted > had)

    def _history(self, tracked: Tracked, options: SyncOptions) -> None:
        days_back = self._days_back(tracked, options)
        if tracked.history_done_at is not None or days_back != tracked.history_days_back or options.full:
            # A new walk: its order or its bound may be another one than the cursor's.
            with self._context.warehouse.transaction() as connection:
                tracking.update(
                    connection,
                    tracked.tracked_as,
                    history_cursor=None,
                    history_started_at=None,
                    history_done_at=None,
                    history_days_back=days_back,
                )
                tracked = still_tracked(connection, tracked)
        sync_history(self._context, tracked, days_back)
        if options.reconcile:
            with self._context.warehouse.transaction() as connection:
                tracked = still_tracked(connection, tracked)
            reconcile(self._context, tracked)

    def _results(self, done: Sequence[_Done]) -> list[SyncResult]:
        """The results of these, recorded in the warehouse."""
        if not done:
            return []
        now = utc_now()
        with self._context.warehouse.transaction() as connection:
            for each in done:
                if each.failure:
                    tracking.update(
                        connection,
                        each.tracked.tracked_as,
                        status=status_after(each.failure, was_seen=each.tracked.repository_id is not None),
                        last_error=str(each.failure),
                        last_failure=each.failure.kind,
                        last_attempt_at=now,
                    )
            rows = tracking.get(connection, [each.tracked.tracked_as for each in done])
            held = records.counts(connection, [r.repository_id for r in rows.values() if r.repository_id])
            results = [self._result(each, rows.get(each.tracked.tracked_as), held) for each in done]
            noted = [r for r in results if r.mode != "unchanged" and r.tracked_as in rows]
            activity.record_syncs(connection, [recorded(result, now, self._caller) for result in noted])
        return results

    def _result(self, done: _Done, now: Tracked | None, held: dict[int, int]) -> SyncResult:
        failure, after = done.failure, now or done.tracked
        if now is None:
            failure = failure or untracked(done.tracked.tracked_as)
        spent = self._context.spent.pop(after.tracked_as, Usage())
        written = self._context.written.pop(after.repository_id or 0, Written())
        return SyncResult(
            tracked_as=after.tracked_as,
            repository_id=after.repository_id,
            repository=after.repository,
            mode="failed" if failure else done.mode,
            pull_requests=written.pull_requests,
            reviews=written.reviews,
            removed=written.removed,
            held=held.get(after.repository_id or 0, 0),
            on_github=after.pull_requests_on_github,
            requests=spent.requests,
            points=spent.points,
            seconds=round(done.seconds, 3),
            window_start=done.tracked.watermark_at,
            window_end=after.watermark_at,
            error=str(failure) if failure else None,
            failure=failure.kind if failure else None,
            is_permanent=isinstance(failure, PermanentFailure),
        )


def _not_tracked(name: str) -> SyncResult:
    """It was untracked since it was chosen, or mistyped where names are not checked."""
    failure = PermanentFailure("Not tracked. Track it first, or correct its spelling.")
    return SyncResult(name, None, None, "failed", error=str(failure), failure=failure.kind, is_permanent=True)


def recorded(result: SyncResult, now: datetime, caller: Caller) -> RecordedSync:
    """A sync for the warehouse's record, which gives it its id."""
    return RecordedSync(
        sync_id=0,
        caller=caller,
        tracked_as=result.tracked_as,
        repository_id=result.repository_id,
        mode=result.mode,
        started_at=now - timedelta(seconds=result.seconds),
        finished_at=now,
        pull_requests=result.pull_requests,
        reviews=result.reviews,
        removed=result.removed,
        requests=result.requests,
        points=result.points,
        seconds=result.seconds,
        error=result.error,
    )
