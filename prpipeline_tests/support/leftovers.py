"""Removes what killed test runs left behind: in memory, a few of them take all of it.

``python -m prpipeline_tests.support.leftovers [FOLDER]``: where pytest's temporary files are, by default the system's.
pytest itself takes a killed run's folder for that of a living one for three days.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

_DAY_SECONDS = 24 * 60 * 60
_DOUBT_SECONDS = 60 * 60  # clocks are set
_LOCK = ".lock"  # pytest's, with the number of its process; gone once a run has ended


def remove(root: Path) -> list[Path]:
    """Remove folders of runs whose process is gone, or without one for a day; never those of a living run."""
    removed = []
    for folder in sorted(root.glob("pytest-of-*/pytest-*")):
        is_ours = not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.getuid()
        if is_ours and _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
    return removed


def _is_left(folder: Path) -> bool:
    try:
        lock = folder / _LOCK
        process, locked_at = int(lock.read_text()), lock.stat().st_mtime
    except (OSError, ValueError):
        return time.time() - folder.stat().st_mtime > _DAY_SECONDS  # it has just begun, or has ended
    return not _runs(process, locked_at)


def _runs(process: int, since: float) -> bool:
    """Whether that process still runs, and is no later one of the same number. Where in doubt, it runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    started_at = _started_at(process)
    return started_at is None or started_at <= since + _DOUBT_SECONDS


def _started_at(process: int) -> float | None:
    """By the kernel's own record: the times of its folder in /proc are those of the last look at it."""
    try:
        ticks = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])
        booted = next(
            line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime")
        )
    except (OSError, StopIteration, ValueError, IndexError):
        return None
    return int(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    for gone in remove(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir())):
        sys.stdout.write(f"Removed what a killed test run left: {gone}\n")
