"""Spreads repositories over several credentials: a worker, which is a thread, for each.

How a worker syncs a repository is ``Syncer``'s business.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from prpipeline.settings import SyncSettings
from prpipeline.sync.context import Progress
from prpipeline.sync.fill_up import FillUpBudget
from prpipeline.sync.increment import PROBE_SIZE
from prpipeline.sync.source import Source
from prpipeline.sync.syncer import Syncer, SyncOptions, SyncResult
from prpipeline.warehouse import Warehouse, tracking
from prpipeline.warehouse.leases import Leases

_PLAIN = SyncOptions()


def sync_with_workers(
    sources: Sequence[Source],
    warehouse: Warehouse,
    settings: SyncSettings,
    names: Sequence[str],
    options: SyncOptions = _PLAIN,
    report: Callable[[Progress], None] = lambda progress: None,
    leases: Leases | None = None,
) -> Iterator[SyncResult]:
    """``Syncer.sync`` with a worker for each source; a result per repository, as each is done.

    What fails with one credential is tried with the others, which may see more. ``report`` is called from several
    threads. When the caller leaves early, or a worker fails, all sources are stopped for good. Raises WarehouseError.
    """
    if len(sources) == 1:
        yield from Syncer(sources[0], warehouse, settings, report, leases=leases).sync(names, options)
        return
    # One run's: what a worker leaves to another one is not held by somebody else.
    leases = leases or warehouse.store.leases()
    work = _Work(_batches(warehouse, names, options, len(sources)), len(sources))
    results: queue.SimpleQueue[SyncResult | BaseException | None] = queue.SimpleQueue()

    budget = FillUpBudget(settings.fill_up_per_run)

    def run(worker: int, source: Source) -> None:
        syncer = Syncer(source, warehouse, settings, report, budget, leases)
        try:
            while batch := work.take(worker):
                for result in syncer.sync(batch.names, options):
                    whole = batch.with_earlier(result)
                    if work.is_done(batch, worker, whole):
                        results.put(whole)
                work.finished()
        except BaseException as error:  # noqa: BLE001 - raised again where the results are read
            results.put(error)
        results.put(None)

    workers = [
        threading.Thread(target=run, args=(worker, source), name=f"worker-{worker}", daemon=True)
        for worker, source in enumerate(sources)
    ]
    for thread in workers:
        thread.start()
    running = len(workers)
    try:
        while running:
            item = results.get()
            if item is None:
                running -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        if running:
            work.stop()
            for source in sources:
                source.stop()  # a worker may be waiting for a limit to end
        for thread in workers:
            thread.join()


@dataclass(frozen=True, slots=True)
class _Batch:
    """Repositories to sync together, and the results of the workers that tried before."""

    names: tuple[str, ...]
    tried: frozenset[int] = frozenset()
    earlier: dict[str, SyncResult] = field(default_factory=dict)

    def with_earlier(self, result: SyncResult) -> SyncResult:
        """The result with the costs of the workers that failed before; of two failures the first one counts."""
        before = self.earlier.get(result.tracked_as)
        if before is None:
            return result
        return replace(
            before if result.failed else result,
            requests=result.requests + before.requests,
            points=result.points + before.points,
            seconds=result.seconds + before.seconds,
        )


class _Work:
    """The batches that wait for a worker. Thread-safe."""

    def __init__(self, batches: Sequence[_Batch], workers: int) -> None:
        self._waiting = deque(batches)
        self._workers = workers
        self._busy = 0
        self._is_stopped = False
        self._changed = threading.Condition()

    def take(self, worker: int) -> _Batch | None:
        """The next batch that this worker has not tried; waits for one as long as others may leave some."""
        with self._changed:
            while not self._is_stopped:
                for batch in self._waiting:
                    if worker not in batch.tried:
                        self._waiting.remove(batch)
                        self._busy += 1
                        return batch
                if not self._busy:
                    return None
                self._changed.wait()
            return None

    def is_done(self, batch: _Batch, worker: int, result: SyncResult) -> bool:
        """Whether this result is final; if not, another worker will try."""
        tried = batch.tried | {worker}
        if not result.failed or len(tried) == self._workers:
            return True
        with self._changed:
            self._waiting.append(_Batch((result.tracked_as,), tried, {result.tracked_as: result}))
            self._changed.notify_all()
        return False

    def finished(self) -> None:
        """A worker is done with a batch."""
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Give out nothing more."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()


def _batches(warehouse: Warehouse, names: Sequence[str], options: SyncOptions, workers: int) -> list[_Batch]:
    """Histories one by one, for they are long; increments as many together as share a request."""
    names = list(dict.fromkeys(names))
    with warehouse.transaction() as connection:
        known = tracking.get(connection, names)
    is_quick = {n for n in known if known[n].history_done_at and not options.full}
    quick = [n for n in names if n in is_quick]
    long = [n for n in names if n not in is_quick]  # also what is not tracked, which fails at once
    size = min(PROBE_SIZE, -(-len(quick) // workers)) or 1
    chunks = [tuple(quick[start : start + size]) for start in range(0, len(quick), size)]
    return [_Batch((name,)) for name in long] + [_Batch(chunk) for chunk in chunks]
