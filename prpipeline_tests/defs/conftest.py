"""A warehouse in a folder of its own, a local GitHub, and a Dagster instance in memory: its files take half a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.sandbox.github import Sandbox, World, generated_world
from prpipeline.settings import Settings, load_settings
from prpipeline_tests.support.dagster_lab import DagsterLab
from prpipeline_tests.support.sync_lab import new_warehouse


@pytest.fixture
def world() -> World:
    return generated_world(repositories=4, pull_requests=6, reviews_per_pr=2)


@pytest.fixture
def github(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as server:
        yield server


@pytest.fixture
def settings(github: Sandbox, tmp_path: Path) -> Settings:
    return load_settings(
        {
            "GITHUB_API_URL": github.url,
            "GITHUB_TOKEN": "sandbox-token",
            "PRPIPELINE_DATA_DIR": str(tmp_path / "data"),
            "PRPIPELINE_REPOSITORIES": str(_empty(tmp_path / "repositories.yaml")),
        }
    )


@pytest.fixture
def lab(settings: Settings) -> Iterator[DagsterLab]:
    new_warehouse(settings.data_dir)
    with dg.DagsterInstance.ephemeral() as instance:
        yield DagsterLab(Pipeline(settings), instance)


def _empty(file: Path) -> Path:
    file.write_text("repositories: []\n", encoding="utf-8")
    return file
