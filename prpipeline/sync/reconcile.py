"""What moves no ``updatedAt``: deletions, silent edits, dismissals. Compares all, reads what differs.

Rows are removed only when GitHub no longer lists them and says, asked for each by its identity, that it does not exist.
"""

from __future__ import annotations

from datetime import timedelta

from prpipeline.model.answers import Head
from prpipeline.sync.context import Context
from prpipeline.sync.increment import repository_of
from prpipeline.warehouse import records, tracking
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.records import Written
from prpipeline.warehouse.tracking import Tracked

RECENT = timedelta(days=30)


def reconcile(context: Context, tracked: Tracked) -> None:
    """Make a repository that was synced equal to GitHub again. Raises ApiFailure."""
    repository = repository_of(tracked)
    outline, total = context.source.outline(repository)
    on_github = {line.node_id: line for line in outline}
    with context.warehouse.transaction() as connection:
        held = {pr.node_id: pr for pr in records.held(connection, repository.repository_id)}
    newest = max((pr.updated_at for pr in held.values()), default=None)
    bound = None
    if tracked.history_days_back is not None and tracked.history_started_at is not None:
        bound = tracked.history_started_at - timedelta(days=tracked.history_days_back)

    suspects: dict[str, Head] = {}
    for line in outline:
        ours = held.get(line.node_id)
        outside = ours is None and bound is not None and line.updated_at < bound
        differs = (
            ours is None or ours.updated_at != line.updated_at or line.reviews not in {None, ours.reviews}
        )
        if differs and not outside:
            suspects[line.node_id] = Head(line.node_id, line.updated_at, line.number)
    for pr in held.values():
        is_recent = pr.closed_at is None or (newest is not None and pr.closed_at >= newest - RECENT)
        if is_recent or pr.node_id not in on_github:
            suspects.setdefault(pr.node_id, Head(pr.node_id, pr.updated_at, pr.number))

    missing = context.hydrate([(repository, head) for head in suspects.values()])
    # Removed is what is neither listed nor shown: one answer alone, such as a proxy's 404, must not lose anything.
    context.hydrate_listed([(repository, head) for head in missing if head.node_id in on_github])
    gone = [held[head.node_id] for head in missing if head.node_id not in on_github]
    now = utc_now()
    with context.warehouse.transaction() as connection:
        if gone:
            removed = records.remove(
                connection, repository.repository_id, [pr.pull_request_id for pr in gone], now
            )
            context.add(repository.repository_id, Written(removed=removed))
            tracking.update(connection, tracked.tracked_as, changed_at=now)
        tracking.update(connection, tracked.tracked_as, reconciled_at=now, pull_requests_on_github=total)
