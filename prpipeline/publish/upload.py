"""Publishing beyond the data folder: the release that is shown here is uploaded, then a pointer to it is flipped.

What was done, and what failed, is noted beside the releases, so that the next run makes it good.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

import msgspec
from filelock import FileLock

from prpipeline.publish.bucket import Bucket, StoredFile
from prpipeline.publish.release_folder import KEPT_RELEASES, LINK_NAME
from prpipeline.publish.remote import (
    POINTER,
    RELEASES,
    Missing,
    Pointer,
    RemoteError,
    pointer_to,
    read_pointer,
    write_pointer,
)
from prpipeline.settings import BucketPlace
from prpipeline.warehouse.database import utc_now

# Who read the pointer just before it moved may still be downloading what it named.
GRACE = timedelta(hours=1)


class Upload(msgspec.Struct, frozen=True):
    """``releases/.uploads.json``: how far publishing to a bucket has come. Times are UTC."""

    to: str
    release: str | None = None  # the last one that was uploaded
    at: datetime | None = None
    error: str | None = None  # why the newest one was not
    removes_others: bool = False  # rows were deleted on purpose: no older release may stay


class Uploads:
    """Uploads of a data folder to a bucket."""

    def __init__(self, data: Path, place: BucketPlace) -> None:
        self._link, self._releases, self._place = data / LINK_NAME, data / "releases", place
        self._file = self._releases / ".uploads.json"

    def last(self) -> Upload:
        """What is on record for this bucket."""
        try:
            found = msgspec.json.decode(self._file.read_bytes(), type=Upload)
        except (OSError, msgspec.MsgspecError):
            return Upload(str(self._place))
        return found if found.to == str(self._place) else Upload(str(self._place))

    def is_pending(self) -> bool:
        """Whether there is anything to upload or to make good."""
        shown, last = self._shown(), self.last()
        return shown is not None and (last.release != shown.name or bool(last.error) or last.removes_others)

    def remove_others(self) -> None:
        """Have the next upload remove all older releases."""
        self._releases.mkdir(parents=True, exist_ok=True)
        self._note(msgspec.structs.replace(self.last(), removes_others=True))

    def run(self) -> None:
        """Upload what is pending; one process at a time. Raises RemoteError, which is noted too."""
        with FileLock(self._releases / ".uploads.lock"):
            shown, last = self._shown(), self.last()
            if shown is None or not self.is_pending():
                return
            try:
                self._upload(shown, all_others=last.removes_others)
            except (RemoteError, OSError) as error:
                why = str(error) if isinstance(error, RemoteError) else f"{shown}: {error.strerror or error}."
                self._note(msgspec.structs.replace(last, error=why))
                raise RemoteError(why) from None
            self._note(Upload(str(self._place), shown.name, utc_now()))

    def _upload(self, shown: Path, *, all_others: bool) -> None:
        bucket, pointer = Bucket(self._place), pointer_to(shown)
        current = current_of(bucket)
        if current is None or current.release < pointer.release:
            for file in pointer.files:
                if not bucket.has(key := pointer.key(file), file):
                    bucket.upload(key, shown / file.name, file)
            current = current_of(bucket)  # another host may have been faster with a newer one
            if current is None or current.release < pointer.release:
                bucket.write(POINTER, write_pointer(pointer))
                current = pointer
        stored, now = bucket.list(RELEASES)
        for key in removable(stored, current.release, now, all_others=all_others):
            bucket.remove(key)

    def _shown(self) -> Path | None:
        """The folder of the release that is shown here; None where there is none, or where it is no link."""
        if not self._link.is_symlink():
            names = sorted(f for f in self._releases.glob("[0-9]*") if f.is_dir())
            return names[-1] if names else None
        return self._link.resolve() if self._link.is_dir() else None

    def _note(self, upload: Upload) -> None:
        fresh = self._file.with_suffix(".fresh")
        fresh.write_bytes(msgspec.json.encode(upload))
        fresh.replace(self._file)


def current_of(bucket: Bucket) -> Pointer | None:
    """The pointer; None in a bucket that has none yet. Raises RemoteError."""
    try:
        return read_pointer(bucket.read(POINTER), bucket.where)
    except Missing:
        return None


def removable(
    stored: Sequence[StoredFile], current: str, now: datetime, *, all_others: bool = False
) -> list[str]:
    """The keys of old releases that nobody can be fetching: not the one that is pointed at, nor a newer one, which
    somebody may be uploading; nor the newest few; nor one that was replaced within the last hour.
    """
    by_release = [
        (name, list(files))
        for name, files in groupby(sorted(stored, key=lambda each: each.key), lambda each: _release(each.key))
        if name <= current
    ]
    by_release.reverse()
    keys: list[str] = []
    for place, (name, files) in enumerate(by_release):
        if name == current:
            continue
        _, newer = by_release[place - 1] if place else ("", [])
        is_replaced = bool(newer) and now - max(each.modified_at for each in newer) > GRACE
        if all_others or (place >= KEPT_RELEASES and is_replaced):
            keys += [each.key for each in files]
    return keys


def _release(key: str) -> str:
    return key.removeprefix(RELEASES).partition("/")[0]
