"""Which projects of Jira are selected, and how far the sync of each has come. Works inside the caller's transaction.

The tables of Jira are made when the first project is selected; without Jira there are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

from msgspec import Struct

from prpipeline import metrics
from prpipeline.model.failures import FailureKind
from prpipeline.model.sql import Connection, has_table
from prpipeline.model.tracking import Caller, RepositoryStatus, SyncMode
from prpipeline.warehouse import host
from prpipeline.warehouse.counters import KEPT_DAYS, next_id

_SCHEMA = "optional/jira.sql"


class SelectedProject(Struct, frozen=True):
    """A row of ``meta.jira_projects``; ``entry`` is what the repositories file says."""

    entry: str
    project_id: int | None
    project_key: str | None
    former_keys: list[str] | None
    name: str | None
    is_tracked: bool
    status: RepositoryStatus
    last_attempt_at: datetime | None
    last_sync_at: datetime | None
    watermark_at: datetime | None
    history_started_at: datetime | None
    history_cursor: str | None
    history_done_at: datetime | None
    reconciled_at: datetime | None
    last_error: str | None
    last_failure: FailureKind | None
    changed_at: datetime | None

    @property
    def label(self) -> str:
        """What people call it."""
        return self.project_key or self.entry

    @property
    def keys(self) -> list[str]:
        """Those that it has and had."""
        return [key for key in (self.project_key, *(self.former_keys or ())) if key]


class RecordedJiraSync(Struct, frozen=True):
    """A row of ``meta.jira_syncs``."""

    sync_id: int
    caller: Caller
    entry: str
    mode: SyncMode
    started_at: datetime
    finished_at: datetime
    issues: int
    removed: int
    requests: float
    seconds: float
    error: str | None


_COLUMNS = ", ".join(SelectedProject.__struct_fields__)
_KNOWN = frozenset(SelectedProject.__struct_fields__)


@cache
def _schema() -> str:
    return resources.files("prpipeline.warehouse").joinpath(_SCHEMA).read_text(encoding="utf-8")


def has_tables(connection: Connection) -> bool:
    """Whether there is, or was, anything of Jira here."""
    return has_table(connection, "meta.jira_projects")


def holds_samples(connection: Connection) -> bool:
    """Whether what is here of Jira is the demo's."""
    return host.find(connection, "jira") == host.DEMO


def drop(connection: Connection) -> None:
    """Remove all that there is of Jira, tables included, also those of its metrics."""
    for table in re.findall(r"CREATE TABLE IF NOT EXISTS (\S+)", _schema()):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.execute("DELETE FROM meta.source_host WHERE service = 'jira'")
    metrics.renew_tables(connection)


def follow(connection: Connection, entries: Sequence[str], now: datetime, *, is_demo: bool = False) -> bool:
    """Select exactly these. Rows of what is no longer selected stay. Without any entry no tables are made;
    with the first one come those of metrics, too. Whether there are tables then.

    The demo's projects are not among those of a real Jira, for which they give way. Raises OtherHost where it is the
    other way round.
    """
    is_known = has_tables(connection)
    if not entries and not is_known:
        return False
    if is_demo:
        host.claim(connection, "jira", host.DEMO)
    elif holds_samples(connection):
        if not entries:
            return True  # they go with the sample repositories
        drop(connection)
        is_known = False
    connection.execute(_schema())
    if not is_known:
        metrics.create_tables(connection)
    known = {project.entry: project for project in _all(connection)}
    for entry in entries:
        if entry not in known:
            connection.execute(
                "INSERT INTO meta.jira_projects (entry, is_tracked, status, changed_at) VALUES (?, true, 'new', ?)",
                [entry, now],
            )
    for entry, project in known.items():
        if project.is_tracked != (entry in entries):
            update(connection, entry, is_tracked=entry in entries, changed_at=now)
    return True


def all_known(connection: Connection) -> list[SelectedProject]:
    """Every project that is or was selected, in the order of their names; none where there are no tables."""
    return _all(connection) if has_tables(connection) else []


def _all(connection: Connection) -> list[SelectedProject]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM meta.jira_projects").fetchall()
    return sorted((SelectedProject(*row) for row in rows), key=lambda project: project.entry)


def selected(connection: Connection) -> list[SelectedProject]:
    """Every project that is selected now."""
    return [project for project in all_known(connection) if project.is_tracked]


def get(connection: Connection, entry: str) -> SelectedProject | None:
    if not has_tables(connection):
        return None
    found = connection.execute(f"SELECT {_COLUMNS} FROM meta.jira_projects WHERE entry = ?", [entry])
    return SelectedProject(*row) if (row := found.fetchone()) else None


def take_over(connection: Connection, entry: str, former: SelectedProject) -> None:
    """The project of this new entry is known by another one that is no longer selected: go on from there."""
    connection.execute("DELETE FROM meta.jira_projects WHERE entry = ?", [entry])
    connection.execute(
        "UPDATE meta.jira_projects SET entry = ?, is_tracked = true WHERE entry = ?", [entry, former.entry]
    )


def update(connection: Connection, entry: str, **changes: Any) -> None:
    """Set columns of one project. Raises KeyError for a name that is no column."""
    if unknown := changes.keys() - _KNOWN:
        raise KeyError(f"no such columns: {unknown}")
    assignments = ", ".join(f"{column} = ?" for column in changes)
    connection.execute(
        f"UPDATE meta.jira_projects SET {assignments} WHERE entry = ?", [*changes.values(), entry]
    )


def touch_all(connection: Connection, now: datetime) -> None:
    """All rows may look different now, such as by another name of a status."""
    connection.execute("UPDATE meta.jira_projects SET changed_at = ?", [now])


def note_account(connection: Connection, account_id: str, now: datetime) -> str | None:
    """Remember who asks; who asked before, where that was somebody else."""
    row = connection.execute("SELECT account_id FROM meta.jira_accounts").fetchone()
    connection.execute("DELETE FROM meta.jira_accounts")
    connection.execute("INSERT INTO meta.jira_accounts VALUES (?, ?)", [account_id, now])
    return row[0] if row and row[0] != account_id else None


# ── the record of syncs ──────────────────────────────────────────────────────────────────────────────


def record_syncs(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Add rows to ``meta.jira_syncs``, each without its number."""
    for row in rows:
        values = {"sync_id": next_id(connection, "jira_syncs"), **row}
        marks = ", ".join("?" * len(values))
        connection.execute(
            f"INSERT INTO meta.jira_syncs ({', '.join(values)}) VALUES ({marks})", list(values.values())
        )
        oldest = row["finished_at"] - timedelta(days=KEPT_DAYS)
        connection.execute("DELETE FROM meta.jira_syncs WHERE finished_at < ?", [oldest])


def syncs_since(connection: Connection, sync_id: int, limit: int) -> list[RecordedJiraSync]:
    """The first ``limit`` syncs with a higher number, in their order; none where there are no tables."""
    if not has_tables(connection):
        return []
    names = ", ".join(RecordedJiraSync.__struct_fields__)
    rows = connection.execute(
        f"SELECT {names} FROM meta.jira_syncs WHERE sync_id > ? ORDER BY sync_id LIMIT ?", [sync_id, limit]
    ).fetchall()
    return [RecordedJiraSync(*row) for row in rows]
