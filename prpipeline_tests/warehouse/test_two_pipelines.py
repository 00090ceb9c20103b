"""Two syncs of overlapping repositories in one folder at the same time both succeed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.sync_lab import SyncLab, small_world

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

REPOSITORIES = ("octo/app", "octo/lib", "octo/docs")


def test_two_pipelines_on_one_folder(tmp_path: Path) -> None:
    with Sandbox(small_world(40, REPOSITORIES), latency=0.1) as server:
        lab = SyncLab(server.world, server, tmp_path / "data", page_size=5)
        (tmp_path / "repositories.yaml").write_text("sync: {page_size: 5}\nrepositories: []\n")
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "prpipeline", "sync", *names, "--json"],
                env={
                    "PATH": "/usr/bin:/bin",
                    "PYTHONPATH": ":".join(filter(None, sys.path)),
                    "GITHUB_API_URL": server.url,
                    "GITHUB_TOKEN": "sandbox-token",
                    "PRPIPELINE_DATA_DIR": str(tmp_path / "data"),
                    "PRPIPELINE_REPOSITORIES": str(tmp_path / "repositories.yaml"),
                    "DAGSTER_HOME": str(tmp_path / f"dagster-{number}"),  # so that only the folder is shared
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number, names in enumerate((REPOSITORIES[:2], REPOSITORIES[1:]))
        ]
        ended = [process.communicate(timeout=240) for process in started]
        assert [process.returncode for process in started] == [0, 0], ended
        lab.assert_equal()
        lab.assert_no_row_twice()
        lab.sync()
        lab.assert_equal()
    assert not list((tmp_path / "data" / "releases").glob(".*"))
