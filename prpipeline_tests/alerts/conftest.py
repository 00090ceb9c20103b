"""The command line with a local GitHub and a local receiver of alerts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline.sandbox.github import Sandbox, World
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.receiver import AlertReceiver
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import TOKEN, quiet_world

SECRET = "T0SECRETKEY99"
TARGET = "json://${PLACE}/${HOOK}"


@dataclass
class AlertLab:
    """What a test of alerts works with."""

    shell: Shell
    server: Sandbox
    receiver: AlertReceiver

    @property
    def file(self) -> Path:
        return Path(self.shell.environment["PRPIPELINE_REPOSITORIES"])

    def configure(self, alerts: str, repositories: str = "[octo/app, octo/lib]", more: str = "") -> None:
        """Write the repositories file."""
        self.file.write_text(
            f"sync: {{attempts: 1}}\nrepositories: {repositories}\nalerts: {alerts}\n{more}\n"
        )

    def sync(self, *names: str) -> list[dict[str, Any]]:
        """Sync, and return what the receiver got by it."""
        self.shell.run("sync", *names)
        return self.receiver.take()

    def read_and_tell(self) -> list[dict[str, Any]]:
        """Read GitHub and Jira as ``sync`` does, in a tenth of its time: nothing is published. What the receiver got."""
        self.shell.try_to_read()
        pipeline = self.shell.pipeline()
        if pipeline.settings.uses_jira:
            list(pipeline.sync_jira(SyncOptions()))
        self.shell.run("alerts")
        return self.receiver.take()

    @contextmanager
    def warehouse(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(str(self.shell.data / "warehouse.duckdb")) as connection:
            yield connection


@pytest.fixture
def world() -> World:
    return quiet_world(pull_requests=5, repositories=("octo/app", "octo/lib"))


@pytest.fixture
def lab(world: World, tmp_path: Path) -> Iterator[AlertLab]:
    with running(world, tmp_path) as lab:
        yield lab


@contextmanager
def running(world: World, folder: Path) -> Iterator[AlertLab]:
    """With an empty data folder, and one target."""
    with Sandbox(world) as server, AlertReceiver() as receiver:
        shell = Shell(
            folder,
            {
                "GITHUB_API_URL": server.url,
                "GITHUB_TOKEN": TOKEN,
                "PRPIPELINE_DATA_DIR": str(folder / "data"),
                "PRPIPELINE_REPOSITORIES": str(folder / "repositories.yaml"),
                "PLACE": receiver.place,
                "HOOK": SECRET,
            },
        )
        lab = AlertLab(shell, server, receiver)
        lab.configure(f"{{targets: {{ops: '{TARGET}'}}}}")
        yield lab
