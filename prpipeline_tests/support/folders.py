"""Temporary folders, and when they are removed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
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


@contextmanager
def folders_removed() -> Iterator[None]:
    """Remove the folders that were made in the block: those of all tests together fill the memory."""
    kept = len(_FOLDERS)
    yield
    for folder in _FOLDERS[kept:]:
        shutil.rmtree(folder, ignore_errors=True)
    del _FOLDERS[kept:]
