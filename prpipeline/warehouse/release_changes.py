"""The last release's copy, brought up to what the warehouse holds now: as little as possible is written.

Of repositories that may have changed, every row is made anew and compared with the one shown: a thousandth of them
differs on most days. Equal rows stay where they are, so that the file neither grows nor is compressed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from prpipeline import dictionary, metrics
from prpipeline.warehouse.release_tables import columns, create, query

# Rows of these are of one pull request, and change with its repository. What else there is is small, or spans
# repositories.
_OF_PULL_REQUESTS = (
    "pull_requests", "reviews", "review_events", "review_time_hours", "review_evidence", "draft_spells",
    "compat_origin", "compat_devlake", "compat_middleware", "compat_fivetran", "compat_issue_metrics",
)  # fmt: skip
_OF_WEEKS = ("reviewer_weekly", "author_weekly")

# What the views of the former are made of; and all that the clock of a draft is made of.
_SOURCES = (
    "raw.pull_requests",
    "raw.reviews",
    "raw.review_events",
    "metrics.draft_spells",
    "metrics.pull_request_times",
)
_SOURCES_OF_DRAFTS = {
    "raw.pull_requests": "repository_id, pull_request_id FROM warehouse.raw.pull_requests WHERE state = 'open'",
    "metrics.pull_request_times": (
        "repository_id, pull_request_id, is_open FROM warehouse.metrics.pull_request_times WHERE is_open"
    ),
    "metrics.draft_spells": "* FROM warehouse.metrics.draft_spells",
}
_SOURCES_OF_ALL = ("meta.repositories", "meta.metric_states", "metrics.rules")

# These go on by the hour, whatever else happens: the columns, and where they are read.
_CLOCKS = {
    "review_time_hours": (
        ("waiting_hours", "draft_hours"),
        "(FROM warehouse.metrics.pull_request_times WHERE is_open)",
    ),
    "compat_issue_metrics": (("time_in_draft_seconds",), "unchanged_compat_issue_metrics"),
    "compat_fivetran": (
        ("hours_request_review_to_first_review", "hours_request_review_to_first_action"),
        "warehouse.metrics.compat_fivetran",
    ),
}


class Unlike(Exception):
    """What was made from the last release is not what the warehouse holds."""


def share(connection: duckdb.DuckDBPyConnection, changed: Sequence[int]) -> float:
    """How much of all pull requests belongs to these repositories."""
    (found,) = connection.execute(
        "SELECT coalesce(avg((repository_id IN (SELECT unnest(?::BIGINT[])))::DOUBLE), 1) "
        "FROM warehouse.raw.pull_requests",
        [changed],
    ).fetchone() or (1.0,)
    return float(found)


def cut(connection: duckdb.DuckDBPyConnection, changed: Sequence[int]) -> None:
    """Make of the connection's own, empty database a warehouse of what may have changed: the views of metrics then
    compute nothing else."""
    connection.execute("CREATE TEMP TABLE changed AS SELECT unnest(?::BIGINT[]) AS repository_id", [changed])
    for schema in ("raw", "meta", "metrics"):
        connection.execute(f"CREATE SCHEMA {schema}")
    for name in _SOURCES_OF_ALL:
        connection.execute(f"CREATE TABLE {name} AS FROM warehouse.{name}")
    for name in _SOURCES:
        connection.execute(
            f"CREATE TABLE {name} AS FROM warehouse.{name} SEMI JOIN changed USING (repository_id)"
        )
    connection.execute(
        "CREATE TEMP TABLE drafts AS SELECT DISTINCT pull_request_id FROM warehouse.metrics.draft_spells "
        "ANTI JOIN changed USING (repository_id) WHERE ended_at IS NULL"
    )
    for name, narrow in _SOURCES_OF_DRAFTS.items():
        connection.execute(
            f"INSERT INTO {name} BY NAME FROM (SELECT {narrow}) SEMI JOIN drafts USING (pull_request_id)"
        )
    metrics.create_tables(connection)


def compare(connection: duckdb.DuckDBPyConnection, cut_name: str) -> None:
    """Find the rows that differ from those of the current database, before the transaction that changes it: what is
    dropped inside one keeps its memory. Raises Unlike."""
    for table in dictionary.load().tables:
        if table.name in _OF_PULL_REQUESTS:
            _compare(connection, table, query(table.name, cut_name))
        elif table.name in _OF_WEEKS:
            source = query(table.name, "warehouse")
            _compare(connection, table, f"FROM ({source}) SEMI JOIN changed USING (repository_id)")


def bring_up_to_date(connection: duckdb.DuckDBPyConnection, values: Mapping[str, Any]) -> None:
    """Change the tables of the current database, in the caller's transaction, after ``compare``."""
    for table in dictionary.load().tables:
        if table.name in (*_OF_PULL_REQUESTS, *_OF_WEEKS):
            connection.execute(f'DELETE FROM main."{table.name}" WHERE rowid IN (FROM removed_{table.name})')
            connection.execute(f'INSERT INTO main."{table.name}" FROM added_{table.name}')
            _run_clocks(connection, table.name)
        else:
            create(connection, table, values)


def _compare(connection: duckdb.DuckDBPyConnection, table: dictionary.Table, source: str) -> None:
    """Keep the changed repositories' rows that differ; one that is gone has none."""
    name, names = table.name, ", ".join(f'"{column.name}"' for column in table.columns)
    of_changed = "SEMI JOIN changed USING (repository_id)"

    def keep(kept: str, select: str) -> int:
        return _counted(connection, f"CREATE OR REPLACE TEMP TABLE {kept} AS {select}")

    keep(
        "fresh", f"SELECT *, hash({names}) AS print FROM (SELECT {columns(table)} FROM ({source}) AS source)"
    )
    held = keep("held", f'SELECT rowid AS place, hash({names}) AS print FROM main."{name}" {of_changed}')
    removed = keep(f"removed_{name}", "SELECT place FROM held ANTI JOIN fresh USING (print)")
    added = keep(f"added_{name}", f"SELECT {names} FROM fresh {of_changed} ANTI JOIN held USING (print)")
    if name in _CLOCKS:
        keep(f"unchanged_{name}", "FROM fresh ANTI JOIN changed USING (repository_id)")
    if held - removed + added != _counted(connection, f"SELECT count(*) FROM fresh {of_changed}"):
        raise Unlike(f"some rows of {name} are there twice.")


def _counted(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    """How many rows the statement made, or counts."""
    return int((connection.execute(statement).fetchone() or (0,))[0])


def _run_clocks(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    if table in _CLOCKS:
        names, source = _CLOCKS[table]
        settings = ", ".join(f"{name} = now.{name}" for name in names)
        differs = " OR ".join(f"shown.{name} IS DISTINCT FROM now.{name}" for name in names)
        connection.execute(
            f"UPDATE main.{table} AS shown SET {settings} "
            f"FROM (SELECT pull_request_id, {', '.join(names)} FROM {source}) AS now "
            f"WHERE shown.pull_request_id = now.pull_request_id AND ({differs})"
        )
