"""The file of a release: written whole, or from the last release's where little has changed since.

Writing a gigabyte whole takes a minute, copying it a second. Folders, links and readers are publish.py's.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from prpipeline.publish import dictionary, release_changes, release_contents, release_tables
from prpipeline.publish.release_contents import Contents
from prpipeline.warehouse.database import quoted

log = logging.getLogger("prpipeline")

FILE_NAME = "prpipeline.duckdb"

_LARGEST_CHANGE = 1 / 3
_LARGEST_GROWTH = 1.5
_LEAST_GROWTH_BYTES = 4 << 20  # a table that is made anew takes blocks of 256 KB, whatever it holds


class _UnlikeError(Exception):
    """The last release is not one to build upon."""


@dataclass(frozen=True, slots=True)
class WrittenRelease:
    """How many rows each table has, and whether all were written, or the last release's taken over."""

    rows: dict[str, int]
    is_whole: bool


def write_release(
    warehouse: Path, folder: Path, last: Path | None, values: Mapping[str, Any]
) -> WrittenRelease:
    """Make the file in the folder. The closed warehouse is only read.

    ``last`` is the folder of the last release, if what it has may be used. ``values`` are bound to the queries of
    published/. Raises duckdb.Error, OSError.
    """
    target = folder / FILE_NAME
    known = release_contents.read(last) if last else None
    if last and known:
        try:
            return WrittenRelease(
                _write_changes(warehouse, last / FILE_NAME, known, target, values), is_whole=False
            )
        except _UnlikeError as reason:
            log.info("This release is written whole: %s", reason)
        except duckdb.Error as error:
            log.warning(
                "The last release cannot be built upon (%s); written whole.", str(error).splitlines()[0]
            )
        for file in folder.iterdir():
            file.unlink()
    return WrittenRelease(_write_whole(warehouse, target, values), is_whole=True)


def _write_whole(warehouse: Path, target: Path, values: Mapping[str, Any]) -> dict[str, int]:
    with release_tables.opened(target, warehouse) as connection:
        connection.execute("BEGIN")  # else each table and each comment went to the disk by itself
        for table in sorted(dictionary.load().tables, key=release_tables.is_view):  # views after all tables
            release_tables.create(connection, table, values)
        connection.execute("COMMIT")
        rows = release_tables.count(connection)
        layout, states = release_contents.layout(connection), release_contents.states(connection)
        connection.execute("DETACH warehouse")
        connection.execute("CHECKPOINT")
    release_contents.write(target.parent, Contents(layout, states, target.stat().st_size))
    return rows


def _write_changes(
    warehouse: Path, last: Path, known: Contents, target: Path, values: Mapping[str, Any]
) -> dict[str, int]:
    if last.stat().st_size > known.bytes_when_whole * _LARGEST_GROWTH + _LEAST_GROWTH_BYTES:
        raise _UnlikeError("changes have made the last one half as large again.")
    # One computes, the other waits for the disk.
    memory = release_tables.opened(target, warehouse, in_memory=True)
    with ThreadPoolExecutor(1) as beside, memory as connection:
        copying = beside.submit(_copy, last, target)
        flushing = beside.submit(_to_disk, target)
        layout, states = release_contents.layout(connection), release_contents.states(connection)
        if layout != known.layout:
            raise _UnlikeError("the last one was laid out otherwise.")
        connection.execute(f"ATTACH '{quoted(last)}' AS last (READ_ONLY)")
        if release_changes.find(connection, known.differing(states)) > _LARGEST_CHANGE:
            raise _UnlikeError("much has changed since the last one.")
        connection.execute("DETACH last")
        release_changes.cut(connection)
        copying.result()
        connection.execute(f"ATTACH '{quoted(target)}' AS release")
        connection.execute("USE release")
        connection.execute("BEGIN")
        release_changes.bring_up_to_date(connection, "memory", values)
        rows = release_tables.count(connection)
        connection.execute("COMMIT")
        connection.execute("USE memory")
        connection.execute("DETACH release")
        flushing.result()  # a disk tells of an error only once
    release_contents.write(target.parent, Contents(layout, states, known.bytes_when_whole))
    return rows


def _copy(source: Path, target: Path) -> None:
    """Inside the kernel where it can, which on some file systems copies nothing at all until it changes."""
    with source.open("rb") as original, target.open("wb") as copy:
        left = os.fstat(original.fileno()).st_size
        try:
            while left > 0:
                copied = os.copy_file_range(original.fileno(), copy.fileno(), left)
                if not copied:
                    raise OSError("the kernel copied nothing")
                left -= copied
        except (AttributeError, OSError):  # not on this system, or not on this file system
            original.seek(0)
            copy.seek(0)
            shutil.copyfileobj(original, copy, 1 << 20)


def _to_disk(file: Path) -> None:
    """So that the disk works while others compute; whoever shows the file makes sure of it once more."""
    with file.open("rb") as written:
        os.fsync(written.fileno())
