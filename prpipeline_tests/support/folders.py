"""Temporary folders, and when they are removed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

_FOLDERS: list[Path] = []


def new_folder() -> Path:
    """A temporary folder, for tests that need one for each example; it is removed after the test or its module."""
    _FOLDERS.append(lasting_folder())
    return _FOLDERS[-1]


def lasting_folder() -> Path:
    """A temporary folder for what is made once and used by many tests; pytest removes it."""
    return Path(tempfile.mkdtemp(prefix="prpipeline-"))


def shared_by_workers(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is made once for all of pytest-xdist's processes, by the first one that asks; tests copy it."""
    own = Path(tempfile.gettempdir())
    around = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made = around / f"shared-{name}"
    with FileLock(around / f"shared-{name}.lock"):
        if not made.exists():
            unfinished = lasting_folder()
            make(unfinished)
            unfinished.rename(made)
    return made


@contextmanager
def folders_removed() -> Iterator[None]:
    """Remove the folders that were made in the block: those of all tests together fill the memory."""
    kept = len(_FOLDERS)
    yield
    for folder in _FOLDERS[kept:]:
        shutil.rmtree(folder, ignore_errors=True)
    del _FOLDERS[kept:]
