"""The whole past of a repository, page by page; a killed one goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from prpipeline.model.answers import Head, Page, Repository
from prpipeline.model.failures import CursorRejected, PermanentFailure
from prpipeline.model.sql import Connection
from prpipeline.sync.context import Context, Progress, still_tracked
from prpipeline.sync.prefetch import prefetch
from prpipeline.warehouse import records, tracking
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.kept_pages import KeptPages
from prpipeline.warehouse.tracking import Tracked


def sync_history(context: Context, tracked: Tracked, days_back: int | None) -> int:
    """Read what is left of a repository's history and mark it done; returns its id. Raises ApiFailure."""
    try:
        return _walk(context, tracked, days_back, after=tracked.history_cursor)
    except CursorRejected:
        KeptPages(context.warehouse.path, tracked).clear()
        return _walk(context, tracked, days_back, after=None)


def _walk(context: Context, tracked: Tracked, days_back: int | None, *, after: str | None) -> int:
    started_at = tracked.history_started_at
    kept = KeptPages(context.warehouse.path, tracked)
    held: int | None = None
    pages = _pages(context, tracked, days_back, after, kept)
    for pages_at_once in prefetch(pages, context.source.client):
        page = pages_at_once[-1]
        is_last = page.cursor is None
        started_at = started_at or pages_at_once[0].read_at
        repository_id = page.repository.repository_id
        with context.warehouse.transaction() as connection:
            tracked = still_tracked(connection, tracked)
            if tracked.repository_id is None:  # the first page says whose history this is
                tracked = replace(tracked, repository_id=pages_at_once[0].repository.repository_id)
            for found in {each.repository for each in pages_at_once}:
                check_identity(connection, tracked, found)
            written = records.write_answers(
                connection,
                [
                    ([(repository_id, pr) for pr in each.pull_requests], each.read_at)
                    for each in pages_at_once
                ],
            )
            context.add(repository_id, written)
            # Counting looks at every row; in between, what was added says enough.
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
        for each in pages_at_once:
            kept.drop(after)
            after = each.cursor
        context.report(Progress(tracked.tracked_as, held, page.total if days_back is None else None))
        if has_gaps:
            _fill_gaps(context, page)
            with context.warehouse.transaction() as connection:
                tracking.update(connection, tracked.tracked_as, **_done(context, started_at))
    kept.clear()
    return repository_id


def _pages(
    context: Context, tracked: Tracked, days_back: int | None, after: str | None, kept: KeptPages
) -> Iterator[Page]:
    """What a killed walk has kept from there on, then what GitHub is asked for; each is kept before it is given."""
    started_at = tracked.history_started_at
    while page := _read(kept.get(after)):
        yield page
        if page.cursor is None:
            return
        after, started_at = page.cursor, started_at or page.read_at
    for page in context.source.history(
        tracked.repository or tracked.tracked_as,
        after=after,
        back=None if days_back is None else timedelta(days=days_back),
        started_at=started_at,
    ):
        kept.put(after, msgspec.json.encode(page))
        yield page
        after = page.cursor


def _read(page: bytes | None) -> Page | None:
    try:
        return msgspec.json.decode(page, type=Page) if page else None
    except ValueError:  # another version's
        return None


def _fill_gaps(context: Context, last: Page) -> None:
    """GitHub counts more than it listed: ask for its outline and read what the walk did not give."""
    outline, _ = context.source.outline(last.repository)
    with context.warehouse.transaction() as connection:
        held = {pr.node_id for pr in records.held(connection, last.repository.repository_id)}
    context.hydrate_listed(
        [
            (last.repository, Head(line.node_id, line.updated_at, line.number))
            for line in outline
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


def check_identity(connection: Connection, tracked: Tracked, found: Repository) -> None:
    """A name must not slide from one repository to another, nor two names onto one. Raises PermanentFailure."""
    if tracked.repository_id is not None and tracked.repository_id != found.repository_id:
        raise PermanentFailure(
            f"{tracked.tracked_as} is another repository on GitHub now than the one that was synced, whose data "
            f"are kept. To start over: prpipeline untrack --delete-data {tracked.tracked_as}, then track it again."
        )
    for other in tracking.with_id(connection, found.repository_id):
        if other.tracked_as != tracked.tracked_as and other.is_tracked:
            raise PermanentFailure(
                f"{tracked.tracked_as} is {found.full_name} on GitHub, which is tracked as {other.tracked_as}; "
                "untrack one of the two."
            )
