"""Temporary folders, and when they are removed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDERS: list[Path] = []


def new_folder() -> Path:
    """A temporary folder, for tests that need one for each example; it is removed after the test or its module."""
    _FOLDERS.append(lasting_folder())
    return _FOLDERS[-1]


def lasting_folder() -> Path:
    """A temporary folder for what is made once and used by many tests; pytest removes it."""
    return Path(tempfile.mkdtemp(prefix="prpipeline-"))


def shared_folder(name: str, fill: Callable[[Path], object]) -> Path:
    """A lasting folder for all processes of this run of the tests, filled by the first that asks for it; to be copied."""
    own = Path(tempfile.gettempdir())
    of_run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, unfinished = of_run / name, of_run / f"{name}.unfinished"
    with (of_run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            fill(unfinished)
            unfinished.rename(folder)
    return folder


@contextmanager
def folders_removed() -> Iterator[None]:
    """Remove the folders that were made in the block: those of all tests together fill the memory."""
    kept = len(_FOLDERS)
    yield
    for folder in _FOLDERS[kept:]:
        shutil.rmtree(folder, ignore_errors=True)
    del _FOLDERS[kept:]
