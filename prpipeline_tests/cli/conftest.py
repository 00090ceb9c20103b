"""The command line as people and scripts meet it, against a sandbox."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Sandbox, World
from prpipeline_tests.support.folders import shared_folder
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import TOKEN, quiet_world


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(new_world()) as server:
        yield server


def new_world() -> World:
    return quiet_world(repositories=("octo/app", "octo/lib"))


@pytest.fixture
def shell(server: Sandbox, tmp_path: Path) -> Shell:
    return shell_in(tmp_path, server)


@pytest.fixture
def synced(shell: Shell) -> Shell:
    """After ``sync octo/app octo/lib``, which takes longer than what most tests do with its data."""
    shell.go_on_from(synced_data())
    return shell


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """The same data for tests that only look at what is published; there is no GitHub."""
    shell = Shell(
        folder := tmp_path_factory.mktemp("looked_at"), {"PRPIPELINE_DATA_DIR": str(folder / "data")}
    )
    shutil.copytree(synced_data(), shell.data, symlinks=True)
    return shell


def synced_data() -> Path:
    return shared_folder("synced", _sync) / "data"


def _sync(folder: Path) -> None:
    with Sandbox(new_world()) as server:
        ended = shell_in(folder, server).run("sync", "octo/app", "octo/lib")
        assert ended.returncode == 0, ended.stderr


def shell_in(folder: Path, server: Sandbox) -> Shell:
    impatient = folder / "impatient.yaml"
    impatient.write_text("sync:\n  attempts: 2\n")
    return Shell(
        folder,
        {
            "GITHUB_API_URL": server.url,
            "GITHUB_TOKEN": TOKEN,
            "PRPIPELINE_DATA_DIR": str(folder / "data"),
            "DAGSTER_HOME": str(folder / "dagster"),
            "PRPIPELINE_REPOSITORIES": str(impatient),
            "COLUMNS": "160",
        },
    )
