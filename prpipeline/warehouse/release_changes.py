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
    "pull_requests",
    "reviews",
    "review_events",
    "review_time_hours",
    "review_evidence",
    "draft_spells",
)
_OF_WEEKS = ("reviewer_weekly", "author_weekly")
_OF_THE_LAYOUT = ("data_dictionary", *metrics.PUBLISHED_VIEWS)

# What the views of the former are made of.
_SOURCES = (
    "raw.pull_requests",
    "raw.reviews",
    "raw.review_events",
    "metrics.draft_spells",
    "metrics.pull_request_times",
)
_SOURCES_OF_ALL = ("meta.repositories", "meta.metric_states", "metrics.rules")


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
        elif table.name not in _OF_THE_LAYOUT:
            create(connection, table, values)
    # These go on by the hour, whatever else happens.
    connection.execute(
        "UPDATE main.review_time_hours AS shown "
        "SET waiting_hours = now.waiting_hours, draft_hours = now.draft_hours "
        "FROM warehouse.metrics.pull_request_times AS now "
        "WHERE now.is_open AND shown.pull_request_id = now.pull_request_id "
        "AND (shown.waiting_hours, shown.draft_hours) IS DISTINCT FROM (now.waiting_hours, now.draft_hours)"
    )


def _compare(connection: duckdb.DuckDBPyConnection, table: dictionary.Table, source: str) -> None:
    """Keep the changed repositories' rows that differ; one that is gone has none."""
    name, names = table.name, ", ".join(f'"{column.name}"' for column in table.columns)

    def keep(kept: str, select: str) -> int:
        found = connection.execute(f"CREATE OR REPLACE TEMP TABLE {kept} AS {select}").fetchone()
        return int((found or (0,))[0])

    made = keep(
        "fresh", f"SELECT *, hash({names}) AS print FROM (SELECT {columns(table)} FROM ({source}) AS source)"
    )
    held = keep(
        "held",
        f'SELECT rowid AS place, hash({names}) AS print FROM main."{name}" '
        "SEMI JOIN changed USING (repository_id)",
    )
    removed = keep(f"removed_{name}", "SELECT place FROM held ANTI JOIN fresh USING (print)")
    added = keep(f"added_{name}", f"SELECT {names} FROM fresh ANTI JOIN held USING (print)")
    if held - removed + added != made:
        raise Unlike(f"some rows of {name} are there twice.")
