"""Small and read-only disks, and programs that work on a warehouse."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: float) -> Iterator[Path]:
    """A disk of this size."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", _size(megabytes), "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def resize(folder: Path, megabytes: float) -> None:
    """Give a small disk another size."""
    _mount("-o", f"remount,{_size(megabytes)}", str(folder))


def fill(file: Path, room: int) -> None:
    """Leave so many bytes of the disk."""
    free = os.statvfs(file.parent).f_bavail * os.statvfs(file.parent).f_frsize
    with file.open("wb") as target:
        target.write(bytes(max(free - room, 0)))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A disk that is there to read only; a folder's permissions mean nothing to root."""
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,bind,ro", str(folder))
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _size(megabytes: float) -> str:
    return f"size={int(megabytes * 1024)}k"


def _mount(*arguments: str) -> None:
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no mount here: this needs Linux")
    if done.returncode:
        pytest.skip(f"may not mount: {done.stderr.strip()}; run as root")


@contextmanager
def program(text: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python program, once it has printed "ready"; it may wait for its standard input to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", text, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        assert process.stdout.readline().strip() == "ready"
        yield process
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()
