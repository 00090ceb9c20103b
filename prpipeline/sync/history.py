"""The whole past of a repository, page by page; one that was killed goes on where it stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from prpipeline.model.answers import Head, Page
from prpipeline.model.failures import CursorRejected
from prpipeline.sync.context import Context, Progress, check_plausible, still_tracked
from prpipeline.sync.identity import check_identity
from prpipeline.warehouse import records, shortfalls, tracking
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.tracking import Tracked


def sync_history(context: Context, tracked: Tracked, days_back: int | None) -> None:
    """Read what is left of a repository's history and mark it done. Raises ApiFailure."""
    try:
        _walk(context, tracked, days_back, after=tracked.history_cursor)
    except CursorRejected:
        _walk(context, tracked, days_back, after=None)


def _walk(context: Context, tracked: Tracked, days_back: int | None, *, after: str | None) -> None:
    """Each page is one transaction with the cursor behind it: a kill costs the page that was on its way."""
    started_at = tracked.history_started_at
    held: int | None = None
    for page in context.source.history(
        tracked.repository or tracked.tracked_as,
        after=after,
        back=None if days_back is None else timedelta(days=days_back),
        started_at=started_at,
    ):
        is_last = page.cursor is None
        started_at = started_at or page.read_at
        repository_id = page.repository.repository_id
        with context.warehouse.transaction() as connection:
            tracked = still_tracked(connection, tracked)
            if tracked.repository_id is None:  # the first page says whose history this is
                if tracked.tracked_by != "demo":  # whose made-up numbers collide with real ones
                    tracking.forget_tracked_by(connection, "demo")
                tracked = replace(tracked, repository_id=repository_id)
            check_identity(connection, tracked, page.repository)
            check_plausible(connection, page.pull_requests)
            pairs = [(repository_id, pull_request) for pull_request in page.pull_requests]
            written = records.write_answers(connection, [(pairs, page.read_at)])
            context.add(repository_id, written)
            # Counting looks at every row; between the first and the last page, what was added is enough.
            is_known = held is not None and not is_last
            held = (held or 0) + written.added if is_known else records.count(connection, repository_id)
            has_gaps = is_last and days_back is None and held < (page.total or 0)
            changes: dict[str, Any] = {
                "repository_id": repository_id,
                "node_id": page.repository.node_id,
                "repository": page.repository.full_name,
                "pull_requests_on_github": page.total,
                "history_started_at": started_at,
                "history_days_back": days_back,
                "changed_at": utc_now(),
            }
            if not is_last:
                changes["history_cursor"] = page.cursor
            elif not has_gaps:
                changes |= _done(context, started_at)
            tracking.update(connection, tracked.tracked_as, **changes)
        context.report(Progress(tracked.tracked_as, held, page.total if days_back is None else None))
        if has_gaps:
            _fill_gaps(context, page)
            with context.warehouse.transaction() as connection:
                tracking.update(connection, tracked.tracked_as, **_done(context, started_at))


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
