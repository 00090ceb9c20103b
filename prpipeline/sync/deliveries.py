"""What deliveries of webhooks told of is read as an increment reads it. A delivery is a hint: nothing of it is stored.

Watermarks stay, and nothing is removed: what was not told, or not shown in time, the next increment finds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prpipeline.model.answers import Head, Repository
from prpipeline.model.deliveries import Hint
from prpipeline.model.failures import (
    AccessDenied,
    ApiFailure,
    BadCredentials,
    LimitReached,
    MustWait,
    NetworkTrouble,
    NotFound,
    Overloaded,
    PermanentFailure,
    ServerTrouble,
)
from prpipeline.model.sql import Connection
from prpipeline.model.tracking import Caller
from prpipeline.model.usage import Usage
from prpipeline.sync.context import Context
from prpipeline.sync.increment import named, repository_of
from prpipeline.sync.syncer import SyncResult, recorded
from prpipeline.warehouse import activity, records, tracking
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.records import Identity, Written, is_settled
from prpipeline.warehouse.tracking import Tracked

# Failures that asking for fewer would not help.
_SHARED = (BadCredentials, LimitReached, MustWait, NetworkTrouble, Overloaded, ServerTrouble)

# A replica may be behind; whether the answer is new enough is looked at when it is stored.
_ANY = datetime.min


@dataclass(frozen=True, slots=True)
class Wanted:
    """A hint that GitHub has to be asked about."""

    tracked: Tracked
    hint: Hint
    identity: Identity | None  # as stored

    @property
    def pair(self) -> tuple[Repository, Head]:
        """By our own node id; a payload's may be in the form of years ago."""
        node_id = self.identity.node_id if self.identity else self.hint.node_id or ""
        return repository_of(self.tracked), Head(node_id, _ANY, self.hint.number)


@dataclass
class Looked:
    """What became of hints; each is in one list. ``results`` has those of repositories that GitHub was asked about."""

    untracked: list[Hint] = field(default_factory=list)
    early: list[Hint] = field(default_factory=list)  # their repository's history is under way or to come
    held: list[Hint] = field(default_factory=list)  # what they tell was stored already
    read: list[Hint] = field(default_factory=list)
    behind: list[Hint] = field(default_factory=list)  # GitHub does not show yet what it told of
    failed: list[Hint] = field(default_factory=list)
    closer: dict[str, list[Hint]] = field(default_factory=dict)  # by tracked name: an increment has to look
    results: list[SyncResult] = field(default_factory=list)

    def sort(self, connection: Connection, hints: Iterable[Hint]) -> list[Wanted]:
        """Those that GitHub has to be asked about; the others go into their lists."""
        tracked = tracking.all_tracked(connection)
        by_id = {row.repository_id: row for row in tracked if row.repository_id is not None}
        is_known = all(row.repository_id is not None for row in tracked)
        candidates = []
        for hint in hints:
            row = by_id.get(hint.repository_id or 0)
            if row is None:
                (self.untracked if is_known else self.early).append(hint)
            elif row.history_done_at is None:
                self.early.append(hint)
            else:
                candidates.append((row, hint))
        known = records.identities(connection, [hint.pull_request_id or 0 for _, hint in candidates])
        wanted = []
        for row, hint in candidates:
            identity = known.get(hint.pull_request_id or 0)
            if _is_held(hint, identity):
                self.held.append(hint)
            else:
                wanted.append(Wanted(row, hint, identity))
        return wanted


def look(context: Context, hints: Sequence[Hint], caller: Caller) -> Looked:
    """Read the pull requests of these hints that are not held as new as they were told. Raises WarehouseError."""
    looked = Looked()
    with context.warehouse.transaction() as connection:
        wanted = looked.sort(connection, hints)
    if not wanted:
        return looked
    failures: dict[str, ApiFailure] = {}
    started = time.monotonic()
    missing = _read(context, wanted, failures)
    seconds = (time.monotonic() - started) / len({w.tracked.tracked_as for w in wanted})
    with context.warehouse.transaction() as connection:
        now = records.identities(connection, [w.hint.pull_request_id or 0 for w in wanted])
        for each in wanted:
            _conclude(each, now.get(each.hint.pull_request_id or 0), missing, failures, looked)
        for tracked in {w.tracked.tracked_as: w.tracked for w in wanted}.values():
            looked.results.append(
                _result(connection, context, tracked, failures.get(tracked.tracked_as), seconds, caller)
            )
    return looked


def _is_held(hint: Hint, identity: Identity | None) -> bool:
    """Whether what it tells is stored. A dismissed or edited review may move no time: of these one reading more is needed."""
    if not _is_as_told(hint, identity):
        return False
    return identity is not None and identity.version.updated_at not in hint.told_of_review_at


def _is_as_told(hint: Hint, identity: Identity | None) -> bool:
    return identity is not None and (hint.updated_at is None or is_settled(identity.version, hint.updated_at))


def _read(context: Context, wanted: Sequence[Wanted], failures: dict[str, ApiFailure]) -> set[str]:
    """Read these, several repositories' in a request, in smaller parts where that fails; the node ids of what is not shown."""
    names = {w.tracked.tracked_as: w.tracked for w in wanted}
    try:
        with context.charged_to(wanted[0].tracked.tracked_as):
            return {head.node_id for head in context.hydrate([w.pair for w in wanted])}
    except ApiFailure as failure:
        if isinstance(failure, _SHARED) or len(wanted) == 1:
            failures |= {name: named(failure, tracked) for name, tracked in names.items()}
            return set()
        if len(names) > 1:
            parts = [[w for w in wanted if w.tracked.tracked_as == name] for name in names]
        elif isinstance(failure, PermanentFailure):
            failures |= {name: named(failure, tracked) for name, tracked in names.items()}
            return set()
        else:
            middle = len(wanted) // 2
            parts = [list(wanted[:middle]), list(wanted[middle:])]
        return set().union(*(_read(context, part, failures) for part in parts))


def _conclude(
    wanted: Wanted,
    now: Identity | None,
    missing: set[str],
    failures: dict[str, ApiFailure],
    looked: Looked,
) -> None:
    hint, name = wanted.hint, wanted.tracked.tracked_as
    was_read = now is not None and (
        wanted.identity is None or now.version.synced_at > wanted.identity.version.synced_at
    )
    failure = failures.get(name)
    if _is_as_told(hint, now) and (failure is None or was_read):
        looked.read.append(hint)
    elif isinstance(failure, (NotFound, AccessDenied)):
        looked.closer.setdefault(name, []).append(hint)
    elif failure is not None:
        looked.failed.append(hint)
    elif wanted.identity is None and wanted.pair[1].node_id in missing and not _is_of_today(hint.node_id):
        looked.closer.setdefault(name, []).append(hint)  # which finds the node id of today
    else:
        looked.behind.append(hint)


def _is_of_today(node_id: str | None) -> bool:
    return node_id is not None and node_id.startswith("PR_")


def _result(
    connection: Connection,
    context: Context,
    tracked: Tracked,
    failure: ApiFailure | None,
    seconds: float,
    caller: Caller,
) -> SyncResult:
    """How it went with one repository, put on record where something was written."""
    assert tracked.repository_id is not None
    written = context.written.pop(tracked.repository_id, Written())
    spent = context.spent.pop(tracked.tracked_as, Usage())
    held = records.count(connection, tracked.repository_id)
    on_github = tracked.pull_requests_on_github
    if written.added and on_github is not None and held > on_github:
        on_github = held  # GitHub has what it has just shown; the next increment asks for its own count
        tracking.update(connection, tracked.tracked_as, pull_requests_on_github=held)
    result = SyncResult(
        tracked.tracked_as,
        tracked.repository_id,
        tracked.repository,
        "failed" if failure else ("increment" if written.pull_requests else "unchanged"),
        pull_requests=written.pull_requests,
        reviews=written.reviews,
        removed=written.removed,
        held=held,
        on_github=on_github,
        requests=spent.requests,
        points=spent.points,
        seconds=round(seconds, 3),
        window_start=tracked.watermark_at,
        window_end=tracked.watermark_at,
        error=str(failure) if failure else None,
        failure=failure.kind if failure else None,
        is_permanent=isinstance(failure, PermanentFailure),
    )
    if result.mode == "increment":
        activity.record_syncs(connection, [recorded(result, utc_now(), caller)])
    return result


def to_look_closer(
    connection: Connection, hints: Sequence[Hint]
) -> tuple[dict[str, list[Hint]], list[Hint], list[Hint]]:
    """Of hints about whole repositories or the roster: by tracked name those to look at, those of no tracked one, and
    those of which nothing can be looked at yet."""
    tracked = tracking.all_tracked(connection)
    is_known = all(row.repository_id is not None for row in tracked)
    closer: dict[str, list[Hint]] = {}
    untracked: list[Hint] = []
    early: list[Hint] = []
    for hint in hints:
        is_roster = hint.repository_id is None
        wanted = hint.repositories if is_roster else (hint.repository_id,)
        rows = [row for row in tracked if wanted is None or row.repository_id in wanted]
        ready = [row for row in rows if row.history_done_at is not None and row.repository_id is not None]
        for row in ready:
            closer.setdefault(row.tracked_as, []).append(hint)
        if not ready:
            # Who is not synced yet is looked at by its history; a change of the roster is looked at by its owners' list.
            (untracked if not rows and is_known and not is_roster else early).append(hint)
    return closer, untracked, early
