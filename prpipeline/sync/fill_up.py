"""Rows that lack newer fields, or keys in their bodies, are read again by and by: the newest first, a bounded number a run.

This is only for columns that were unknown so far, so nothing of it fails a sync: what cannot be read is tried again by
the next run, after all others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence

from prpipeline.model.answers import Head, Repository
from prpipeline.model.failures import ApiFailure, BadCredentials, LimitReached, NetworkTrouble
from prpipeline.sync.context import Context
from prpipeline.sync.increment import Outcome, repository_of
from prpipeline.warehouse import records
from prpipeline.warehouse.record_counts import Wanted

# Failures that asking for fewer would not help.
_SHARED = (BadCredentials, LimitReached, NetworkTrouble)

_MOST_FAILURES = 5  # of single pull requests; then something else is wrong

log = logging.getLogger("prpipeline")

Pair = tuple[Repository, Head]


class FillUpBudget:
    """How many rows the workers of a run may still read again. Thread-safe."""

    def __init__(self, rows: int) -> None:
        self._left = rows
        self._lock = threading.Lock()

    @property
    def left(self) -> int:
        return self._left

    def take(self, wanted: int) -> int:
        """How many of so many rows may be read; they count as read."""
        with self._lock:
            taken = min(wanted, self._left)
            self._left -= taken
            return taken


def fill_up(context: Context, outcomes: Sequence[Outcome], budget: FillUpBudget) -> None:
    """Read rows of these repositories again that lack fields which the source gives; marks the outcomes that changed.

    Only of repositories whose increment went well. Each answer is one transaction, and no older state overwrites a
    newer one. Rows that GitHub does not show stay: whether they are gone is for reconciling to find out.
    """
    well = {repository_of(o.tracked): o for o in outcomes if o.failure is None}
    if not well or not budget.left:
        return
    by_id = {repository.repository_id: repository for repository in well}
    with context.warehouse.transaction() as connection:
        wanted = Wanted(context.source.field_set, context.source.reads_bodies)
        rows = records.lacking_fields(connection, list(by_id), wanted, budget.left)
    pairs = [(by_id[row.repository_id], Head(row.node_id, row.updated_at, row.number)) for row in rows]
    reader = _Reader(context, {repository.repository_id: outcome for repository, outcome in well.items()})
    try:
        size = max(context.settings.page_size, context.warehouse.store.batch_rows)
        while pairs:
            page = pairs[: budget.take(min(size, reader.affordable(pairs)))]
            if not page:
                return
            reader.read(page)
            pairs = pairs[len(page) :]
    except _SHARED as failure:
        log.warning(
            "Reading older pull requests again, for fields that they lack, stopped; the next sync goes on: %s",
            failure,
        )


class _Reader:
    def __init__(self, context: Context, outcomes: Mapping[int, Outcome]) -> None:
        self._context = context
        self._outcomes = outcomes
        self._failures = 0

    def affordable(self, pairs: Sequence[Pair]) -> int:
        """How many: half of the hourly allowance is left to what cannot wait, and where much fails something else is wrong."""
        if self._failures >= _MOST_FAILURES:
            return 0
        allowance = self._context.source.allowance(pairs[0][0].full_name)
        if allowance is None:
            return len(pairs)
        spare = allowance.remaining - allowance.limit // 2  # points, of which a page takes one
        return min(len(pairs), max(0, spare) * self._context.settings.page_size)

    def read(self, pairs: Sequence[Pair]) -> None:
        """Read these; where that fails, in pages, then halves, down to the one that fails. Raises what would fail for all."""
        if self._failures >= _MOST_FAILURES:
            return
        missing: Sequence[Head] = ()
        try:
            with self._context.charged_to(self._outcomes[pairs[0][0].repository_id].tracked.tracked_as):
                missing = self._context.hydrate(pairs)
        except _SHARED:
            raise
        except ApiFailure as failure:
            if len(pairs) > 1:
                page = self._context.settings.page_size
                size = page if len(pairs) > page else -(-len(pairs) // 2)
                for start in range(0, len(pairs), size):
                    self.read(pairs[start : start + size])
                return
            self._failures += 1
            missing = [head for _, head in pairs]
            repository, head = pairs[0]
            log.warning(
                "%s#%s lacks fields and cannot be read again: %s", repository.full_name, head.number, failure
            )
        if missing:
            with self._context.warehouse.transaction() as connection:
                records.put_last(connection, [head.node_id for head in missing])
        unknown = {head.node_id for head in missing}
        for repository, head in pairs:
            if head.node_id not in unknown:
                self._outcomes[repository.repository_id].changed = True
