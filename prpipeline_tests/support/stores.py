"""The store that the tests' warehouses are on: a file, or with PRPIPELINE_TEST_STORE=lake a lake of one machine.

``prpipeline_tests/warehouse/test_both_stores.py`` runs tests again so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import duckdb

from prpipeline.settings import WarehousePlace, place_of
from prpipeline.warehouse import Warehouse, jira_projects
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.stores import open_store
from prpipeline_tests.support.folders import lasting_folder

IS_LAKE = os.environ.get("PRPIPELINE_TEST_STORE") == "lake"


def variables(folder: Path) -> dict[str, str]:
    """The environment that leads to a folder's warehouse; none for a file, which is at its usual place."""
    if not IS_LAKE:
        return {}
    return {
        "PRPIPELINE_WAREHOUSE": f"ducklake:duckdb:{folder / 'catalog.ducklake'}",
        "PRPIPELINE_LAKE_DATA": str(folder / "lake"),
    }


def place(folder: Path) -> WarehousePlace:
    given = variables(folder)
    return place_of(given.get("PRPIPELINE_WAREHOUSE", ""), given.get("PRPIPELINE_LAKE_DATA", ""), folder)


def open_warehouse(folder: Path) -> Warehouse:
    """The folder's warehouse, as it is."""
    return Warehouse(open_store(place(folder), folder))


def new_warehouse(folder: Path, *, with_jira: bool = False) -> Warehouse:
    """The folder's warehouse, created without rows if there is none; with the tables of Jira, too."""
    warehouse = open_warehouse(folder)
    if not warehouse.exists():
        copy_warehouse(_empty(with_jira), folder)
    return warehouse


def copy_warehouse(source: Path, folder: Path) -> None:
    """Copy the warehouse of a folder, which must not be attached, into another one that has none."""
    folder.mkdir(parents=True, exist_ok=True)
    if not IS_LAKE:
        if (source / "warehouse.duckdb.wal").exists():  # of one that was kept attached: see keep_attached
            with duckdb.connect(str(source / "warehouse.duckdb")) as connection:
                connection.execute("CHECKPOINT")
        shutil.copyfile(source / "warehouse.duckdb", folder / "warehouse.duckdb")
        return
    shutil.copytree(source / "lake", folder / "lake")
    shutil.copyfile(source / "catalog.ducklake", catalog := folder / "catalog.ducklake")
    with duckdb.connect(str(catalog)) as connection:  # where its data are is in it
        connection.execute(
            "UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path'", [f"{folder / 'lake'}/"]
        )


@cache
def _empty(with_jira: bool = False) -> Path:
    """The folder of one. Created once, because creating the tables takes longer than most tests."""
    folder = lasting_folder()
    with open_warehouse(folder).transaction() as connection:
        if with_jira:
            jira_projects.follow(connection, ["ABC"], utc_now())
            connection.execute("DELETE FROM meta.jira_projects")
    return folder


def connected(folder: Path, name: str) -> duckdb.DuckDBPyConnection:
    """A connection to an empty warehouse, which is its default database, under a name."""
    if not IS_LAKE:
        shutil.copyfile(_empty() / "warehouse.duckdb", folder / f"{name}.duckdb")
        return duckdb.connect(str(folder / f"{name}.duckdb"))
    warehouse = new_warehouse(folder)
    connection = duckdb.connect()
    warehouse.store.prepare(connection)  # type: ignore[attr-defined]
    catalog, data = folder / "catalog.ducklake", folder / "lake"
    connection.execute(
        f"ATTACH 'ducklake:{catalog}' AS {name} (DATA_PATH '{data}/', DATA_INLINING_ROW_LIMIT 100)"
    )
    connection.execute(f"USE {name}")
    return connection


_SESSIONS: list[tuple[ExitStack, list[Warehouse]]] = []


@contextmanager
def attached() -> Iterator[None]:
    """The labs' warehouses that are made in the block stay attached to its end: most of a small test is opening them.

    For tests in which nothing else opens the file.
    """
    with ExitStack() as stack:
        entry: tuple[ExitStack, list[Warehouse]] = (stack, [])
        _SESSIONS.append(entry)
        try:
            yield
        finally:
            _SESSIONS.remove(entry)


@contextmanager
def written() -> Iterator[None]:
    """The labs' warehouses that are made in the block are in their files at its end, to be copied, even within ``attached``."""
    outer = _SESSIONS[:]
    _SESSIONS.clear()
    try:
        yield
    finally:
        _SESSIONS[:] = outer


def keep_attached(warehouse: Warehouse) -> None:
    """To the end of the block of ``attached`` in which this is, if any."""
    for stack, warehouses in _SESSIONS[-1:]:
        for earlier in warehouses:
            if earlier.store.where == warehouse.store.where:
                with earlier.exclusive():
                    pass  # its session lets go of the store, for which the new one would wait
        warehouses.append(warehouse)
        stack.enter_context(warehouse.session())
        with warehouse.transaction() as connection:  # nobody reads the file afterwards
            connection.execute("PRAGMA disable_checkpoint_on_shutdown")
