"""What changed since the watermark, of many repositories at a time.

Probe, read what is newer than what we hold, probe again until nothing is. The watermark is GitHub's time
at the first probe less an overlap: what changes while we look is after it, and is read next time at the latest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from prpipeline.model.answers import Head, Probe, ProbeAnswer, Repository
from prpipeline.model.failures import (
    AccessDenied,
    ApiFailure,
    BadCredentials,
    LimitReached,
    NetworkTrouble,
    NotFound,
)
from prpipeline.model.repository import RepositoryName
from prpipeline.sync.context import Context, not_shown
from prpipeline.sync.identity import AnotherRepository
from prpipeline.warehouse import records, shortfalls, tracking
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.tracking import Tracked

PROBE_SIZE = 100
_LOOKED_UP = 20  # names of repositories that are not shown, a request each

# Failures that are not one repository's: asking for each by itself would not help.
_SHARED = (BadCredentials, LimitReached, NetworkTrouble)


@dataclass
class Outcome:
    """How the increment of one repository went; a failure where there is one."""

    tracked: Tracked
    failure: ApiFailure | None = None
    changed: bool = False


@dataclass
class _Work:
    """A repository in the course of one increment."""

    tracked: Tracked
    repository: Repository
    outcome: Outcome = field(init=False)
    probe: Probe | None = None
    read_at: datetime | None = None

    def __post_init__(self) -> None:
        self.outcome = Outcome(self.tracked)


def sync_increments(context: Context, tracked: Sequence[Tracked]) -> Iterator[list[Outcome]]:
    """The increments of repositories whose history is done, ``PROBE_SIZE`` to a request."""
    for start in range(0, len(tracked), PROBE_SIZE):
        yield _sync_some(context, tracked[start : start + PROBE_SIZE])


def _sync_some(context: Context, some: Sequence[Tracked]) -> list[Outcome]:
    with context.warehouse.transaction() as connection:
        ids = [t.repository_id for t in some if t.repository_id is not None]
        hidden_rows = shortfalls.missing_rows(connection, ids)
        late = shortfalls.watched(connection, ids)
    works = [
        _Work(t, replace(known, missing=hidden_rows.get(known.repository_id, 0)))
        for t, known in ((t, repository_of(t)) for t in some)
    ]
    _probe(context, works)
    _explain_absence(context, works)
    wanted, missing = _wanted(context, works, late), set[str]()
    moved = [w for w in works if w.repository.repository_id in wanted]
    # With the first one, no probe is sent more often than a query may be.
    for _ in range(max(1, context.settings.attempts - 1)):
        missing = _hydrate(context, moved, wanted)
        again = [w for w in moved if w.outcome.failure is None]
        _probe(context, again)
        wanted = _wanted(context, again)
        if not wanted:
            break
    # What still changes after so many rounds changed after the first probe, so after the new watermark. But what is
    # listed each time and never shown must not be passed over.
    for work in moved:
        hidden = {head.node_id for head in wanted.get(work.repository.repository_id, ())} & missing
        if hidden and work.outcome.failure is None:
            work.outcome.failure = not_shown(len(hidden))
    _finish(context, [w for w in works if w.outcome.failure is None])
    return [w.outcome for w in works]


def _probe(context: Context, works: Sequence[_Work]) -> None:
    """Look at the newest heads; where that fails as a whole, halve it to find the repository that fails."""
    if not works:
        return
    try:
        with context.charged_to(works[0].tracked.tracked_as):
            answer = context.source.probe([w.repository for w in works])
    except ApiFailure as failure:
        if len(works) == 1 or isinstance(failure, _SHARED):
            for work in works:
                work.outcome.failure = named(failure, work.tracked)
            return
        middle = len(works) // 2
        _probe(context, works[:middle])
        _probe(context, works[middle:])
        return
    for work in works:
        _take(work, answer)


def _take(work: _Work, answer: ProbeAnswer) -> None:
    refused = answer.refused.get(work.repository.repository_id)
    if refused is not None:
        work.outcome.failure = named(refused, work.tracked)
        return
    work.probe = answer.probes[work.repository.repository_id]
    work.read_at = work.read_at or answer.read_at


def _explain_absence(context: Context, works: Sequence[_Work]) -> None:
    """Of the first repositories that are not shown, say so where their name is another repository's by now."""
    gone = [work for work in works if type(work.outcome.failure) is NotFound]
    for work in gone[:_LOOKED_UP]:
        try:
            with context.charged_to(work.tracked.tracked_as):
                found, _ = context.source.repository(RepositoryName.parse(work.repository.full_name))
        except ApiFailure:
            continue  # that it is not shown is said already
        if found.repository_id != work.repository.repository_id:
            work.outcome.failure = AnotherRepository(work.tracked, found)


def _wanted(
    context: Context, works: Sequence[_Work], late: Mapping[int, Sequence[Head]] = MappingProxyType({})
) -> dict[int, list[Head]]:
    """By repository, the heads that are newer than what we hold, and those of ``late`` in any case."""
    candidates: dict[int, list[Head]] = {}
    for work in works:
        if work.outcome.failure or work.probe is None:
            continue
        since = work.tracked.watermark_at
        assert since is not None
        try:
            with context.charged_to(work.tracked.tracked_as):
                candidates[work.repository.repository_id] = context.source.changed(work.probe, since)
        except ApiFailure as failure:
            work.outcome.failure = named(failure, work.tracked)
    node_ids = [head.node_id for heads in candidates.values() for head in heads]
    if not node_ids and not late:
        return {}
    with context.warehouse.transaction() as connection:
        versions = records.versions(connection, node_ids)
    wanted: dict[int, list[Head]] = {}
    for repository_id, heads in candidates.items():
        newer = {h.node_id: h for h in heads if not records.is_settled(versions.get(h.node_id), h.updated_at)}
        for head in late.get(repository_id, ()):
            newer.setdefault(head.node_id, head)
        if newer:
            wanted[repository_id] = list(newer.values())
    return wanted


def _hydrate(context: Context, works: Sequence[_Work], wanted: dict[int, list[Head]]) -> set[str]:
    """Read the wanted ones, several repositories' in a request, each by itself where that fails.

    Returns the node ids of those that are not shown.
    """
    works = [w for w in works if w.repository.repository_id in wanted and w.outcome.failure is None]
    pairs = [(w.repository, head) for w in works for head in wanted[w.repository.repository_id]]
    if not pairs:
        return set()
    for work in works:
        work.outcome.changed = True
    try:
        with context.charged_to(works[0].tracked.tracked_as):
            return {head.node_id for head in context.hydrate(pairs)}
    except ApiFailure as failure:
        if len(works) == 1 or isinstance(failure, _SHARED):
            for work in works:
                work.outcome.failure = named(failure, work.tracked)
            return set()
        return set().union(*(_hydrate(context, [work], wanted) for work in works))


def _finish(context: Context, works: Sequence[_Work]) -> None:
    """Move the watermarks of repositories whose changes are all committed."""
    if not works:
        return
    now = utc_now()
    with context.warehouse.transaction() as connection:
        quiet: dict[datetime, list[str]] = {}
        for work in works:
            assert work.probe is not None
            assert work.read_at is not None
            assert work.tracked.watermark_at is not None
            watermark = max(work.read_at - context.overlap, work.tracked.watermark_at)
            changes: dict[str, Any] = {}
            if work.tracked.repository != work.probe.repository.full_name:
                records.rename(connection, work.repository.repository_id, work.probe.repository.full_name)
                changes |= {"repository": work.probe.repository.full_name, "changed_at": now}
            if work.tracked.pull_requests_on_github != work.probe.total:
                changes["pull_requests_on_github"] = work.probe.total
            tracking.update(connection, work.tracked.tracked_as, **changes)
            listed = len(work.probe.heads)
            if work.probe.cursor is None and (work.probe.total or 0) > listed:
                shortfalls.note_list(
                    connection, work.repository.repository_id, work.probe.total, listed, work.read_at
                )
            quiet.setdefault(watermark, []).append(work.tracked.tracked_as)
        for watermark, names in quiet.items():
            tracking.update_many(
                connection,
                names,
                status="ok",
                last_error=None,
                last_attempt_at=now,
                last_sync_at=now,
                watermark_at=watermark,
            )


def repository_of(tracked: Tracked) -> Repository:
    """The repository behind a tracked name that was synced before."""
    assert tracked.repository_id is not None
    assert tracked.node_id is not None
    return Repository(tracked.repository_id, tracked.node_id, tracked.repository or tracked.tracked_as)


def named(failure: ApiFailure, tracked: Tracked) -> ApiFailure:
    """The failure in words that fit a repository that was there before."""
    if type(failure) is NotFound:
        return NotFound(
            f"GitHub no longer shows {tracked.repository or tracked.tracked_as}: it was deleted or made private, or "
            "the token lost its access. Its data are kept."
        )
    if type(failure) is AccessDenied:
        return AccessDenied(f"{failure} The data of {tracked.repository or tracked.tracked_as} are kept.")
    return failure
