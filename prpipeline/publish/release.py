"""Publishing: each publication writes a new release folder, then a link is pointed at it.

A release never changes once the link points at it, so readers neither block anything nor see a half-written file.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from prpipeline.model.version import __version__
from prpipeline.publish.release_file import FILE_NAME, write_release
from prpipeline.publish.release_folder import (
    LINK_NAME,
    UNFINISHED,
    clean,
    finished,
    free_name,
    remove_leftovers,
    show,
    sync_to_disk,
)
from prpipeline.warehouse.database import Warehouse, WarehouseError, utc_now


@dataclass(frozen=True, slots=True)
class Release:
    """A finished publication."""

    path: Path  # through the link, so that it stays valid
    folder: Path
    published_at: datetime  # UTC
    rows: dict[str, int]  # the number of rows, by table
    is_whole: bool  # False: made from a copy of the last release
    size_bytes: int
    seconds: float


def publish(
    warehouse: Warehouse,
    *,
    is_only: bool = False,
    next_run_at: datetime | None = None,
    newest_delivery_at: datetime | None = None,
    median_delivery_seconds: float | None = None,
) -> Release:
    """Write the published tables into a new release and point the link at it.

    ``is_only`` removes all older releases, for rows that were deleted on purpose. ``next_run_at`` (UTC), and of webhooks
    the newest delivery and the median delay until its publication, are published in pipeline_status. Raises WarehouseError; then the last release stays.
    """
    started = time.monotonic()
    data = warehouse.store.folder
    releases = data / "releases"
    with warehouse.transaction():
        pass  # creates or migrates the file, and leaves no .wal behind
    with warehouse.frozen() as tables, _explained(releases):
        releases.mkdir(parents=True, exist_ok=True)
        remove_leftovers(releases)
        published_at = utc_now()
        folder = free_name(releases, published_at)
        unfinished = releases / f"{UNFINISHED}{folder.name}"
        unfinished.mkdir()
        try:
            values = {
                "published_at": published_at,
                "next_run_at": next_run_at,
                "newest_delivery_at": newest_delivery_at,
                "median_delivery_seconds": median_delivery_seconds,
                "version": __version__,
            }
            last = None if is_only else next(iter(finished(releases)), None)
            written = write_release(tables, unfinished, last, values)
            _carry_over(data / LINK_NAME, unfinished)
            sync_to_disk(unfinished / FILE_NAME, unfinished)
            unfinished.rename(folder)
            sync_to_disk(releases)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        shown = show(data / LINK_NAME, folder)
        clean(releases, folder, all_others=is_only)
    return Release(
        path=shown,
        folder=folder,
        published_at=published_at,
        rows=written.rows,
        is_whole=written.is_whole,
        size_bytes=(folder / FILE_NAME).stat().st_size,
        seconds=round(time.monotonic() - started, 3),
    )


def _carry_over(link: Path, folder: Path) -> None:
    """Copy other files beside the published one, such as the report: they stay until they are written again."""
    if link.is_dir():
        for file in link.iterdir():
            if file.is_file() and file.name != FILE_NAME and not file.name.startswith((FILE_NAME, ".")):
                shutil.copy2(file, folder / file.name)


@contextmanager
def _explained(releases: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WarehouseError(
            f"Nothing was published: {releases} cannot be written to ({error.strerror or error}); "
            "the last release stays."
        ) from None
    except duckdb.Error as error:
        raise WarehouseError(
            f"Nothing was published: {str(error).splitlines()[0]}. The last release stays."
        ) from None
