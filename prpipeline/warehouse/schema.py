"""The version of the warehouse's tables: made new, brought forward, or refused. Works on an attached file."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources

from duckdb import DuckDBPyConnection

from prpipeline import metrics

SCHEMA_VERSION = 2


class SchemaError(Exception):
    """The file is not for this version of prpipeline; the message goes on from the file's name."""


def create(connection: DuckDBPyConnection) -> None:
    """All tables, in the caller's transaction."""
    connection.execute(_sql("schema.sql"))
    _record(connection, SCHEMA_VERSION)
    metrics.create_tables(connection)


def bring_forward(connection: DuckDBPyConnection, version: int) -> None:
    """From an earlier version, or other definitions of metrics, in the caller's transaction: all steps or none."""
    for step in range(version + 1, SCHEMA_VERSION + 1):
        connection.execute(_sql(f"migrations/{step:04}.sql"))
        _record(connection, step)
    if version < SCHEMA_VERSION or not metrics.are_tables_current(connection):
        metrics.create_tables(connection)


def find_version(connection: DuckDBPyConnection) -> int:
    """0 for a file without tables. Raises SchemaError for a file that is not ours, or a newer one's."""
    tables = {
        f"{schema}.{table}"
        for schema, table in connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()"
        ).fetchall()
    }
    if not tables:
        return 0
    if "meta.schema_version" not in tables:
        raise SchemaError(
            "is a DuckDB file, but not prpipeline's; move it away, or set PRPIPELINE_DATA_DIR to another folder."
        )
    row = connection.execute("SELECT max(version) FROM meta.schema_version").fetchone()
    version = int(row[0]) if row and row[0] is not None else 0
    if version > SCHEMA_VERSION:
        raise SchemaError(
            f"was written by a newer prpipeline (its schema is {version}, this one knows {SCHEMA_VERSION}); "
            "upgrade prpipeline."
        )
    return version


def _record(connection: DuckDBPyConnection, version: int) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute("INSERT INTO meta.schema_version VALUES (?, ?)", [version, now])


def _sql(name: str) -> str:
    return (resources.files("prpipeline.warehouse") / name).read_text(encoding="utf-8")
