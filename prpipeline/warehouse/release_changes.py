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
    "compat_issue_metrics": (("time_in_draft_seconds",), "fresh"),
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


def bring_up_to_date(connection: duckdb.DuckDBPyConnection, cut_name: str, values: Mapping[str, Any]) -> None:
    """Change the tables of the current database. Raises Unlike."""
    for table in dictionary.load().tables:
        if table.name in _OF_PULL_REQUESTS:
            _replace(connection, table, cut_name)
            _run_clocks(connection, table.name)
        elif table.name in _OF_WEEKS:
            _replace(connection, table, "warehouse")
        else:
            create(connection, table, values)


def _replace(connection: duckdb.DuckDBPyConnection, table: dictionary.Table, catalog: str) -> None:
    """The changed repositories' rows that differ; one that is gone has none."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    shown = f'main."{table.name}"'
    source = query(table.name, catalog)
    if catalog == "warehouse":
        source = f"FROM ({source}) SEMI JOIN changed USING (repository_id)"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT *, hash({names}) AS print "
        f"FROM (SELECT {columns(table)} FROM ({source}) AS source)"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE held AS SELECT rowid AS place, hash({names}) AS print FROM {shown} "
        "SEMI JOIN changed USING (repository_id)"
    )
    connection.execute(
        f"DELETE FROM {shown} WHERE rowid IN (SELECT place FROM held ANTI JOIN fresh USING (print))"
    )
    connection.execute(
        f"INSERT INTO {shown} SELECT {names} FROM fresh SEMI JOIN changed USING (repository_id) "
        "ANTI JOIN held USING (print)"
    )
    (is_equal,) = connection.execute(
        "SELECT (SELECT count(*) FROM fresh SEMI JOIN changed USING (repository_id)) = "
        f"(SELECT count(*) FROM {shown} SEMI JOIN changed USING (repository_id))"
    ).fetchone() or (False,)
    if not is_equal:
        raise Unlike(f"some rows of {table.name} are there twice.")


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
