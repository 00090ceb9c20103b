"""The file that people open: a release folder of its own for each publication, and a link to the newest.

Readers are never disturbed and never block: a release does not change once the link shows it.
"""

from __future__ import annotations

import logging
import os
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
from prpipeline.warehouse.database import Warehouse, WarehouseError, utc_now

log = logging.getLogger("prpipeline")

LINK_NAME = "published"
_KEPT_RELEASES = 3
_GRACE_SECONDS = 15 * 60  # a reader may have followed the link just before it moved


@dataclass(frozen=True, slots=True)
class Release:
    """A publication: where it is, how many rows each table has, and how it was written."""

    path: Path  # by the link, so that it stays true
    folder: Path
    published_at: datetime
    rows: dict[str, int]
    is_whole: bool  # or only what changed was written, on a copy of the last one
    size_bytes: int
    seconds: float


def publish(warehouse: Warehouse, *, is_only: bool = False, next_run_at: datetime | None = None) -> Release:
    """Copy the published tables into a new release and show it. Raises WarehouseError; the last release stays.

    With ``is_only`` no older release stays: for rows that were deleted on purpose. ``next_run_at`` (UTC) is told
    to readers.
    """
    started = time.monotonic()
    releases = warehouse.path.parent / "releases"
    with warehouse.transaction():
        pass  # creates or migrates the file, and leaves no .wal behind
    with warehouse.exclusive(), _explained(releases):
        releases.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(releases)
        published_at = utc_now()
        folder = _free_name(releases, published_at)
        unfinished = releases / f".unfinished-{folder.name}"
        unfinished.mkdir()
        try:
            values = {
                "published_at": published_at,
                "next_run_at": next_run_at,
                "version": __version__,
            }
            last = None if is_only else next(iter(_finished(releases)), None)
            written = write_release(warehouse.path, unfinished, last, values)
            _carry_over(warehouse.path.parent / LINK_NAME, unfinished)
            _sync_to_disk(unfinished / FILE_NAME, unfinished)
            unfinished.rename(folder)
            _sync_to_disk(releases)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        shown = _show(warehouse.path.parent / LINK_NAME, folder)
        _clean(releases, folder, all_others=is_only)
    return Release(
        path=shown,
        folder=folder,
        published_at=published_at,
        rows=written.rows,
        is_whole=written.is_whole,
        size_bytes=(folder / FILE_NAME).stat().st_size,
        seconds=round(time.monotonic() - started, 3),
    )


def _remove_leftovers(releases: Path) -> None:
    """Of a publication that was killed."""
    for folder in releases.glob(".unfinished-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for link in releases.parent.glob(f".{LINK_NAME}-*"):
        link.unlink()


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """The published file, read-only, unable to touch anything else on the machine. Raises WarehouseError."""
    if not path.exists():
        raise WarehouseError(f"{path} does not exist yet; run 'prpipeline sync' first.")
    try:
        return duckdb.connect(
            str(path),
            read_only=True,
            config={
                "enable_external_access": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "lock_configuration": "true",
            },
        )
    except duckdb.Error as error:
        raise WarehouseError(f"{path} cannot be opened: {str(error).splitlines()[0]}") from None


def _carry_over(link: Path, folder: Path) -> None:
    """What stands beside the published file, such as the report, stays there until it is made anew."""
    if link.is_dir():
        for file in link.iterdir():
            if file.is_file() and file.name != FILE_NAME and not file.name.startswith((FILE_NAME, ".")):
                shutil.copy2(file, folder / file.name)


def _show(link: Path, folder: Path) -> Path:
    """Point the link at the release in one step; where links are not to be had, replace the files."""
    if not link.is_dir() or link.is_symlink():
        fresh = link.with_name(f".{LINK_NAME}-{os.getpid()}")
        fresh.unlink(missing_ok=True)
        try:
            fresh.symlink_to(folder.relative_to(link.parent), target_is_directory=True)
        except (OSError, NotImplementedError):
            log.info("This file system has no links; readers that are open keep the last release.")
        else:
            os.replace(fresh, link)
            return link / FILE_NAME
    link.mkdir(exist_ok=True)
    for file in folder.iterdir():
        copy = link / f".{file.name}"
        shutil.copy2(file, copy)
        os.replace(copy, link / file.name)
    return link / FILE_NAME


def _clean(releases: Path, newest: Path, *, all_others: bool) -> None:
    now = time.time()
    finished = _finished(releases)
    for old in finished if all_others else finished[_KEPT_RELEASES:]:
        if old != newest and (all_others or now - old.stat().st_mtime > _GRACE_SECONDS):
            shutil.rmtree(old, ignore_errors=True)


def _finished(releases: Path) -> list[Path]:
    """The newest first."""
    return sorted((f for f in releases.iterdir() if f.is_dir() and not f.name.startswith(".")), reverse=True)


def _free_name(releases: Path, now: datetime) -> Path:
    """Named by the time, so that they sort."""
    stamp, taken = now.strftime("%Y%m%dT%H%M%S"), {folder.name for folder in releases.iterdir()}
    number = 0
    while (name := f"{stamp}-{number:04}") in taken:
        number += 1
    return releases / name


def _sync_to_disk(*paths: Path) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
