"""The command line as people and scripts meet it, against a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import TOKEN, small_world


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world(repositories=("octo/app", "octo/lib"))) as server:
        yield server


@pytest.fixture
def shell(server: Sandbox, tmp_path: Path) -> Shell:
    impatient = tmp_path / "impatient.yaml"
    impatient.write_text("sync:\n  attempts: 2\n")
    return Shell(
        tmp_path,
        {
            "GITHUB_API_URL": server.url,
            "GITHUB_TOKEN": TOKEN,
            "PRPIPELINE_DATA_DIR": str(tmp_path / "data"),
            "DAGSTER_HOME": str(tmp_path / "dagster"),
            "PRPIPELINE_REPOSITORIES": str(impatient),
            "COLUMNS": "160",
        },
    )
