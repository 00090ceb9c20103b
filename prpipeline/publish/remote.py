"""What a release looks like away from here: its pointer, the files that it names, and the errors of getting at them.

``releases/NAME/…`` hold the files of releases, which never change; ``current.json`` says which one counts, and one PUT flips it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from prpipeline.warehouse.errors import WarehouseError

POINTER = "current.json"
RELEASES = "releases/"
# No separator, and no dot at its start: what a pointer names stays in the folder of its release.
_NAME = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}$"


class RemoteError(WarehouseError):
    """A bucket or an address cannot be read or written; the message says which, without any secret."""


class Missing(RemoteError):
    """There is no such object."""


class RemoteFile(msgspec.Struct, frozen=True):
    """A file of a release: ``size`` in bytes, ``sha256`` in hexadecimal."""

    name: Annotated[str, Meta(pattern=_NAME)]
    size: Annotated[int, Meta(ge=0)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

    def is_at(self, path: Path) -> bool:
        """Whether a local file is this one."""
        return path.is_file() and path.stat().st_size == self.size and sha256_of(path) == self.sha256


class Pointer(msgspec.Struct, frozen=True):
    """``current.json``. ``release`` is a name that sorts by time; fields that are not known are left alone."""

    release: Annotated[str, Meta(pattern=_NAME)]
    files: Annotated[tuple[RemoteFile, ...], Meta(min_length=1)]

    def key(self, file: RemoteFile) -> str:
        return f"{RELEASES}{self.release}/{file.name}"

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file.size for file in self.files)


def pointer_to(folder: Path) -> Pointer:
    """The pointer to a release folder. Raises OSError."""
    files = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    return Pointer(folder.name, tuple(RemoteFile(f.name, f.stat().st_size, sha256_of(f)) for f in files))


def read_pointer(content: bytes, where: str) -> Pointer:
    """The pointer that ``where`` holds. Raises RemoteError."""
    try:
        return msgspec.json.decode(content, type=Pointer)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RemoteError(f"{where}/{POINTER} is not what prpipeline writes there ({error}).") from None


def write_pointer(pointer: Pointer) -> bytes:
    return msgspec.json.format(msgspec.json.encode(pointer)) + b"\n"


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
