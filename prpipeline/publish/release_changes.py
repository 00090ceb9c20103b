"""The last release's copy, brought up to what the warehouse holds now: as little as possible is written.

Of repositories that may have changed, the rows that are stored are compared with those shown; what differs tells which
pull requests, and which weeks, are taken out and put in anew. Everything else stays where it is, so that the file
neither grows nor is compressed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from prpipeline import metrics
from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary
from prpipeline.publish.release_tables import columns, create, query

# Rows of these are of one pull request. The last is made of the others and the rules: it differs where they do.
_OF_PULL_REQUESTS = (
    "pull_requests",
    "reviews",
    "review_events",
    "draft_periods",
    "review_time_hours",
    "review_evidence",
)
_OF_WEEKS = ("reviewer_weekly", "author_weekly")
_OF_THE_LAYOUT = ("data_dictionary", *metrics.PUBLISHED_VIEWS)

# Of what the view review_time_hours shows, what raw does not tell; joining the two for all costs more than all else.
_TIMES = "SELECT times.*, names.team FROM warehouse.metrics.pull_request_times AS times JOIN names USING (repository_id)"
_CLOCKS = ("waiting_hours", "draft_hours")

# What the views of the former are made of.
_SOURCES = (
    "raw.pull_requests",
    "raw.reviews",
    "raw.review_events",
    "metrics.draft_periods",
    "metrics.pull_request_times",
)
_SOURCES_OF_ALL = ("meta.repositories", "meta.metric_states", "metrics.metric_settings")


def find(connection: Connection, changed: Sequence[int]) -> float:
    """Find what has to be replaced of these repositories, in temporary tables; the last release is attached as last.

    Returns how much of all pull requests that is.
    """
    connection.execute("CREATE TEMP TABLE changed AS SELECT unnest(?::BIGINT[]) AS repository_id", [changed])
    connection.execute("CREATE TEMP TABLE found (repository_id BIGINT, number BIGINT)")
    for table in dictionary.load().tables:
        if table.name == "review_time_hours":
            _find_pull_requests(connection, _stored(connection, table), _TIMES)
        elif table.name in _OF_PULL_REQUESTS and table.name != "review_evidence":
            _find_pull_requests(connection, table, query(table.name, "warehouse"))
        elif table.name in _OF_WEEKS:
            weeks = _differing(table, query(table.name, "warehouse"), "week")
            connection.execute(
                f"CREATE TEMP TABLE different_{table.name} AS SELECT repository_id, piece AS week FROM ({weeks})"
            )
    connection.execute("CREATE TEMP TABLE different AS SELECT DISTINCT * FROM found")
    connection.execute("CREATE TEMP TABLE touched AS SELECT DISTINCT repository_id FROM different")
    (share,) = connection.execute(
        "SELECT (SELECT count(*) FROM different) / greatest(1, (SELECT count(*) FROM warehouse.raw.pull_requests))"
    ).fetchone() or (1.0,)
    return float(share)


def cut(connection: Connection) -> None:
    """Make of the connection's own, empty database a warehouse of the pull requests found: the views of metrics then
    compute nothing else."""
    for schema in ("raw", "meta", "metrics"):
        connection.execute(f"CREATE SCHEMA {schema}")
    for name in _SOURCES_OF_ALL:
        connection.execute(f"CREATE TABLE {name} AS FROM warehouse.{name}")
    for name in _SOURCES:
        connection.execute(
            f"CREATE TABLE {name} AS FROM (FROM warehouse.{name} SEMI JOIN touched USING (repository_id)) "
            "SEMI JOIN different USING (repository_id, number)"  # by both alone, it would read all rows
        )
    metrics.create_tables(connection)


def bring_up_to_date(connection: Connection, cut_name: str, values: Mapping[str, Any]) -> None:
    """Change the tables of the current database, in the caller's transaction, after ``find`` and ``cut``."""
    for table in dictionary.load().tables:
        if table.name in _OF_PULL_REQUESTS:
            _replace(connection, table, query(table.name, cut_name), "different", "number")
        elif table.name in _OF_WEEKS:
            source = query(table.name, "warehouse")
            _replace(connection, table, source, f"different_{table.name}", "week")
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


def _stored(connection: Connection, table: dictionary.Table) -> dictionary.Table:
    """The part of review_time_hours that _TIMES has, without the clocks."""
    found = {
        name for (name,) in connection.execute(f"SELECT column_name FROM (DESCRIBE {_TIMES})").fetchall()
    }
    own = tuple(column for column in table.columns if column.name in found.difference(_CLOCKS))
    return replace(table, columns=own)


def _find_pull_requests(connection: Connection, table: dictionary.Table, source: str) -> None:
    # By the hundred first: nearly all are equal, and to tell one by one takes more than twice the time.
    hundreds = _differing(table, source, "number // 100")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE hundreds AS {hundreds}")
    within = "SEMI JOIN hundreds ON hundreds.repository_id = one.repository_id AND piece = number // 100"
    connection.execute(f"INSERT INTO found {_differing(table, source, 'number', within)}")


def _differing(table: dictionary.Table, source: str, piece: str, within: str = "") -> str:
    """The query for the pieces of changed repositories that are shown otherwise than the source has them; by sums, so
    that rows that are there twice differ from one."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)

    def prints(rows: str) -> str:
        return (
            f"SELECT repository_id, {piece} AS piece, sum(hash({names})) AS print "
            f"FROM (FROM {rows} AS one SEMI JOIN changed USING (repository_id)) AS one {within} GROUP BY ALL"
        )

    now = prints(f"(SELECT {columns(table)} FROM ({source}) AS source)")
    shown = prints(f"last.main.{table.name}")
    return (
        f"SELECT repository_id, piece FROM ({now} UNION ALL SELECT * REPLACE (-print AS print) FROM ({shown})) "
        "GROUP BY ALL HAVING sum(print) <> 0"
    )


def _replace(connection: Connection, table: dictionary.Table, source: str, pieces: str, piece: str) -> None:
    connection.execute(
        f'DELETE FROM main."{table.name}" AS shown USING {pieces} AS different '
        f"WHERE shown.repository_id = different.repository_id AND shown.{piece} = different.{piece}"
    )
    connection.execute(
        f'INSERT INTO main."{table.name}" SELECT {columns(table)} FROM ({source}) '
        f"SEMI JOIN {pieces} USING (repository_id, {piece})"
    )
