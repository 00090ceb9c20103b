"""The folders of releases and the link to the one that is shown: for who writes releases here, and who fetches them."""

from __future__ import annotations

import logging
import os
import shutil
import time
from datetime import datetime
from pathlib import Path

log = logging.getLogger("prpipeline")

FILE_NAME = "prpipeline.duckdb"
LINK_NAME = "published"
UNFINISHED = ".unfinished-"
KEPT_RELEASES = 3
_GRACE_SECONDS = 15 * 60  # a reader may have followed the link just before it moved


def remove_leftovers(releases: Path, but: Path | None = None) -> None:
    """Remove what a killed publication left behind."""
    for folder in releases.glob(f"{UNFINISHED}*"):
        if folder != but:
            shutil.rmtree(folder, ignore_errors=True)
    for link in releases.parent.glob(f".{LINK_NAME}-*"):
        link.unlink()


def show(link: Path, folder: Path) -> Path:
    """Point the link at the release atomically; on a file system without links, replace the files."""
    if not link.is_dir() or link.is_symlink():
        fresh = link.with_name(f".{LINK_NAME}-{os.getpid()}")
        fresh.unlink(missing_ok=True)
        try:
            fresh.symlink_to(folder.relative_to(link.parent), target_is_directory=True)
        except (OSError, NotImplementedError):
            log.info("This file system has no links; readers that have the file open keep the last release.")
        else:
            os.replace(fresh, link)
            return link / FILE_NAME
    link.mkdir(exist_ok=True)
    for file in folder.iterdir():
        copy = link / f".{file.name}"
        shutil.copy2(file, copy)
        os.replace(copy, link / file.name)
    return link / FILE_NAME


def clean(releases: Path, newest: Path, *, all_others: bool) -> None:
    """Remove old releases, but for those that a reader may have opened just now, or at once ``all_others``."""
    now = time.time()
    found = finished(releases)
    for old in found if all_others else found[KEPT_RELEASES:]:
        if old != newest and (all_others or now - old.stat().st_mtime > _GRACE_SECONDS):
            shutil.rmtree(old, ignore_errors=True)


def finished(releases: Path) -> list[Path]:
    """Release folders, newest first."""
    return sorted((f for f in releases.iterdir() if f.is_dir() and not f.name.startswith(".")), reverse=True)


def free_name(releases: Path, now: datetime) -> Path:
    """A folder name that sorts by time."""
    stamp, taken = now.strftime("%Y%m%dT%H%M%S"), {folder.name for folder in releases.iterdir()}
    number = 0
    while (name := f"{stamp}-{number:04}") in taken:
        number += 1
    return releases / name


def sync_to_disk(*paths: Path) -> None:
    """Wait until these files and folders would outlive a power cut."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
