"""The record of syncs and publications: one row per sync that changed something or failed, one per publication.

Works inside the caller's transaction. Ids rise in the order of commits, as there is one writer at a time: a reader that
remembers the last id it has seen misses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from prpipeline.model.sql import Connection, has_table
from prpipeline.model.tracking import Caller, SyncMode
from prpipeline.warehouse.counters import KEPT_DAYS, next_id
from prpipeline.warehouse.rows import insert


@dataclass(frozen=True, slots=True)
class RecordedSync:
    """A row of ``meta.syncs``."""

    sync_id: int
    caller: Caller | None  # None: recorded before callers were
    tracked_as: str
    repository_id: int | None
    mode: SyncMode
    started_at: datetime
    finished_at: datetime
    pull_requests: int
    reviews: int
    removed: int
    requests: float
    points: float
    seconds: float
    error: str | None


@dataclass(frozen=True, slots=True)
class Publication:
    """A row of ``meta.publications``."""

    publication_id: int
    published_at: datetime
    caller: Caller
    is_whole: bool
    size_bytes: int
    seconds: float
    row_counts: dict[str, int]  # by published table
    basis: str  # see ``publication_basis``


def record_sync(
    connection: Connection,
    *,
    tracked_as: str,
    repository_id: int | None,
    mode: SyncMode,
    started_at: datetime,
    finished_at: datetime,
    pull_requests: int = 0,
    reviews: int = 0,
    removed: int = 0,
    requests: float = 0,
    points: float = 0,
    seconds: float = 0,
    error: str | None = None,
    caller: Caller = "python",
) -> int:
    """Add a row to ``meta.syncs`` and return its sync_id."""
    row = RecordedSync(
        sync_id=0,
        caller=caller,
        tracked_as=tracked_as,
        repository_id=repository_id,
        mode=mode,
        started_at=started_at,
        finished_at=finished_at,
        pull_requests=pull_requests,
        reviews=reviews,
        removed=removed,
        requests=requests,
        points=points,
        seconds=seconds,
        error=error,
    )
    return record_syncs(connection, [row])


def record_syncs(connection: Connection, syncs: Sequence[RecordedSync]) -> int:
    """Add rows to ``meta.syncs``, with new ids in their order; returns the last one, 0 if there are none."""
    if not syncs:
        return 0
    last = next_id(connection, "syncs", len(syncs))
    first = last - len(syncs) + 1
    insert(connection, "meta.syncs", [asdict(row) | {"sync_id": first + n} for n, row in enumerate(syncs)])
    _forget(connection, "meta.syncs", "finished_at", max(row.finished_at for row in syncs))
    return last


def syncs_since(connection: Connection, sync_id: int, limit: int) -> list[RecordedSync]:
    """The first ``limit`` syncs with a higher sync_id, in the order of their ids; 0 is before all."""
    return [RecordedSync(**row) for row in _select(connection, RecordedSync, "meta.syncs", sync_id, limit)]


def record_publication(
    connection: Connection,
    *,
    published_at: datetime,
    is_whole: bool,
    size_bytes: int,
    seconds: float,
    row_counts: Mapping[str, int],
    basis: str = "",
    caller: Caller = "python",
) -> int:
    """Add a row to ``meta.publications`` and return its publication_id."""
    publication_id = next_id(connection, "publications")
    row = {
        "publication_id": publication_id,
        "published_at": published_at,
        "caller": caller,
        "is_whole": is_whole,
        "size_bytes": size_bytes,
        "seconds": seconds,
        "row_counts": json.dumps(dict(row_counts)),
        "basis": basis,
    }
    _add(connection, "meta.publications", row)
    _forget(connection, "meta.publications", "published_at", published_at)
    return publication_id


def publication_basis(connection: Connection, settings_fingerprint: str, *, with_jira: bool = False) -> str:
    """A hash of all that a publication depends on, but for times that move with every sync that finds nothing.

    ``with_jira``: projects of Jira are selected; without, nothing of Jira changes.
    """
    row = connection.execute(
        """
        SELECT sum(hash(entry)) FROM (
            SELECT * EXCLUDE (last_attempt_at, last_sync_at, watermark_at, reconciled_at) FROM meta.repositories
        ) AS entry
        """
    ).fetchone()
    definitions = connection.execute("FROM metrics.definitions").fetchall()
    teams = connection.execute("SELECT max(changed_at) FROM meta.team_readings").fetchone()
    jira = _projects_of_jira(connection) if with_jira else ""
    return sha256(f"{row}{definitions}{teams}{settings_fingerprint}{jira}".encode()).hexdigest()


def _projects_of_jira(connection: Connection) -> str:
    """The same of Jira's projects; nothing where there is no Jira."""
    if not has_table(connection, "meta.jira_projects"):
        return ""
    columns = "last_attempt_at, last_sync_at, watermark_at, reconciled_at, history_cursor"
    return str(
        connection.execute(
            f"SELECT sum(hash(project)) FROM (SELECT * EXCLUDE ({columns}) FROM meta.jira_projects) AS project"
        ).fetchone()
    )


def last_publication(connection: Connection) -> Publication | None:
    """The newest one on record."""
    (newest,) = connection.execute("SELECT max(publication_id) FROM meta.publications").fetchone() or (None,)
    return publications_since(connection, newest - 1, 1)[0] if newest else None


def publications_since(connection: Connection, publication_id: int, limit: int) -> list[Publication]:
    """The first ``limit`` publications with a higher publication_id, in the order of their ids; 0 is before all."""
    rows = _select(connection, Publication, "meta.publications", publication_id, limit)
    return [Publication(**row | {"row_counts": json.loads(row["row_counts"])}) for row in rows]


def _add(connection: Connection, table: str, row: Mapping[str, Any]) -> None:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def _forget(connection: Connection, table: str, column: str, now: datetime) -> None:
    connection.execute(f"DELETE FROM {table} WHERE {column} < ?", [now - timedelta(days=KEPT_DAYS)])


def _select(
    connection: Connection, record: type[Any], table: str, after: int, limit: int
) -> list[dict[str, Any]]:
    """The rows after an id, which is the record's first field."""
    names = [field.name for field in fields(record)]
    rows = connection.execute(
        f"SELECT {', '.join(names)} FROM {table} WHERE {names[0]} > ? ORDER BY {names[0]} LIMIT ?",
        [after, limit],
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]
