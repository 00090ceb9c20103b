"""The warehouse as a lake: DuckLake's catalog in a database, rows as Parquet files in a folder or S3.

For several machines the catalog is in Postgres, whose advisory locks are the writer's lock and the leases. With its
catalog in a DuckDB file it serves one machine, and needs no service.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from prpipeline.settings import WarehousePlace
from prpipeline.warehouse import extensions
from prpipeline.warehouse.errors import WarehouseError
from prpipeline.warehouse.file_store import quoted
from prpipeline.warehouse.leases import FileLeases, Leases
from prpipeline.warehouse.lock import FileWriterLock
from prpipeline.warehouse.store import CATALOG, Lock

SCHEMA = "prpipeline"
"""Of the catalog's tables in Postgres."""

# Few rows go into the catalog instead of files of their own: a page of pull requests writes no file at all.
_INLINED_ROWS = 100
# Snapshots are kept for readers that began before: a publication, somebody's query.
KEPT_SNAPSHOTS = timedelta(days=2)
_UPKEEP = (
    "CALL ducklake_flush_inlined_data('{catalog}')",
    "CALL ducklake_merge_adjacent_files('{catalog}')",
    "CALL ducklake_rewrite_data_files('{catalog}', delete_threshold => 0.05)",
    "CALL ducklake_expire_snapshots('{catalog}', older_than => now() - INTERVAL '{kept} seconds')",
    "CALL ducklake_cleanup_old_files('{catalog}', older_than => now() - INTERVAL '{kept} seconds')",
)
"""By name and in this order, not CHECKPOINT, which leaves inlined rows. The last two never touch what readers may use."""


class LakeStore:
    """A lake. ``folder`` holds the local files: temporary ones, releases."""

    batch_rows = 500  # of pull requests or issues: twenty pages of a history

    def __init__(self, place: WarehousePlace, folder: Path) -> None:
        assert place.catalog is not None
        kind, _, address = place.catalog.get_secret_value().partition(":")
        self._data = place.data
        self._address = address
        self._is_postgres = kind == "postgres"
        self.keeps_attached = self._is_postgres  # a catalog in a file is locked while it is attached
        self.folder = folder
        self.path = folder / "lake"
        self._exists = False
        self.lock: Lock
        if self._is_postgres:
            from prpipeline.warehouse import postgres_locks

            self.where = f"the lake in {postgres_locks.shown(address)}"
            self.lock = postgres_locks.PostgresWriterLock(address, SCHEMA, self.where)
        else:
            self._address = str(Path(address).expanduser().absolute())
            self.where = f"the lake in {self._address}"
            self.lock = FileWriterLock(Path(self._address))

    def explain(self, error: str) -> str:
        if "No space left" in error or "disk full" in error.lower():
            return f"There is no space left for {self.where}; free some and run again. What was synced before is kept."
        if "conflict" in error.lower() and "ransaction" in error:
            return (
                f"Another program wrote to {self.where} without its lock; nothing was changed. Run it again."
            )
        if self._is_in_s3 and re.match(r"(HTTP|IO) Error", error) and "http" in error.lower():
            return (
                f"The rows of {self.where}, in {self._data}, cannot be reached or used: {self._without_secrets(error)}. See "
                "AWS_ENDPOINT_URL, the credential and its rights; nothing was changed."
            )
        return f"{self.where} cannot be used: {self._without_secrets(error)}"

    @property
    def _is_in_s3(self) -> bool:
        return self._data.startswith("s3://")

    def leases(self) -> Leases:
        if not self._is_postgres:
            return FileLeases(Path(self._address).parent)
        from prpipeline.warehouse.postgres_locks import PostgresLeases

        return PostgresLeases(self._address, SCHEMA, self.where)

    def exists(self) -> bool:
        # It does not go away, and asking costs a connection.
        self._exists = self._exists or self._is_there()
        return self._exists

    def _is_there(self) -> bool:
        if not self._is_postgres:
            return Path(self._address).exists()
        from prpipeline.warehouse.postgres_locks import has_schema

        return has_schema(self._address, SCHEMA, self.where)

    def create(
        self, connection: duckdb.DuckDBPyConnection, make_tables: Callable[[duckdb.DuckDBPyConnection], None]
    ) -> None:
        """The catalog, then the tables in one transaction: a catalog that a kill left empty is filled by who comes next."""
        if not self._is_postgres:
            Path(self._address).parent.mkdir(parents=True, exist_ok=True)
        if "://" not in self._data:
            Path(self._data).mkdir(parents=True, exist_ok=True)
        self.attach(connection)
        connection.execute("BEGIN")
        make_tables(connection)
        connection.execute("COMMIT")
        self.detach(connection)

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.attach_as(connection, CATALOG)
        connection.execute(f"USE {CATALOG}")

    def detach(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("USE memory")
        connection.execute(f"DETACH {CATALOG}")

    def snapshot(self, connection: duckdb.DuckDBPyConnection | None) -> LakeSnapshot:
        if connection is None:
            return LakeSnapshot(self)
        row = connection.execute(f"SELECT id FROM ducklake_current_snapshot('{CATALOG}')").fetchone()
        assert row is not None
        return LakeSnapshot(self, int(row[0]))

    def maintain(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Merge small files, drop what no snapshot of the last two days needs. Outside a transaction, under the lock."""
        for call in _UPKEEP:
            kept = int(KEPT_SNAPSHOTS.total_seconds())
            connection.execute(call.format(catalog=CATALOG, kept=kept)).fetchall()

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Load what reading and writing it takes. Raises WarehouseError."""
        extensions.load(connection, "ducklake")
        if self._is_postgres:
            extensions.load(connection, "postgres_scanner")
        if self._is_in_s3:
            extensions.load(connection, "httpfs")
            try:
                connection.execute(_s3_secret(connection))
            except duckdb.Error:  # whose message lists what was tried
                raise WarehouseError(
                    f"No credential for {self._data} was found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
                ) from None

    def attach_as(self, connection: duckdb.DuckDBPyConnection, name: str, *options: str) -> None:
        """Attach it under a name, with further options of DuckLake. Raises WarehouseError."""
        self.prepare(connection)
        catalog = ("postgres:" if self._is_postgres else "") + self._address
        given = [f"DATA_PATH '{quoted(self._data)}'", f"DATA_INLINING_ROW_LIMIT {_INLINED_ROWS}", *options]
        if self._is_postgres:
            given.append(f"METADATA_SCHEMA '{SCHEMA}'")
        try:
            connection.execute(f"ATTACH 'ducklake:{quoted(catalog)}' AS {name} ({', '.join(given)})")
        except duckdb.Error as error:
            raise WarehouseError(self._sentence(str(error))) from None

    def _sentence(self, text: str) -> str:
        """Of an error in attaching it."""
        first = self._without_secrets(text)
        if "DATA_PATH" in text or "data path" in text.lower():
            return (
                f"{self.where} keeps its data elsewhere than PRPIPELINE_LAKE_DATA says ({self._data}); set that to where "
                "they are."
            )
        if "version" in text.lower():
            return (
                f"{self.where} is of another version of DuckLake than this one ({first}); install the same prpipeline[lake] "
                "on all hosts."
            )
        return f"{self.where} cannot be opened: {first}"

    def _without_secrets(self, text: str) -> str:
        """The first line of an error, of which DuckDB makes the whole connection string a part."""
        first = text.splitlines()[0].replace(self._address, "…") if text else "no reason given"
        return re.sub(r"(password\s*=\s*|://[^:/@\s]*:(?=[^\s@]*@))[^\s@]*", r"\1…", first)


@dataclass(frozen=True, slots=True)
class LakeSnapshot:
    """One state of a lake, for readers, whatever is written meanwhile."""

    store: LakeStore
    number: int | None = None  # None: the last one

    def attach(self, connection: duckdb.DuckDBPyConnection, name: str = CATALOG) -> None:
        pinned = [] if self.number is None else [f"SNAPSHOT_VERSION {self.number}"]
        self.store.attach_as(connection, name, "READ_ONLY", *pinned)


def _s3_secret(connection: duckdb.DuckDBPyConnection) -> str:
    """The statement that gives DuckDB the environment's keys for S3, or whatever AWS's own tools would use."""
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    options = {"TYPE": "s3", "REGION": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")}
    if key and secret:
        options |= {"KEY_ID": key, "SECRET": secret, "SESSION_TOKEN": os.environ.get("AWS_SESSION_TOKEN")}
    else:
        extensions.load(connection, "aws")
        options["PROVIDER"] = "credential_chain"
    if endpoint := os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"):
        parts = urlsplit(endpoint)
        is_safe = "false" if parts.scheme == "http" else "true"
        options |= {"ENDPOINT": parts.netloc, "URL_STYLE": "path", "USE_SSL": is_safe}
    given = ", ".join(f"{name} '{quoted(value)}'" for name, value in options.items() if value)
    return f"CREATE OR REPLACE SECRET prpipeline_s3 ({given})"
