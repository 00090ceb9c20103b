"""The command line with a local GitHub and a local Jira."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline.sandbox.jira import JiraSandbox, World
from prpipeline_tests.support import stores
from prpipeline_tests.support.jira_lab import small_world
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import quiet_world as github_world


@pytest.fixture(autouse=True)
def attached() -> Iterator[None]:
    with stores.attached():
        yield


@pytest.fixture(scope="module")
def github() -> Iterator[Sandbox]:
    with Sandbox(github_world(3)) as server:
        yield server


@pytest.fixture
def world() -> World:
    return small_world()[0]


@pytest.fixture
def jira(world: World) -> Iterator[JiraSandbox]:
    with JiraSandbox(world) as server:
        yield server


@pytest.fixture
def shell(tmp_path: Path, github: Sandbox, jira: JiraSandbox) -> Shell:
    select(tmp_path, "[ABC]")
    environment = {
        "GITHUB_API_URL": github.url,
        "GITHUB_TOKEN": "sandbox-token",
        "PRPIPELINE_DATA_DIR": str(tmp_path / "data"),
        "PRPIPELINE_REPOSITORIES": str(tmp_path / "repositories.yaml"),
    }
    return Shell(tmp_path, environment | jira.environment)


def select(folder: Path, projects: str, more: str = "") -> None:
    """Write the repositories file."""
    (folder / "repositories.yaml").write_text(
        f"sync: {{attempts: 1}}\njira: {{projects: {projects}{more}}}\n", encoding="utf-8"
    )
