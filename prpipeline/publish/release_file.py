"""The file of a release: written whole, or made from a copy of the last one where little has changed.

Writing a gigabyte whole takes half a minute, copying it a second. Folders and links are in release.py.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from prpipeline.publish import dictionary, release_contents, release_sources, release_tables
from prpipeline.publish.release_changes import LARGEST_CHANGE, Changes
from prpipeline.publish.release_folder import FILE_NAME as FILE_NAME
from prpipeline.publish.release_tables import Tables
from prpipeline.warehouse.database import STORAGE_VERSION, quoted

log = logging.getLogger("prpipeline")


_LARGEST_GROWTH = 1.5
_LEAST_GROWTH_BYTES = 4 << 20  # every table that is created anew takes blocks of 256 KB


class _UnlikeError(Exception):
    """The last release is too different to start from; the message says why."""


@dataclass(frozen=True, slots=True)
class WrittenRelease:
    """The number of rows of each table, and whether all were written or some copied from the last release."""

    rows: dict[str, int]
    is_whole: bool


def write_release(
    warehouse: Tables, folder: Path, last: Path | None, values: Mapping[str, Any]
) -> WrittenRelease:
    """Write the file into the folder. The closed warehouse is only read.

    ``last`` is the folder of the last release, if it may be copied. ``values`` are bound to the queries in sql/.
    Raises duckdb.Error, OSError.
    """
    if last:
        try:
            return WrittenRelease(_write_changes(warehouse, last, folder, values), is_whole=False)
        except _UnlikeError as reason:
            log.info("This release is written whole: %s", reason)
        except duckdb.Error as error:
            log.warning("The last release cannot be copied (%s); written whole.", str(error).splitlines()[0])
        for file in folder.iterdir():
            file.unlink()
    return WrittenRelease(_write_whole(warehouse, folder, values), is_whole=True)


def _write_whole(warehouse: Tables, folder: Path, values: Mapping[str, Any]) -> dict[str, int]:
    target = folder / FILE_NAME
    with release_tables.opened(target, warehouse, in_memory=True) as connection:
        described = release_tables.described(connection)
        rows = write_tables(target, warehouse, values, described.tables)
        connection.execute(f"ATTACH '{quoted(folder / release_contents.FILE_NAME)}' AS contents")
        sources = release_sources.find(connection, described.tables, with_extract=False)
        connection.execute("BEGIN")
        release_contents.write(connection, described, sources, target.stat().st_size)
        connection.execute("COMMIT")
    return rows


def write_tables(
    target: Path, warehouse: Tables, values: Mapping[str, Any], tables: Sequence[dictionary.Table]
) -> dict[str, int]:
    """Write these tables and views alone, of the closed warehouse; returns the number of rows of each table."""
    in_order = sorted(tables, key=release_tables.is_view)  # views after all tables
    target.write_bytes(_without_rows(";".join(map(release_tables.empty, in_order))))
    with release_tables.opened(target, warehouse) as connection:
        connection.execute("BEGIN")  # one write to the disk instead of one a statement
        for table in in_order:
            release_tables.fill(connection, table, values, tables)
        connection.execute("COMMIT")
        rows = release_tables.count(connection, tables)
        connection.execute("CHECKPOINT")
    return rows


@lru_cache(maxsize=2)
def _without_rows(statements: str) -> bytes:
    """The file that these statements make. Kept, as the comments of 500 columns take as long as the rows of a small warehouse."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / FILE_NAME
        with duckdb.connect(
            str(file), config={"storage_compatibility_version": STORAGE_VERSION}
        ) as connection:
            connection.execute(f"BEGIN;{statements};COMMIT;CHECKPOINT")
        return file.read_bytes()


def _write_changes(warehouse: Tables, last: Path, folder: Path, values: Mapping[str, Any]) -> dict[str, int]:
    target, contents = folder / FILE_NAME, folder / release_contents.FILE_NAME
    if not (last / contents.name).exists():
        raise _UnlikeError("there is no record of what the last one was made from.")
    shutil.copyfile(last / contents.name, contents)
    # Computing and waiting for the disk overlap.
    memory = release_tables.opened(target, warehouse, in_memory=True)
    with ThreadPoolExecutor(1) as beside, memory as connection:
        connection.execute(f"ATTACH '{quoted(contents)}' AS contents")
        described = release_tables.described(connection)
        sources = release_sources.find(connection, described.tables)
        layout, bytes_when_whole = connection.execute("FROM contents.release").fetchone() or ("", 0)
        if layout != release_contents.layout(connection, described, sources):
            raise _UnlikeError("the tables were defined differently.")
        if (last / FILE_NAME).stat().st_size > bytes_when_whole * _LARGEST_GROWTH + _LEAST_GROWTH_BYTES:
            raise _UnlikeError("changes have made the last one half as large again.")
        copying = beside.submit(shutil.copyfile, last / FILE_NAME, target)
        flushing = beside.submit(_to_disk, target)
        connection.execute("BEGIN")
        changes = Changes(connection, described.tables, sources)
        connection.execute("COMMIT")
        if changes.share > LARGEST_CHANGE:
            raise _UnlikeError("much has changed since the last one.")
        changes.fill_extract()
        copying.result()
        connection.execute(f"ATTACH '{quoted(target)}' AS release")
        connection.execute("USE release")
        connection.execute("BEGIN")
        changes.apply(values)
        rows = release_tables.count(connection, described.tables)
        connection.execute("COMMIT")
        connection.execute("USE memory")
        connection.execute("DETACH release")
        flushing.result()  # the system reports a disk's error only once
    return rows


def _to_disk(file: Path) -> None:
    """Start early, so that the disk works while others compute; release.py flushes once more at the end."""
    with file.open("rb") as written:
        os.fsync(written.fileno())
