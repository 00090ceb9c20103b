"""Fetching what another machine published: the release that its pointer names, shown as a publication here is.

Readers are undisturbed: a release is shown when all of it is here and is what the pointer says, and stays for a while
after the next one.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock

from prpipeline.publish.bucket import Bucket
from prpipeline.publish.https import Website
from prpipeline.publish.release_folder import (
    FILE_NAME,
    LINK_NAME,
    UNFINISHED,
    clean,
    remove_leftovers,
    show,
    sync_to_disk,
)
from prpipeline.publish.remote import POINTER, Missing, Pointer, RemoteError, RemoteFile, read_pointer
from prpipeline.settings import BucketPlace


class Remote(Protocol):
    """Where releases are fetched from."""

    @property
    def where(self) -> str:
        """What to call it; no secret."""

    def read(self, key: str) -> bytes:
        """A small file. Raises RemoteError."""

    def download(self, key: str, path: Path) -> None:
        """A file. Raises RemoteError."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """``path``: the published file, through the link. ``size`` in bytes, of all files of the release."""

    release: str
    path: Path
    size: int
    is_new: bool  # False: it was shown already


def open_remote(place: BucketPlace | str) -> Remote:
    """Of a bucket, or of an address of the web. Raises RemoteError."""
    return Website(place) if isinstance(place, str) else Bucket(place)


def pull(remote: Remote, data: Path) -> Pulled:
    """Show in ``data`` the release that the pointer names. Raises RemoteError; then the last one stays.

    One process at a time. What a killed one has downloaded whole is not downloaded again.
    """
    releases = data / "releases"
    try:
        releases.mkdir(parents=True, exist_ok=True)
        with FileLock(releases / ".pull.lock"):
            return _pull(remote, data, releases)
    except OSError as error:
        raise RemoteError(
            f"Nothing new is shown: {releases} cannot be written to ({error.strerror or error}); the last release stays."
        ) from None


def _pull(remote: Remote, data: Path, releases: Path) -> Pulled:
    pointer = _pointer(remote)
    try:
        folder, is_new = _fetched(remote, pointer, releases)
    except RemoteError:
        # The release may have been replaced, and removed, while it was downloaded.
        newer = _pointer(remote)
        if newer == pointer:
            raise
        pointer = newer
        folder, is_new = _fetched(remote, pointer, releases)
    link = data / LINK_NAME
    is_shown = link.is_symlink() and link.resolve() == folder.resolve()
    if not is_shown and (is_new or link.is_symlink() or not link.exists()):
        show(link, folder)
        clean(releases, folder, all_others=False)
        is_new = True
    return Pulled(pointer.release, link / FILE_NAME, pointer.size, is_new)


def _pointer(remote: Remote) -> Pointer:
    try:
        pointer = read_pointer(remote.read(POINTER), remote.where)
    except Missing:
        raise RemoteError(
            f"Nothing is published at {remote.where} ({POINTER} is missing there); see PRPIPELINE_PUBLISH_TO where it is "
            "published."
        ) from None
    if FILE_NAME not in {file.name for file in pointer.files}:
        raise RemoteError(f"{remote.where}/{POINTER} names no {FILE_NAME}.")
    return pointer


def _fetched(remote: Remote, pointer: Pointer, releases: Path) -> tuple[Path, bool]:
    """The folder of the release, whole and verified; whether it had to be fetched."""
    folder = releases / pointer.release
    if folder.is_dir() and all((folder / file.name).is_file() for file in pointer.files):
        return folder, False
    unfinished = releases / f"{UNFINISHED}{pointer.release}"
    remove_leftovers(releases, but=unfinished)
    unfinished.mkdir(exist_ok=True)
    for left in set(unfinished.iterdir()) - {unfinished / file.name for file in pointer.files}:
        left.unlink()  # a part of a download
    for file in pointer.files:
        if not file.is_at(unfinished / file.name):
            _download(remote, pointer, file, unfinished / file.name)
    sync_to_disk(*unfinished.iterdir(), unfinished)
    if folder.exists():  # somebody removed a part of it
        shutil.rmtree(folder)
    unfinished.rename(folder)
    sync_to_disk(releases)
    return folder, True


def _download(remote: Remote, pointer: Pointer, file: RemoteFile, path: Path) -> None:
    remote.download(pointer.key(file), path)
    if not file.is_at(path):
        path.unlink()
        raise RemoteError(
            f"{file.name} of release {pointer.release} at {remote.where} is not what its pointer says (size or SHA-256 "
            "differ); the last release stays."
        )
