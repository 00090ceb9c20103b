"""Where the warehouse's tables are. ``database`` opens transactions on a store; a store knows nothing of transactions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import duckdb

from prpipeline.warehouse.leases import Leases

CATALOG = "warehouse"
"""The name under which a store's tables are attached to a DuckDB connection."""


class Lock(Protocol):
    """Held by one writer at a time, over all processes that use the store."""

    def acquire(self) -> None:
        """Wait for the lock. Raises LockError."""

    def confirm(self) -> None:
        """Raise LockError if it was lost since it was acquired."""

    def release(self) -> None:
        """Give the lock up; does nothing if it is not held."""


class Snapshot(Protocol):
    """One state of a store's tables, for readers."""

    def attach(self, connection: duckdb.DuckDBPyConnection, name: str = CATALOG) -> None:
        """Attach it read-only under a name."""


class Store(Protocol):
    """A place for tables. All methods but ``exists`` and ``leases`` are called while the lock is held."""

    @property
    def where(self) -> str:
        """What messages call it."""

    @property
    def path(self) -> Path:
        """The local file, or the one beside which temporary files of this store are."""

    @property
    def folder(self) -> Path:
        """Where local files of this machine are: releases, locks."""

    @property
    def lock(self) -> Lock: ...

    @property
    def keeps_attached(self) -> bool:
        """Whether it may stay attached while others hold the lock. A file may not: DuckDB locks it while it is open."""

    @property
    def batch_rows(self) -> int:
        """How many rows a transaction should write, as far as they are read close together. 1: each answer by itself."""

    def exists(self) -> bool: ...

    def explain(self, error: str) -> str | None:
        """DuckDB's error in using it as a sentence, where it is not one of those that a local file has."""

    def leases(self) -> Leases:
        """The leases of a new run."""

    def create(
        self, connection: duckdb.DuckDBPyConnection, make_tables: Callable[[duckdb.DuckDBPyConnection], None]
    ) -> None:
        """Make it with its tables, wholly or not at all, and leave it detached."""

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach it as ``CATALOG`` and make it the default catalog."""

    def detach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Undo ``attach``."""

    def snapshot(self, connection: duckdb.DuckDBPyConnection | None) -> Snapshot:
        """The state that the connection's transaction sees; None: the last one, which is good as long as it is locked."""

    def maintain(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep it small and fast, outside a transaction; does nothing where that needs no care."""
