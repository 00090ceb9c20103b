"""The warehouse as a local DuckDB file, with the lock beside it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
from msgspec import Struct

from prpipeline.warehouse.leases import FileLeases, Leases
from prpipeline.warehouse.lock import FileWriterLock
from prpipeline.warehouse.store import CATALOG

log = logging.getLogger("prpipeline")

# Readable by DuckDB 1.2 and later, no matter which version wrote it.
STORAGE_VERSION = "v1.2.0"


class FileStore:
    """``warehouse.duckdb`` in a folder."""

    keeps_attached = False
    batch_rows = 1

    def __init__(self, path: Path, folder: Path | None = None) -> None:
        """``folder``: where this machine's other files are, if not beside it."""
        self.path = path
        self.folder = folder or path.parent
        self.where = str(path)
        self.lock = FileWriterLock(path)

    def exists(self) -> bool:
        return self.path.exists()

    def explain(self, error: str) -> str | None:
        return None

    def leases(self) -> Leases:
        return FileLeases(self.path.parent)

    def create(
        self, connection: duckdb.DuckDBPyConnection, make_tables: Callable[[duckdb.DuckDBPyConnection], None]
    ) -> None:
        """Create the file under another name first, so that a kill leaves no incomplete file under this name."""
        unfinished = self.path.with_name(f".{self.path.name}-unfinished")
        for leftover in self.path.parent.glob(f"{unfinished.name}*"):
            leftover.unlink()
        # DuckDB would replay the .wal of a lost file into the new one.
        for wal in self.path.parent.glob(f"{self.path.name}.wal*"):
            log.warning("%s has lost its database file; it is kept as %s.old.", wal, wal.name)
            wal.replace(wal.with_name(f"{wal.name}.old"))
        _attach(connection, unfinished, f", STORAGE_VERSION '{STORAGE_VERSION}'")
        connection.execute("BEGIN")
        make_tables(connection)
        connection.execute("COMMIT")
        self.detach(connection)
        os.replace(unfinished, self.path)

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        _attach(connection, self.path)

    def detach(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("USE memory")
        connection.execute(f"DETACH {CATALOG}")

    def snapshot(self, connection: duckdb.DuckDBPyConnection | None) -> FileSnapshot:
        return FileSnapshot(self.path)

    def maintain(self, connection: duckdb.DuckDBPyConnection) -> None:
        """DuckDB uses freed space again by itself."""


class FileSnapshot(Struct, frozen=True):
    """A file that nobody writes to."""

    path: Path

    def attach(self, connection: duckdb.DuckDBPyConnection, name: str = CATALOG) -> None:
        connection.execute(f"ATTACH '{quoted(self.path)}' AS {name} (READ_ONLY)")


def quoted(text: object) -> str:
    """The inside of an SQL literal, for statements that cannot bind a value."""
    return str(text).replace("'", "''")


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, options: str = "") -> None:
    connection.execute(f"ATTACH '{quoted(path)}' AS {CATALOG} (TYPE duckdb{options})")
    connection.execute(f"USE {CATALOG}")
