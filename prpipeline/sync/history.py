"""The whole past of a repository, page by page; one that was killed goes on where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from prpipeline.model.answers import Head, Page
from prpipeline.model.failures import CursorRejected
from prpipeline.sync.context import Context, Progress, check_plausible, still_tracked
from prpipeline.sync.identity import check_identity
from prpipeline.warehouse import records, shortfalls, tracking
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.records import Written
from prpipeline.warehouse.tracking import Tracked


def sync_history(context: Context, tracked: Tracked, days_back: int | None) -> None:
    """Read what is left of a repository's history and mark it done. Raises ApiFailure."""
    try:
        _Walk(context, tracked, days_back).run(after=tracked.history_cursor)
    except CursorRejected:
        _Walk(context, tracked, days_back).run(after=None)


class _Walk:
    """Pages are written with the cursor behind them in one transaction: a kill costs the pages that were not yet."""

    def __init__(self, context: Context, tracked: Tracked, days_back: int | None) -> None:
        self._context, self._tracked, self._days_back = context, tracked, days_back
        self._started_at = tracked.history_started_at
        self._held: int | None = None
        self._has_gaps = False

    def run(self, *, after: str | None) -> None:
        tracked, days_back, page = self._tracked, self._days_back, None
        with self._context.gathered(self._write, lambda page: len(page.pull_requests)) as pages:
            for page in self._context.source.history(
                tracked.repository or tracked.tracked_as,
                after=after,
                back=None if days_back is None else timedelta(days=days_back),
                started_at=self._started_at,
            ):
                pages.add(page)
        if self._has_gaps and page is not None:
            _fill_gaps(self._context, page)
            assert self._started_at is not None
            with self._context.warehouse.transaction() as connection:
                tracking.update(connection, tracked.tracked_as, **_done(self._context, self._started_at))

    def _write(self, pages: Sequence[Page]) -> None:
        context, last = self._context, pages[-1]
        is_last = last.cursor is None
        started_at = self._started_at or pages[0].read_at
        repository_id = last.repository.repository_id
        with context.warehouse.transaction() as connection:
            tracked = still_tracked(connection, self._tracked)
            if tracked.repository_id is None:  # the first page says whose history this is
                if tracked.tracked_by != "demo":  # whose made-up numbers collide with real ones
                    tracking.forget_tracked_by(connection, "demo")
                tracked = replace(tracked, repository_id=pages[0].repository.repository_id)
            for page in pages:
                check_identity(connection, tracked, page.repository)
                check_plausible(connection, page.pull_requests)
            answers = [([(repository_id, pr) for pr in page.pull_requests], page.read_at) for page in pages]
            written = records.write_answers(connection, answers).get(repository_id, Written())
            # Counting looks at every row; between the first and the last page, what was added is enough.
            is_known = self._held is not None and not is_last
            held = (self._held or 0) + written.added if is_known else records.count(connection, repository_id)
            has_gaps = is_last and self._days_back is None and held < (last.total or 0)
            changes: dict[str, Any] = {
                "repository_id": repository_id,
                "node_id": last.repository.node_id,
                "repository": last.repository.full_name,
                "pull_requests_on_github": last.total,
                "history_started_at": started_at,
                "history_days_back": self._days_back,
                "changed_at": utc_now(),
            }
            if not is_last:
                changes["history_cursor"] = last.cursor
            elif not has_gaps:
                changes |= _done(context, started_at)
            tracking.update(connection, tracked.tracked_as, **changes)
        # Not before it is committed: a failed write of several pages is tried again page by page.
        self._tracked, self._started_at, self._held, self._has_gaps = tracked, started_at, held, has_gaps
        context.add(repository_id, written)
        context.report(Progress(tracked.tracked_as, held, last.total if self._days_back is None else None))


def _fill_gaps(context: Context, last: Page) -> None:
    """GitHub counts more than it listed: ask for the outline and read what is missing."""
    answer = context.source.outline(last.repository)
    repository_id = last.repository.repository_id
    with context.warehouse.transaction() as connection:
        held = {pr.node_id for pr in records.held(connection, repository_id)}
        shortfalls.note_list(connection, repository_id, answer.total, len(answer.lines), answer.read_at)
    context.hydrate_listed(
        [
            (last.repository, Head(line.node_id, line.updated_at, line.number))
            for line in answer.lines
            if line.node_id not in held
        ]
    )


def _done(context: Context, started_at: datetime) -> dict[str, Any]:
    now = utc_now()
    return {
        "status": "ok",
        "last_error": None,
        "last_attempt_at": now,
        "last_sync_at": now,
        "watermark_at": started_at - context.overlap,
        "history_cursor": None,
        "history_done_at": now,
    }
