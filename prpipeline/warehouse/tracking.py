"""Which repositories are tracked, and how far the sync of each has come. Works inside the caller's transaction.

The partition key is the name a repository was tracked under; its identity is GitHub's number for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from prpipeline.model.failures import FailureKind
from prpipeline.model.repository import RepositoryName
from prpipeline.model.sql import Connection, parsed
from prpipeline.model.tracking import RepositoryStatus, TrackedBy
from prpipeline.warehouse import host


class Tracked(Struct, frozen=True):
    """A row of ``meta.repositories``."""

    tracked_as: str
    is_tracked: bool
    tracked_at: datetime
    tracked_by: TrackedBy
    days_back: int | None
    team: str | None
    repository_id: int | None
    node_id: str | None
    repository: str | None
    status: RepositoryStatus
    last_attempt_at: datetime | None
    last_sync_at: datetime | None
    watermark_at: datetime | None
    last_error: str | None
    pull_requests_on_github: int | None
    history_started_at: datetime | None
    history_cursor: str | None
    history_days_back: int | None
    history_done_at: datetime | None
    reconciled_at: datetime | None
    changed_at: datetime | None
    last_failure: FailureKind | None


_COLUMNS = ", ".join(Tracked.__struct_fields__)
_KNOWN = frozenset(Tracked.__struct_fields__)


def track(
    connection: Connection,
    name: RepositoryName,
    *,
    tracked_by: TrackedBy,
    now: datetime,
    days_back: int | None = None,
    team: str | None = None,
) -> bool:
    """Track a repository, again or for the first time; True if it was not tracked before.

    Data that are stored of it are kept, unless they are the demo's; a repository that is tracked already gets the
    options given here.
    """
    known = find(connection, name)
    if known is not None and known.tracked_by == "demo" != tracked_by:
        untrack(connection, name, delete_data=True)
        known = None
    if known is None:
        connection.execute(
            """
            INSERT INTO meta.repositories (tracked_as, is_tracked, tracked_at, tracked_by, days_back, team, status)
            VALUES (?, true, ?, ?, ?, ?, 'new')
            """,
            [str(name), now, tracked_by, days_back, team],
        )
        return True
    changes: dict[str, Any] = {"days_back": days_back}
    if not known.is_tracked:
        changes |= {"is_tracked": True, "tracked_at": now, "tracked_by": tracked_by}
    changed = {field: value for field, value in changes.items() if getattr(known, field) != value}
    update(connection, known.tracked_as, **changed)
    give_team(connection, known, team, now)
    return not known.is_tracked


def give_team(connection: Connection, known: Tracked, team: str | None, now: datetime) -> None:
    """Set the team of a repository; None: of none."""
    if known.team != team:
        update(connection, known.tracked_as, team=team)
        if known.repository_id is not None:
            # Published tables show the team, and publishing copies only repositories that changed.
            update(connection, known.tracked_as, changed_at=now)


def untrack(connection: Connection, name: RepositoryName, *, delete_data: bool) -> bool:
    """Stop tracking a repository, and with ``delete_data`` delete all its rows; False if there was nothing to do."""
    known = find(connection, name)
    if known is None or not (known.is_tracked or delete_data):
        return False
    update(connection, known.tracked_as, is_tracked=False)
    if delete_data:
        from prpipeline.warehouse import alerts, people  # most commands only read

        if known.repository_id is not None:
            for table in _owned_tables(connection):
                connection.execute(f"DELETE FROM {table} WHERE repository_id = ?", [known.repository_id])
            people.forget_unnamed(connection)
            alerts.forget(connection, known.tracked_as, known.repository or known.tracked_as)
            address = f"/repositories/{known.repository_id}/"
            connection.execute("DELETE FROM meta.etags WHERE contains(key, ?)", [address])
        # The name may have been another repository's before, whose rows stay.
        connection.execute(
            "DELETE FROM meta.syncs WHERE tracked_as = $name AND coalesce(repository_id NOT IN ("
            "SELECT repository_id FROM meta.repositories WHERE tracked_as <> $name AND repository_id IS NOT NULL"
            "), true)",
            {"name": known.tracked_as},
        )
        connection.execute("DELETE FROM meta.repositories WHERE tracked_as = ?", [known.tracked_as])
    return True


def is_tracked_again(tracked: Tracked) -> bool:
    """Whether it was read before, and was untracked and tracked again since."""
    read = [moment for moment in (tracked.last_sync_at, tracked.changed_at) if moment is not None]
    return tracked.repository_id is not None and bool(read) and tracked.tracked_at >= max(read)


def start_anew(connection: Connection, known: Tracked, now: datetime) -> None:
    """Track another repository under this name, which was given to it; the rows of the old one stay, under a name of
    their own: ``owner/name.until-2026-11-28``, the day of its last sync."""
    owner, _, name = known.tracked_as.partition("/")
    day = known.last_sync_at or known.changed_at or now
    for again in itertools.count(1):
        suffix = f".until-{day:%Y-%m-%d}" + (f"-{again}" if again > 1 else "")
        former = f"{owner}/{name[: 100 - len(suffix)]}{suffix}"
        if find(connection, RepositoryName.parse(former)) is None:
            break
    connection.execute(
        "UPDATE meta.repositories SET tracked_as = ?, repository = ?, is_tracked = false, changed_at = ? "
        "WHERE tracked_as = ?",
        [former, former, now, known.tracked_as],
    )
    connection.execute(
        """
        INSERT INTO meta.repositories (tracked_as, is_tracked, tracked_at, tracked_by, days_back, team, status)
        VALUES (?, true, ?, ?, ?, ?, 'new')
        """,
        [known.tracked_as, known.tracked_at, known.tracked_by, known.days_back, known.team],
    )


def forget_tracked_by(connection: Connection, tracked_by: TrackedBy) -> None:
    """Delete, with all their rows, the repositories that came to be tracked in this way."""
    for known in _select(connection, "tracked_by = ?", [tracked_by]):
        untrack(connection, RepositoryName.parse(known.tracked_as), delete_data=True)
    if tracked_by == "demo":
        from prpipeline.warehouse import jira_projects

        if jira_projects.holds_samples(connection):
            jira_projects.drop(connection)
        host.forget(connection, host.DEMO)


def find(connection: Connection, name: RepositoryName) -> Tracked | None:
    """The repository tracked under this name, or else the one that GitHub calls so now; upper and lower case are equal."""
    found = _select(connection, "lower(tracked_as) = ?", [name.key])
    found = found or _select(connection, "lower(repository) = ? AND is_tracked", [name.key])
    return found[0] if found else None


def get(connection: Connection, tracked_as: Sequence[str]) -> dict[str, Tracked]:
    """The repositories with these partition keys, in the letter case in which they were tracked."""
    rows = _select(connection, "tracked_as IN (SELECT unnest(?::VARCHAR[]))", [list(tracked_as)])
    return {row.tracked_as: row for row in rows}


def all_tracked(connection: Connection) -> list[Tracked]:
    """Every tracked repository, in the order they were tracked."""
    return _select(connection, "is_tracked", [])


def all_known(connection: Connection) -> list[Tracked]:
    """Every repository that is or was tracked."""
    return _select(connection, "true", [])


def holds_demo(connection: Connection) -> bool:
    """Whether any repository, tracked or not, is the demo's."""
    query = "SELECT bool_or(tracked_by = 'demo') FROM meta.repositories"
    return bool(connection.execute(query).fetchone()[0])


def tracks_demo_alone(connection: Connection) -> bool:
    """Whether repositories are tracked, all of which are the demo's."""
    query = "SELECT bool_and(tracked_by = 'demo') FROM meta.repositories WHERE is_tracked"
    return bool(connection.execute(query).fetchone()[0])


def with_id(connection: Connection, repository_id: int) -> list[Tracked]:
    """Every repository with this number: the same one may have been tracked under several names."""
    return with_ids(connection, [repository_id])


def with_ids(connection: Connection, repository_ids: Sequence[int]) -> list[Tracked]:
    """Every repository with one of these numbers."""
    return _select(connection, "repository_id IN (SELECT unnest(?::BIGINT[]))", [list(repository_ids)])


def with_metrics_behind(connection: Connection) -> list[int]:
    """Ids of repositories whose rows changed after their metrics were computed."""
    rows = connection.execute(
        """
        SELECT DISTINCT known.repository_id FROM meta.repositories AS known
        LEFT JOIN meta.metric_states AS state USING (repository_id)
        WHERE known.repository_id IS NOT NULL
          AND (state.computed_at IS NULL OR known.changed_at >= state.computed_at)
        """
    ).fetchall()
    return [row[0] for row in rows]


def update(connection: Connection, tracked_as: str, **changes: Any) -> None:
    """Set columns of one repository. Raises KeyError for a name that is no column."""
    update_many(connection, [tracked_as], **changes)


def update_many(connection: Connection, tracked_as: Sequence[str], **changes: Any) -> None:
    """Set the same columns of several repositories. Raises KeyError for a name that is no column."""
    if unknown := changes.keys() - _KNOWN:
        raise KeyError(f"no such columns: {unknown}")
    if changes:
        assignments = ", ".join(f"{column} = ?" for column in changes)
        connection.execute(
            f"UPDATE meta.repositories SET {assignments} WHERE tracked_as IN (SELECT unnest(?::VARCHAR[]))",
            [*changes.values(), list(tracked_as)],
        )


def _select(connection: Connection, where: str, parameters: list[Any]) -> list[Tracked]:
    query = parsed(connection, f"SELECT {_COLUMNS} FROM meta.repositories WHERE {where}")
    rows = connection.execute(query, parameters).fetchall()
    # Sorted here: this query runs often, and planning an ORDER BY takes longer than all the rest of it.
    return sorted((Tracked(*row) for row in rows), key=lambda row: (row.tracked_at, row.tracked_as))


def _owned_tables(connection: Connection) -> list[str]:
    """Every table whose rows belong to a repository, but for the list of repositories itself."""
    rows = connection.execute(
        """
        SELECT schema_name || '.' || table_name FROM duckdb_columns()
        SEMI JOIN duckdb_tables() USING (table_oid, database_name)
        WHERE database_name = current_database() AND column_name = 'repository_id'
          AND (schema_name, table_name) <> ('meta', 'repositories')
        ORDER BY ALL
        """
    ).fetchall()
    return [row[0] for row in rows]
