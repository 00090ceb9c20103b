"""The command line with a local GitHub and a local Jira."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline.sandbox.github import World as GitHubWorld
from prpipeline.sandbox.jira import JiraSandbox, World
from prpipeline.sync import SyncOptions
from prpipeline_tests.support import stores, sync_lab
from prpipeline_tests.support.jira_lab import SITE, let_pass, small_world
from prpipeline_tests.support.shell import Shell


@pytest.fixture(autouse=True)
def attached() -> Iterator[None]:
    with stores.attached():
        yield


@pytest.fixture(scope="session")
def github() -> Iterator[Sandbox]:
    """For tests that change nothing in it."""
    with Sandbox(github_world()) as server:
        yield server


def github_world() -> GitHubWorld:
    """Its third pull request is about issues, and merged. A second sync has nothing new."""
    world = sync_lab.small_world(2)
    third = world.open_pull_request("octo/app", "ann", "ABC-2: mend it", head="abc-2-ABC-99-mend")
    world.review(third, "bob", "APPROVED")
    world.merge(third, "bob")
    sync_lab.let_pass(world, timedelta(hours=1))
    return world


@pytest.fixture
def world() -> World:
    return _world()


@pytest.fixture
def jira(world: World) -> Iterator[JiraSandbox]:
    with JiraSandbox(world, site=SITE) as server:
        yield server


@pytest.fixture
def shell(tmp_path: Path, github: Sandbox, jira: JiraSandbox) -> Shell:
    return new_shell(tmp_path, github, jira)


@dataclass
class FirstSync:
    """Of GitHub alone, then of both: what the latter said, and the data folder after it.

    ``age_before`` is what was published of the age of issues in between, when none was read.
    """

    age_before: Any
    said: Any
    data: Path


@pytest.fixture(scope="session")
def first_sync(github: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> FirstSync:
    with JiraSandbox(_world(), site=SITE) as jira:
        shell = new_shell(tmp_path_factory.mktemp("synced"), github, jira)
        ended = shell.run("sync", "octo/app", "--only", "github")
        assert ended.returncode == 0, ended.stderr
        age_before = age_of_issues(shell)
        ended = shell.run("sync", "--json")
        assert ended.returncode == 0, ended.stderr
        return FirstSync(age_before, json.loads(ended.stdout), shell.data)


def age_of_issues(shell: Shell) -> Any:
    """How many projects failed, and when the oldest of them was synced."""
    (found,) = shell.published("SELECT jira_projects_failed, oldest_jira_sync_at FROM pipeline_status")
    return found


@pytest.fixture
def synced(shell: Shell, first_sync: FirstSync) -> Shell:
    """After the first sync."""
    shutil.copytree(first_sync.data, shell.folder / "data", symlinks=True)
    return shell


def _world() -> World:
    """Whose second issue is done, and was so before."""
    world, _ = small_world()
    for status in ("10", "3", "10"):
        let_pass(world, hours=2)
        world.transition(world.issues[10_002], status)
    let_pass(world, hours=1)
    return world


def new_shell(folder: Path, github: Sandbox, jira: JiraSandbox) -> Shell:
    """Nothing is synced yet; one project is selected."""
    select(folder, "[ABC]")
    environment = {
        "GITHUB_API_URL": github.url,
        "GITHUB_TOKEN": "sandbox-token",
        "PRPIPELINE_DATA_DIR": str(folder / "data"),
        "PRPIPELINE_REPOSITORIES": str(folder / "repositories.yaml"),
    }
    return Shell(folder, environment | jira.environment)


def sync_by_steps(shell: Shell, *, publishes: bool = True) -> list[str]:
    """What ``sync octo/app`` does, but it publishes once or not at all instead of twice; what went wrong in Jira."""
    stores.new_warehouse(shell.folder / "data", with_jira=True)
    pipeline = shell.read("octo/app")
    with pipeline.warehouse.session():
        errors = [result.error for result in pipeline.sync_jira(SyncOptions()) if result.error]
        pipeline.aggregate()
        if publishes:
            pipeline.publish()
    return errors


def select(folder: Path, projects: str, more: str = "") -> None:
    """Write the repositories file."""
    (folder / "repositories.yaml").write_text(
        f"sync: {{attempts: 1}}\njira: {{projects: {projects}{more}}}\n", encoding="utf-8"
    )


@contextmanager
def logged() -> Iterator[StringIO]:
    """All that is logged in the block, of any level and library."""
    root, stream = logging.getLogger(), StringIO()
    handler, level = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
