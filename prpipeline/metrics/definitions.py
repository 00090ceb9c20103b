"""What the .sql files define, all together: which tables there are, in which order they build on each other, and the
version of these definitions in a warehouse.

Jira's are for warehouses that have its tables (``has_jira``); the version is of all files, whether used or not, so that no
pull request is computed anew when Jira is added.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from graphlib import TopologicalSorter
from importlib import resources
from typing import Any

from prpipeline.metrics.statements import SqlFile, essence, file_names, source, sql_file, sql_files, sql_text
from prpipeline.model.sql import Connection, has_table, parsed


@cache
def _in_order() -> tuple[SqlFile, ...]:
    """Each file after those whose tables, views and macros it reads."""
    files = {file.name: file for file in sql_files()}
    makers = {
        one.name: file.name for file in files.values() for one in file.created if one.schema == "metrics"
    }
    graph = {name: sorted(makers[used] for used in file.uses) for name, file in files.items()}
    return tuple(files[name] for name in TopologicalSorter(graph).static_order())


# Functions, not constants: most commands need none of these lists, and reading all files takes 7 ms.


@cache
def _chosen(with_jira: bool) -> tuple[SqlFile, ...]:
    return tuple(file for file in _in_order() if file.created and (with_jira or not file.is_of_jira))


@cache
def _warehouse(with_jira: bool) -> tuple[SqlFile, ...]:
    return tuple(file for file in _chosen(with_jira) if file.created[0].schema)


@cache
def _stored(with_jira: bool) -> tuple[SqlFile, ...]:
    return tuple(
        file for file in _warehouse(with_jira) if file.kind == "TABLE" and file.created[0].schema == "metrics"
    )


def has_jira(connection: Connection, catalog: str | None = None) -> bool:
    """Whether the database (default: the current one) has Jira's tables, so that it has its metrics, too."""
    return has_table(connection, "raw.jira_issues", catalog)


@cache
def repository_tables() -> tuple[str, ...]:
    """Tables whose rows depend on their own repository alone, in the order in which they build on each other.

    None is Jira's: then a repository would be stale whenever an issue changed.
    """
    return tuple(file.name for file in _stored(False) if "repositories" in file.parameters)


@cache
def published_tables(*, with_jira: bool = False) -> tuple[str, ...]:
    """Tables and views of the warehouse that are published, each described in the data dictionary."""
    return tuple(
        file.name for file in _warehouse(with_jira) if file.definition.startswith(f"{file.name}: one row per")
    )


@cache
def aggregate_tables(*, with_jira: bool = False) -> tuple[str, ...]:
    """Published tables that are made after the pull requests' own: many pull requests a row, or of all repositories."""
    of_pull_requests = {
        file.name
        for file in _stored(False)
        if file.name in repository_tables() and "pull_request_id" in dict(file.columns)
    }
    published = set(published_tables(with_jira=with_jira)) - of_pull_requests
    return tuple(file.name for file in _stored(with_jira) if file.name in published)


@cache
def spanning_tables(*, with_jira: bool = False) -> tuple[str, ...]:
    """Tables whose rows depend on more than one repository, or on now, in the order in which they build on each other."""
    return tuple(file.name for file in _stored(with_jira) if file.name not in repository_tables())


@cache
def published_views(*, with_jira: bool = False) -> tuple[str, ...]:
    """Views over the published tables, which only a published file has."""
    return tuple(file.name for file in _chosen(with_jira) if not file.created[0].schema)


def published_view(name: str) -> str:
    """The query of one of ``published_views``, Jira's too, over the tables of a published file."""
    return sql_file(name).creates[0].sql.partition(" AS\n")[2]


def create_tables(connection: Connection) -> None:
    """Create what is missing, in the caller's transaction; the schemas exist.

    Other definitions than the last ones get a new version, so that all repositories are stale.
    """
    for file in _warehouse(has_jira(connection)):
        for statement in file.creates:
            connection.execute(parsed(connection, statement.sql))
    now = datetime.now(UTC).replace(tzinfo=None)
    for statement in sql_file("metric_definitions").fills:
        values = {"fingerprint": definitions_fingerprint(), "sources": sources_hash(), "now": now}
        connection.execute(statement.sql, statement.bound(values))


def renew_tables(connection: Connection) -> None:
    """``create_tables`` where others may have made some: what has another shape or no use is dropped, for all is derived."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS metrics")
    with_jira = has_jira(connection)
    _drop_unknown(connection, with_jira)
    expected = {file.name: list(file.columns) for file in _stored(with_jira)}
    found = _stored_tables(connection)
    for name, columns in found.items():
        if expected.get(name) != columns:
            connection.execute(f'DROP TABLE metrics."{name}"')
    create_tables(connection)
    if any(found.get(name) != expected[name] for name in repository_tables()):
        connection.execute("DELETE FROM meta.metric_states")


def are_tables_current(connection: Connection) -> bool:
    """Whether the tables, which ``create_tables`` made, were last made by these definitions; far cheaper than to renew them.

    Other files with the same definitions are remembered, so that the next one is told faster.
    """
    newest: dict[str, Any] | None
    (newest,) = connection.execute(  # whole rows, for the table of an earlier version has no column sources
        "SELECT max_by(entry, metric_version) FROM meta.metric_definitions AS entry"
    ).fetchone()
    if newest is None:
        return False
    if newest.get("sources") == sources_hash():
        return True
    is_current = bool(newest["fingerprint"] == definitions_fingerprint())
    if is_current and "sources" in newest:
        connection.execute(
            "UPDATE meta.metric_definitions SET sources = ? WHERE metric_version = ?",
            [sources_hash(), newest["metric_version"]],
        )
    return is_current


def metric_version(connection: Connection) -> int:
    """The version of these definitions in this warehouse, whose tables are current."""
    (version,) = connection.execute(
        "SELECT max(metric_version) FROM meta.metric_definitions WHERE fingerprint = ?",
        [definitions_fingerprint()],
    ).fetchone()
    return int(version)


@cache
def definitions_fingerprint() -> str:
    """Changes with everything that can change a number: all SQL, and the calendar's code."""
    texts = [essence(sql_text(name).body) for name in file_names()]
    calendar = resources.files(__package__).joinpath("calendar.py").read_text(encoding="utf-8")
    texts += [line for line in calendar.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


@cache
def sources_hash() -> str:
    """Of the bytes of all that makes ``definitions_fingerprint``: what has the same bytes has the same fingerprint.

    A tenth of its time, which every process that opens a warehouse would spend.
    """
    package = resources.files(__package__)
    parts = [f"{name}.sql".encode() + source(name) for name in file_names()]
    parts += [(package / code).read_bytes() for code in ("calendar.py", "definitions.py", "statements.py")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _drop_unknown(connection: Connection, with_jira: bool) -> None:
    """Views and macros that earlier versions had."""
    known = {one.name for file in _warehouse(with_jira) for one in file.created}
    found = connection.execute(
        """
        SELECT 'VIEW', view_name FROM duckdb_views()
        WHERE database_name = current_database() AND schema_name = 'metrics'
        UNION
        SELECT CASE function_type WHEN 'table_macro' THEN 'MACRO TABLE' ELSE 'MACRO' END, function_name
        FROM duckdb_functions()
        WHERE database_name = current_database() AND schema_name = 'metrics'
        """
    ).fetchall()
    for kind, name in found:
        if name not in known:
            connection.execute(f'DROP {kind} metrics."{name}"')


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
