"""Drains the inbox of webhooks: reads what deliveries told of, computes its metrics, settles the inbox, publishes.

A delivery is settled after the warehouse's commit only: who is killed in between drains it again, to the same rows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from prpipeline.app.pipeline import Pipeline
from prpipeline.app.run import in_batches, publish_all
from prpipeline.model.deliveries import Hint, InboxError
from prpipeline.model.failures import ApiFailure
from prpipeline.model.tracking import Caller
from prpipeline.settings import ConfigurationError, TrackedOwner
from prpipeline.sync import SyncOptions, SyncResult
from prpipeline.sync.context import Context
from prpipeline.sync.deliveries import Looked, look, to_look_closer
from prpipeline.sync.source import Source
from prpipeline.sync.workers import sync_with_workers
from prpipeline.warehouse.database import utc_now
from prpipeline.webhooks import waiting
from prpipeline.webhooks.inbox import Inbox

__all__ = ["Drain", "Drained", "InboxError", "drain"]

log = logging.getLogger("prpipeline")

_AT_ONCE = 500  # hints in a look; then the inbox is settled
_RETRIES = (5, 15, 60)  # seconds, while GitHub does not show what it told of; then it is parked
_EARLY = timedelta(seconds=60)  # a history is under way
_LONGEST_WAIT = timedelta(days=1)  # for a history, or while reading fails
_PATIENCE_SECONDS = 180.0
_LOOK_SECONDS = 5.0


@dataclass
class Drained:
    """What a drain came to: deliveries that were done, what is left and parked in the inbox, results by repository."""

    done: int = 0
    left: int = 0
    parked: int = 0
    due: int = 0  # of those left: due, and not done
    results: dict[str, SyncResult] = field(default_factory=dict)
    blocked: str | None = None  # why nothing was published, if checks forbade it

    @property
    def is_well(self) -> bool:
        return not (self.due or self.blocked or any(result.failed for result in self.results.values()))


def drain(pipeline: Pipeline, *, wait: bool = False) -> Drained:
    """Handle what is due and publish what that changed; with ``wait`` until nothing is left but what is parked.

    Waits while another pipeline writes, as a sync does. Raises InboxError, WarehouseError, OtherHost, ConfigurationError.
    """
    started = time.monotonic()
    drained = Drained()
    draining = Drain(pipeline, "webhooks")
    try:
        while True:
            for result in draining.results():
                _add(drained.results, result)
            drained.blocked = _publish(pipeline, draining) or drained.blocked
            found = waiting.waiting(draining.inbox, utc_now())
            is_hopeless = draining.undone and all(
                r.is_permanent for r in drained.results.values() if r.failed
            )
            if not wait or not found.left or is_hopeless or time.monotonic() - started > _PATIENCE_SECONDS:
                break
            pause = 0.0 if found.next_at is None else (found.next_at - utc_now()).total_seconds()
            time.sleep(_LOOK_SECONDS if draining.undone else min(_LOOK_SECONDS, max(0.2, pause)))
        summary = draining.inbox.summary()
        drained.done, drained.left, drained.parked = draining.done, summary.depth, summary.parked
        drained.due = draining.undone
        return drained
    finally:
        draining.inbox.close()


class Drain:
    """One drain, step by step, for who publishes by itself. ``inbox`` is to be closed."""

    def __init__(self, pipeline: Pipeline, caller: Caller) -> None:
        self._pipeline, self._caller = pipeline, caller
        self.inbox = Inbox(pipeline.settings.data_dir)
        self.done = 0  # deliveries
        self.undone = 0  # deliveries that were due, and failed
        self.newest_due = 0  # the number of the newest delivery that was due at the last look

    def sort_out(self) -> int:
        """Settle what needs no request; how many hints are left to be looked at now. Raises InboxError, WarehouseError."""
        found = waiting.waiting(self.inbox, utc_now())
        self.newest_due = found.newest
        if not found.due:
            return 0
        if not self._pipeline.warehouse.exists():
            waiting.drop_untracked(self.inbox, found.due)
            return 0
        pull_requests, others = _split(found.due)
        looked = Looked()
        with self._pipeline.warehouse.transaction() as connection:
            wanted = looked.sort(connection, pull_requests)
            closer, untracked, early = to_look_closer(connection, others)
        self._settle(looked)
        waiting.drop_untracked(self.inbox, untracked)
        self._finish(early, "A history is to come, or nothing of it is tracked.")
        return len(wanted) + len({id(hint) for hints in closer.values() for hint in hints})

    def results(self) -> Iterator[SyncResult]:
        """Look at what is due, with its metrics; a result for each repository that GitHub was asked about."""
        waiting.prune(self.inbox, utc_now())
        self.undone = 0
        if not self.sort_out():
            return
        with self._pipeline.asking() as (sources, _):
            # What was due before this process got its turn may be done by another one, and more may have come.
            due = waiting.waiting(self.inbox, utc_now()).due
            pull_requests, others = _split(due)
            for start in range(0, len(pull_requests), _AT_ONCE):
                yield from self._read(sources, pull_requests[start : start + _AT_ONCE])
            if others:
                yield from self._look_at_repositories(sources, others)

    def _read(self, sources: Sequence[Source], hints: Sequence[Hint]) -> Iterator[SyncResult]:
        """By the first credential that is not refused; what one may not see, an increment tries with all."""
        left, results = list(hints), dict[str, SyncResult]()
        for source in sources:
            context = Context(source, self._pipeline.warehouse, self._pipeline.settings.sync)
            with self._pipeline.warehouse.session():
                looked = look(context, left, self._caller)
            for result in looked.results:
                if result.tracked_as not in looked.closer:
                    _add(results, result)
            self._derive(looked.results)
            left, looked.failed = looked.failed, []
            self._settle(looked)
            if looked.closer:
                yield from self._look_closer(sources, looked.closer)
            if not left:
                break
        self._give_up(left, results)
        yield from results.values()

    def _look_at_repositories(self, sources: Sequence[Source], hints: Sequence[Hint]) -> Iterator[SyncResult]:
        self._follow_file()
        with self._pipeline.warehouse.transaction() as connection:
            closer, untracked, early = to_look_closer(connection, hints)
        waiting.drop_untracked(self.inbox, untracked)
        self._finish(early, "A history is to come, or nothing of it is tracked.")
        yield from self._look_closer(sources, closer)

    def _look_closer(self, sources: Sequence[Source], closer: dict[str, list[Hint]]) -> Iterator[SyncResult]:
        """The increments of these repositories: what they are now is what the API says."""
        results: list[SyncResult] = []
        options = SyncOptions(caller=self._caller)
        synced = sync_with_workers(
            sources, self._pipeline.warehouse, self._pipeline.settings.sync, list(closer), options
        )
        for batch in in_batches(synced):
            self._derive(batch)
            results += batch
        # A repository that is gone or forbidden was looked at; an outage was not its fault.
        failed = {result.tracked_as for result in results if result.failed and not result.is_permanent}
        undone = {delivery for name in failed for hint in closer[name] for delivery in hint.deliveries}
        hints = {hint.deliveries: hint for some in closer.values() for hint in some}.values()
        well = [hint for hint in hints if not undone.intersection(hint.deliveries)]
        gone = {result.tracked_as for result in results if result.failed}
        missing = self._still_missing([h for h in well if h.pull_request_id and not _is_of(h, closer, gone)])
        self._behind(missing)
        self._finish([h for h in well if h not in missing], "Its repository was looked at.")
        self._give_up([hint for hint in hints if hint not in well], {r.tracked_as: r for r in results})
        yield from results

    def _still_missing(self, hints: Sequence[Hint]) -> list[Hint]:
        """Those that even an increment did not bring."""
        looked = Looked()
        with self._pipeline.warehouse.transaction() as connection:
            return [wanted.hint for wanted in looked.sort(connection, hints) if wanted.identity is None]

    def _follow_file(self) -> None:
        """Owners in the repositories file may have other repositories now."""
        settings = self._pipeline.settings
        if any(isinstance(entry, TrackedOwner) for entry in settings.file.repositories):
            try:
                self._pipeline.follow_file()
            except (ApiFailure, ConfigurationError) as error:
                log.warning("The owners in the repositories file were not listed again: %s", error)

    def _derive(self, results: Sequence[SyncResult]) -> None:
        self._pipeline.derive([r.tracked_as for r in results if r.mode not in {"unchanged", "failed"}])

    # ── settling ─────────────────────────────────────────────────────────────────────────────────────

    def _settle(self, looked: Looked) -> None:
        waiting.drop_untracked(self.inbox, looked.untracked)
        self._finish(looked.held, "It was held already.")
        self._finish(looked.read)
        self._behind(looked.behind)
        now = utc_now()
        for hint in looked.early:
            if now - hint.received_at > _LONGEST_WAIT:
                self._finish([hint], "The history of its repository reads it.")
            else:
                waiting.put_off(self.inbox, [hint], now + _EARLY, "A history is to come.", counted=False)

    def _finish(self, hints: Iterable[Hint], note: str | None = None) -> None:
        hints = list(hints)
        waiting.done(self.inbox, hints, utc_now(), note)
        self.done += sum(len(hint.deliveries) for hint in hints)

    def _behind(self, hints: Iterable[Hint]) -> None:
        now = utc_now()
        for hint in hints:
            if hint.attempts < len(_RETRIES):
                until = now + timedelta(seconds=_RETRIES[hint.attempts])
                waiting.put_off(self.inbox, [hint], until, "GitHub does not show it yet.")
            else:
                why = "GitHub did not show it; an increment will read it."
                waiting.parked(self.inbox, [hint], now, why)
                log.warning("What a delivery told of #%s was not shown in time; it is parked.", hint.number)

    def _give_up(self, hints: Sequence[Hint], results: dict[str, SyncResult]) -> None:
        """These failed; they stay, and are parked only where that lasts."""
        why = (
            next((result.error for result in results.values() if result.error), None) or "Reading it failed."
        )
        now = utc_now()
        old = [hint for hint in hints if now - hint.received_at > _LONGEST_WAIT]
        waiting.parked(self.inbox, old, now, why)
        self.undone += sum(len(hint.deliveries) for hint in hints if hint not in old)


def _publish(pipeline: Pipeline, draining: Drain) -> str | None:
    """Publish what readers do not see yet; why not, where checks forbid it."""
    before = utc_now()
    if not waiting.has_unpublished(draining.inbox) and not draining.done:
        return None
    if not pipeline.warehouse.exists() or not pipeline.has_news():
        waiting.note_no_news(draining.inbox, before)
        return pipeline.upload()
    published = publish_all(pipeline, "webhooks")
    return published.blocked or published.not_uploaded


def _split(hints: Sequence[Hint]) -> tuple[list[Hint], list[Hint]]:
    return [h for h in hints if h.pull_request_id is not None], [
        h for h in hints if h.pull_request_id is None
    ]


def _is_of(hint: Hint, closer: dict[str, list[Hint]], names: Iterable[str]) -> bool:
    return any(hint in closer.get(name, ()) for name in names)


def _add(results: dict[str, SyncResult], result: SyncResult) -> None:
    """One result per repository: costs add up, and how it ended is what the last one says."""
    before = results.get(result.tracked_as)
    if before is None:
        results[result.tracked_as] = result
        return
    was_changed = before.mode not in {"unchanged", "failed"}
    results[result.tracked_as] = replace(
        result,
        mode=before.mode if result.mode == "unchanged" and was_changed else result.mode,
        pull_requests=before.pull_requests + result.pull_requests,
        reviews=before.reviews + result.reviews,
        removed=before.removed + result.removed,
        requests=before.requests + result.requests,
        points=before.points + result.points,
        seconds=round(before.seconds + result.seconds, 3),
    )
