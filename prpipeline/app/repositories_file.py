"""Tracks the repositories that the repositories file names.

A repository that came from the file and that it no longer names is no longer tracked. What was tracked by hand stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from prpipeline.model.answers import OwnedRepository
from prpipeline.model.repository import RepositoryName
from prpipeline.model.sql import Connection
from prpipeline.settings import RepositoriesFile, TrackedOwner, TrackedRepository
from prpipeline.warehouse import tracking


@dataclass(frozen=True, slots=True)
class Changes:
    """What following the file changed: partition keys."""

    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def wanted(
    file: RepositoriesFile, owned: Callable[[str], Sequence[OwnedRepository]]
) -> list[TrackedRepository]:
    """Every repository that the file names; ``owned`` lists those of an owner. An entry of its own overrides its owner's."""
    found: dict[str, TrackedRepository] = {}
    for entry in file.repositories:
        if isinstance(entry, TrackedOwner):
            for repository in owned(entry.owner):
                if _matches(entry, repository):
                    found.setdefault(
                        repository.full_name.lower(),
                        TrackedRepository(
                            repository=repository.full_name, days_back=entry.days_back, team=entry.team
                        ),
                    )
    for entry in file.repositories:
        if isinstance(entry, TrackedRepository):
            found[entry.repository.lower()] = entry
    return list(found.values())


def follow(connection: Connection, repositories: Sequence[TrackedRepository], now: datetime) -> Changes:
    """Track what is wanted and stop tracking what the file named before. Works inside a transaction."""
    added = []
    settled = _settled(
        connection
    )  # one query: one for each of thousands of repositories would take half a minute
    for entry in repositories:
        if (entry.repository.lower(), entry.days_back, entry.team) in settled:
            continue
        name = RepositoryName.parse(entry.repository)
        if tracking.track(
            connection, name, tracked_by="file", now=now, days_back=entry.days_back, team=entry.team
        ):
            added.append(str(name))
    keys = {entry.repository.lower() for entry in repositories}
    dropped = [
        known.tracked_as
        for known in tracking.all_tracked(connection)
        if known.tracked_by == "file"
        and known.tracked_as.lower() not in keys
        and (known.repository or "").lower() not in keys
    ]
    for key in dropped:
        tracking.untrack(connection, RepositoryName.parse(key), delete_data=False)
    return Changes(tuple(added), tuple(dropped))


def _settled(connection: Connection) -> set[tuple[str, int | None, str | None]]:
    """What is tracked, with its options."""
    return {
        (row.tracked_as.lower(), row.days_back, row.team)
        for row in tracking.all_tracked(connection)
        if row.tracked_by != "demo"
    }


def _matches(entry: TrackedOwner, repository: OwnedRepository) -> bool:
    name = repository.full_name.partition("/")[2].lower()
    return (
        (entry.archived or not repository.is_archived)
        and (entry.forks or not repository.is_fork)
        and any(fnmatchcase(name, pattern.lower()) for pattern in entry.include)
        and not any(fnmatchcase(name, pattern.lower()) for pattern in entry.exclude)
    )
