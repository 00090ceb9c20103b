"""Tracks the repositories that the repositories file names.

A repository that came from the file and that it no longer names is no longer tracked. What was tracked by hand stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from prpipeline.model.answers import OwnedRepository
from prpipeline.model.repository import RepositoryName
from prpipeline.model.sql import Connection
from prpipeline.settings import RepositoriesFile, TrackedOwner, TrackedRepository
from prpipeline.warehouse import tracking
from prpipeline.warehouse.tracking import Tracked


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


def unmatched(
    file: RepositoriesFile,
    owned: Callable[[str], Sequence[OwnedRepository]],
    *,
    kind: str = "repository",
    with_excludes: bool = False,
) -> list[str]:
    """A sentence for each pattern of an owner in the file that matches none of the repositories that there are."""
    return [
        f"No {kind} of {entry.owner} matches {pattern!r} in the repositories file"
        f"{'' if entry.archived and entry.forks else '; archived ones and forks are left out'}."
        for entry in file.repositories
        if isinstance(entry, TrackedOwner)
        for pattern in (*entry.include, *(entry.exclude if with_excludes else ()))
        if not any(_is_eligible(entry, each) and _fits(each, pattern) for each in owned(entry.owner))
    ]


def unmatched_by_tracked(file: RepositoriesFile, names: Iterable[str]) -> list[str]:
    """The same by the repositories that are tracked, without a request."""
    known = [OwnedRepository(name, is_archived=False, is_fork=False) for name in names]

    def owned(owner: str) -> list[OwnedRepository]:
        return [each for each in known if each.full_name.lower().startswith(f"{owner.lower()}/")]

    return unmatched(file, owned, kind="tracked repository") if known else []


def tracked_after(repositories: Sequence[TrackedRepository], rows: Sequence[Tracked]) -> list[str]:
    """What is tracked once the file is followed, by the names it is tracked under."""
    dropped = set(_dropped(repositories, rows))
    kept = [row for row in rows if row.tracked_as not in dropped]
    known = {name.lower() for row in kept for name in (row.tracked_as, row.repository) if name}
    return [
        *(row.tracked_as for row in kept),
        *(entry.repository for entry in repositories if entry.repository.lower() not in known),
    ]


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
    dropped = _dropped(repositories, tracking.all_tracked(connection))
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


def _dropped(repositories: Sequence[TrackedRepository], rows: Sequence[Tracked]) -> list[str]:
    """Those that came from the file and that it no longer names."""
    keys = {entry.repository.lower() for entry in repositories}
    return [
        row.tracked_as
        for row in rows
        if row.tracked_by == "file"
        and row.tracked_as.lower() not in keys
        and (row.repository or "").lower() not in keys
    ]


def _matches(entry: TrackedOwner, repository: OwnedRepository) -> bool:
    return (
        _is_eligible(entry, repository)
        and any(_fits(repository, pattern) for pattern in entry.include)
        and not any(_fits(repository, pattern) for pattern in entry.exclude)
    )


def _is_eligible(entry: TrackedOwner, repository: OwnedRepository) -> bool:
    return (entry.archived or not repository.is_archived) and (entry.forks or not repository.is_fork)


def _fits(repository: OwnedRepository, pattern: str) -> bool:
    return fnmatchcase(repository.full_name.partition("/")[2].lower(), pattern.lower())
