"""Tracks the repositories that the repositories file names.

A repository that came from the file and that it no longer names is no longer tracked. What was tracked by hand stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

from prpipeline.model.repository import RepositoryName
from prpipeline.model.sql import Connection
from prpipeline.settings import RepositoriesFile, Teams, TrackedOwner, TrackedRepository
from prpipeline.warehouse import tracking
from prpipeline.warehouse.tracking import Tracked

if TYPE_CHECKING:
    from prpipeline.model.answers import OwnedRepository


class Changes(Struct, frozen=True):
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
    names = list(names)
    if not names or not any(isinstance(entry, TrackedOwner) for entry in file.repositories):
        return []
    from prpipeline.model.answers import OwnedRepository  # most files name no owner

    known = [OwnedRepository(name, is_archived=False, is_fork=False) for name in names]

    def owned(owner: str) -> list[OwnedRepository]:
        return [each for each in known if each.full_name.lower().startswith(f"{owner.lower()}/")]

    return unmatched(file, owned, kind="tracked repository")


def tracked_after(repositories: Sequence[TrackedRepository], rows: Sequence[Tracked]) -> list[str]:
    """What is tracked once the file is followed, by the names it is tracked under."""
    dropped = set(_dropped(repositories, rows))
    kept = [row for row in rows if row.tracked_as not in dropped]
    known = {name.lower() for row in kept for name in (row.tracked_as, row.repository) if name}
    return [
        *(row.tracked_as for row in kept),
        *(entry.repository for entry in repositories if entry.repository.lower() not in known),
    ]


def follow(
    connection: Connection, repositories: Sequence[TrackedRepository], now: datetime, teams: Teams
) -> Changes:
    """Track what is wanted and stop tracking what the file named before; give all that is tracked its team. Works inside
    a transaction."""
    added = []
    # One query: one for each of thousands of repositories would take half a minute.
    rows = [row for row in tracking.all_tracked(connection) if row.tracked_by != "demo"]
    known = {name.lower(): row for row in rows for name in (row.repository, row.tracked_as) if name}
    listed = set()
    for entry in repositories:
        row = known.get(entry.repository.lower())
        team = teams.spelled(entry.team) or teams.of_repository(_names(row) if row else [entry.repository])
        if row:
            listed.add(row.tracked_as)
            if (row.tracked_as.lower(), row.days_back, row.team) == (
                entry.repository.lower(),
                entry.days_back,
                team,
            ):
                continue
        name = RepositoryName.parse(entry.repository)
        if tracking.track(connection, name, tracked_by="file", now=now, days_back=entry.days_back, team=team):
            added.append(str(name))
    dropped = _dropped(repositories, tracking.all_tracked(connection))
    for key in dropped:
        tracking.untrack(connection, RepositoryName.parse(key), delete_data=False)
    for row in rows:
        if row.tracked_as not in listed and row.tracked_as not in dropped:
            tracking.give_team(connection, row, teams.of_repository(_names(row)), now)
    return Changes(tuple(added), tuple(dropped))


def _names(row: Tracked) -> list[str]:
    """The name that it is tracked under, and the one that it has now."""
    return [name for name in (row.tracked_as, row.repository) if name]


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
