"""The version of the warehouse's tables: made new, migrated, or refused. Works on an attached database.

``sql/`` has a file of tables for each source, which may add columns to the tables of ``meta.sql``; ``migrations/`` has a
step to each version.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources

from duckdb import CatalogException, DuckDBPyConnection

from prpipeline import metrics

SCHEMA_VERSION = 6
_PACKAGE = resources.files("prpipeline.warehouse")


class SchemaError(Exception):
    """This version of prpipeline cannot use the file; the message continues a sentence that begins with its name."""


def create(connection: DuckDBPyConnection) -> None:
    """Make all tables, in the caller's transaction."""
    for schema in ("raw", "meta", "metrics"):
        connection.execute(f"CREATE SCHEMA {schema}")
    for file in sorted((_PACKAGE / "sql").iterdir(), key=lambda file: (file.name != "meta.sql", file.name)):
        connection.execute(file.read_text(encoding="utf-8"))
    _record(connection, SCHEMA_VERSION)
    metrics.create_tables(connection)


def bring_forward(connection: DuckDBPyConnection, version: int) -> None:
    """Migrate from an earlier version, or to the present definitions of metrics: all steps, in the caller's transaction."""
    for step in range(version + 1, SCHEMA_VERSION + 1):
        connection.execute((_PACKAGE / "migrations" / f"{step:04}.sql").read_text(encoding="utf-8"))
        _record(connection, step)
    if version < SCHEMA_VERSION or not metrics.are_tables_current(connection):
        metrics.renew_tables(connection)


def find_version(connection: DuckDBPyConnection) -> int:
    """The schema version of the database, 0 if it has no tables. Raises SchemaError if it is newer or not prpipeline's."""
    try:
        row = connection.execute("SELECT max(version) FROM meta.schema_version").fetchone()
    except CatalogException:
        tables = "FROM duckdb_tables() WHERE database_name = current_database()"
        if not connection.execute(f"{tables} LIMIT 1").fetchone():
            return 0
        raise SchemaError(
            "is a DuckDB file, but not prpipeline's; move it away, or set PRPIPELINE_DATA_DIR to another folder."
        ) from None
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
