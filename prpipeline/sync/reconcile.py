"""What moves no ``updatedAt``: deletions, silent edits, dismissals. Compares all, reads what differs.

Rows are removed only when GitHub no longer lists them and says, asked for each by its identity, that it does not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from prpipeline.model.answers import Head, Outline
from prpipeline.sync.context import Context
from prpipeline.sync.increment import repository_of
from prpipeline.warehouse import people, records, shortfalls, tracking
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.records import Held, Written
from prpipeline.warehouse.tracking import Tracked

RECENT = timedelta(days=30)


def reconcile(context: Context, tracked: Tracked) -> None:
    """Make a repository that was synced equal to GitHub again. Raises ApiFailure."""
    repository = repository_of(tracked)
    answer = context.source.outline(repository)
    on_github = {line.node_id: line for line in answer.lines}
    with context.warehouse.transaction() as connection:
        people.note(connection, [([actor for line in answer.lines for actor in line.actors], answer.read_at)])
        held = {pr.node_id: pr for pr in records.held(connection, repository.repository_id)}
    newest = max((pr.updated_at for pr in held.values()), default=None)
    bound = None
    if tracked.history_days_back is not None and tracked.history_started_at is not None:
        bound = tracked.history_started_at - timedelta(days=tracked.history_days_back)

    suspects: dict[str, Head] = {}
    for line in answer.lines:
        ours = held.get(line.node_id)
        outside = ours is None and bound is not None and line.updated_at < bound
        if not outside and (ours is None or differs(ours, line)):
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
        tracking.update(
            connection, tracked.tracked_as, reconciled_at=now, pull_requests_on_github=answer.total
        )
        shortfalls.note_list(
            connection, repository.repository_id, answer.total, len(answer.lines), answer.read_at
        )


def differs(ours: Held, line: Outline) -> bool:
    """Whether GitHub's outline of a pull request shows that it is not what we hold. What the outline lacks is equal."""
    if ours.updated_at != line.updated_at or ours.author_id != line.author.id:
        return True
    if line.merged_by is not None and ours.merged_by_id != line.merged_by.id:
        return True
    if line.reviews_by_state is not None and Counter(r[1] for r in ours.reviews) != line.reviews_by_state:
        return True
    newest = {(review.review_id, review.state, review.reviewer.id) for review in line.reviews or ()}
    if not newest <= ours.reviews:
        return True
    return line.events is not None and _events_differ(ours.events, line.events, are_all=line.events_are_all)


def _events_differ(ours: Mapping[str, datetime], newest: Collection[str], *, are_all: bool) -> bool:
    """Whether an event is there that we lack, or one that we hold is missing from where it should be listed."""
    if not ours.keys() >= set(newest):
        return True
    oldest = min((ours[event] for event in newest), default=datetime.min)
    return any(event not in newest and (are_all or at > oldest) for event, at in ours.items())
