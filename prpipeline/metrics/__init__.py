"""Metrics of reviews: tables and views in schema metrics, made by SQL from schemas raw and meta alone.

What takes computing is a table; what repeats raw, or is wanted only when somebody reads, is a view. ``rebuild`` makes what depends on one repository's rows alone, ``rebuild_aggregates`` all else.
Both run inside the caller's transaction. What a metric means stands at the head of its file in sql/.
Not here: opening the warehouse, publishing, orchestration, GitHub.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from prpipeline.metrics.calendar import half_days
from prpipeline.metrics.checks import Check, load_checks
from prpipeline.metrics.statements import statements, table_file
from prpipeline.model.sql import Connection
from prpipeline.settings import MetricSettings, as_json

METRIC_VERSION = 3
"""Raised whenever a definition or a table's shape changes; repositories of another version are stale."""

REPOSITORY_TABLES = ("draft_spells", "pull_request_times", "reviewer_weekly", "author_weekly")
"""Rows of one repository depend on nothing but its own; in the order in which they build on each other."""

AGGREGATE_TABLES = (
    "review_time_weekly",
    "reviewer_weekly",
    "author_weekly",
    "team_weekly",
    "review_queue",
    "review_time_survival",
)
"""Many pull requests a row."""

TABLES = ("draft_spells", "review_evidence", "review_time_hours", *AGGREGATE_TABLES)
"""What is published of them; described in the dictionary."""

PUBLISHED_VIEWS = (
    "compat_origin",
    "compat_devlake",
    "compat_middleware",
    "compat_fivetran",
    "compat_issue_metrics",
)
"""By other people's definitions, seldom read: they are in the published file alone, and read its tables."""

_STORED = ("rules", "pull_request_times", *TABLES)

_BASICS = ("names", "hours", "is_bot")
"""What the tables' own files build on."""

_MACROS_OF_TABLES = ("evidence", "adding_up")
"""What the views, the filling of tables and the checks build on."""

_BATCH_PULL_REQUESTS = 500_000
"""So many at a time keep memory bounded, and their joins inside it, whatever the size of the warehouse."""


CHECKS: tuple[Check, ...] = load_checks(METRIC_VERSION)
"""Data checks on raw and metrics; each one's SQL returns a row for what is wrong, and none where all is well."""


def create_tables(connection: Connection) -> None:
    """Create what is missing; tables of another shape, or of no further use, are dropped: all is derived."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS metrics")
    files = [table_file(name) for name in _STORED]
    expected = {file.name: list(file.columns) for file in files if not file.is_view}
    found = _stored_tables(connection)
    for name, columns in found.items():
        if expected.get(name) != columns:
            connection.execute(f'DROP TABLE metrics."{name}"')
    of_basics = [statement for name in _BASICS for statement in statements(name)]
    of_tables = [file.create for file in files if not file.is_view]
    of_table_macros = [statement for name in _MACROS_OF_TABLES for statement in statements(name)]
    of_views = [file.create for file in files if file.is_view]
    for statement in (*of_basics, *of_tables, *of_table_macros, *of_views):
        connection.execute(statement.sql)
    for name in PUBLISHED_VIEWS:  # an earlier version had them here
        connection.execute(f"DROP VIEW IF EXISTS metrics.{name}")
    if any(found.get(name) != expected[name] for name in REPOSITORY_TABLES):
        connection.execute("DELETE FROM meta.metric_states")
    connection.execute(
        f"CREATE OR REPLACE VIEW metrics.definitions AS SELECT '{_definitions()}' AS fingerprint"
    )


def are_tables_current(connection: Connection) -> bool:
    """Whether ``create_tables`` of these very definitions has been here: to look costs a fiftieth of doing it again."""
    views = connection.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = current_database() "
        "AND schema_name = 'metrics' AND view_name = 'definitions'"
    ).fetchall()
    return any(_definitions() in sql for (sql,) in views)


def published_view(name: str) -> str:
    """The statement that makes one of PUBLISHED_VIEWS in a published file."""
    return table_file(name).create.sql


def rebuild(
    connection: Connection,
    repository_ids: Sequence[int] | None,
    settings: MetricSettings,
    as_of: datetime,
) -> None:
    """Replace all rows of these repositories (None: of all) by what raw says now."""
    _fill(connection, "rules", _values(settings, as_of))
    if repository_ids is None:
        repository_ids = _known_repositories(connection)
        _empty(connection, REPOSITORY_TABLES)
        connection.execute("DELETE FROM meta.metric_states")
    for batch in _batches(connection, repository_ids):
        values = _values(settings, as_of) | {"repositories": batch}
        values |= _calendar_values(connection, settings, batch, values["as_of"])
        for name in (*REPOSITORY_TABLES, "metric_states"):
            _fill(connection, name, values)


def rebuild_aggregates(connection: Connection, settings: MetricSettings, as_of: datetime) -> None:
    """Replace the tables that span repositories or tell of now, after bringing running clocks and names up to date."""
    values = _values(settings, as_of)
    _fill(connection, "rules", values)
    _fill(connection, "bring_up_to_date", values)
    for name in AGGREGATE_TABLES:
        if name not in REPOSITORY_TABLES:
            _fill(connection, name, values)


def stale_repositories(connection: Connection, settings: MetricSettings) -> list[int]:
    """Repositories whose metrics are missing, or were computed by other definitions or settings."""
    states = connection.execute(
        "SELECT repository_id FROM meta.metric_states WHERE metric_version = ? AND settings_fingerprint = ?",
        [METRIC_VERSION, fingerprint(settings)],
    ).fetchall()
    current = {row[0] for row in states}
    return [repository for repository in _known_repositories(connection) if repository not in current]


def fingerprint(settings: MetricSettings) -> str:
    """Changes exactly when settings do that can change a number."""
    relevant = as_json(settings)
    relevant["bots"] = _bot_names(settings)
    relevant["calendar"]["days"] = sorted(relevant["calendar"]["days"])
    relevant["calendar"]["holidays"] = sorted(set(relevant["calendar"]["holidays"]))
    return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()


@cache
def _definitions() -> str:
    texts = [s.sql for name in (*_BASICS, *_MACROS_OF_TABLES) for s in statements(name)]
    texts += [table_file(name).create.sql for name in _STORED]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _known_repositories(connection: Connection) -> list[int]:
    rows = connection.execute(
        "SELECT repository_id FROM meta.repositories WHERE repository_id IS NOT NULL "
        "UNION SELECT repository_id FROM raw.pull_requests ORDER BY repository_id"
    ).fetchall()
    return [row[0] for row in rows]


def _batches(connection: Connection, repository_ids: Sequence[int]) -> Iterator[list[int]]:
    rows = connection.execute(
        "SELECT repository_id, count(*) FROM raw.pull_requests "
        "WHERE repository_id IN (SELECT unnest(?)) GROUP BY repository_id",
        [list(repository_ids)],
    ).fetchall()
    sizes: dict[int, int] = dict(rows)
    batch: list[int] = []
    total = 0
    for repository_id in sorted(set(repository_ids)):
        size = sizes.get(repository_id, 0)
        if batch and total + size > _BATCH_PULL_REQUESTS:
            yield batch
            batch, total = [], 0
        batch.append(repository_id)
        total += size
    if batch:
        yield batch


def _stored_tables(connection: Connection) -> dict[str, list[tuple[str, str]]]:
    rows = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "SEMI JOIN duckdb_tables() USING (database_name, table_oid) "
        "WHERE database_name = current_database() AND schema_name = 'metrics' ORDER BY column_index"
    ).fetchall()
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, data_type in rows:
        found.setdefault(table, []).append((column, data_type))
    return found


def _empty(connection: Connection, names: Sequence[str]) -> None:
    # Dropping gives the space back at once; deleting ten million rows leaves holes to scan past.
    for name in names:
        connection.execute(f"DROP TABLE IF EXISTS metrics.{name}")
        connection.execute(table_file(name).create.sql)


def _fill(connection: Connection, name: str, values: dict[str, Any]) -> None:
    for statement in table_file(name).fill if name in _STORED else statements(name):
        connection.execute(statement.sql, statement.bound(values))


def _values(settings: MetricSettings, as_of: datetime) -> dict[str, Any]:
    return {
        "as_of": as_of.astimezone(UTC).replace(tzinfo=None) if as_of.tzinfo else as_of,
        "bots": _bot_names(settings),
        "exclude_bots": settings.exclude_bots,
        "exclude_self": settings.exclude_self,
        "metric_version": METRIC_VERSION,
        "settings_fingerprint": fingerprint(settings),
    }


def _bot_names(settings: MetricSettings) -> list[str]:
    """In lower case and without [bot]: a login that ends so is a bot's anyway."""
    return sorted({name.strip().lower().removesuffix("[bot]") for name in settings.bots} - {""})


def _calendar_values(
    connection: Connection, settings: MetricSettings, repositories: list[int], as_of: datetime
) -> dict[str, Any]:
    (statement,) = statements("years")
    first, last = connection.execute(
        statement.sql, statement.bound({"repositories": repositories})
    ).fetchone()
    table = half_days(settings.calendar, first or as_of.year, max(last or 0, as_of.year))
    return {name: getattr(table, name) for name in table.__slots__}


__all__ = [
    "AGGREGATE_TABLES",
    "CHECKS",
    "METRIC_VERSION",
    "PUBLISHED_VIEWS",
    "REPOSITORY_TABLES",
    "TABLES",
    "Check",
    "are_tables_current",
    "create_tables",
    "fingerprint",
    "published_view",
    "rebuild",
    "rebuild_aggregates",
    "stale_repositories",
]
