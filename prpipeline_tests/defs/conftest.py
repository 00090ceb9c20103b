"""A warehouse in a folder of its own, a local GitHub, and a Dagster instance in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Sandbox, World
from prpipeline.settings import Settings
from prpipeline_tests.support.dagster_lab import DagsterLab, bulk_world, dagster_lab, lab_settings


@pytest.fixture
def world() -> World:
    return bulk_world()


@pytest.fixture
def github(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as server:
        yield server


@pytest.fixture
def settings(github: Sandbox, tmp_path: Path) -> Settings:
    return lab_settings(github, tmp_path)


@pytest.fixture
def lab(settings: Settings) -> Iterator[DagsterLab]:
    with dagster_lab(settings) as lab:
        yield lab
