"""Folders of killed test runs go, those of living ones stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from prpipeline_tests.support.leftovers import remove


def test_only_what_no_run_uses_is_removed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    runs = tmp_path / "pytest-of-somebody"
    for name, process, is_old in (
        ("pytest-0", ended.pid, False),  # killed
        ("pytest-1", os.getpid(), False),
        ("pytest-2", None, False),  # it has just begun, or has ended
        ("pytest-3", None, True),
        ("pytest-4", os.getpid(), True),  # locked before this process began, so by another of its number
    ):
        (folder := runs / name).mkdir(parents=True)
        (folder / "popen-gw0").mkdir()
        if process:
            (folder / ".lock").write_text(str(process))
        if is_old:
            os.utime(folder / ".lock" if process else folder, (1, 1))
    (runs / "pytest-current").symlink_to(runs / "pytest-1")
    assert [folder.name for folder in remove(tmp_path)] == ["pytest-0", "pytest-3", "pytest-4"]
    assert sorted(left.name for left in runs.iterdir()) == ["pytest-1", "pytest-2", "pytest-current"]
