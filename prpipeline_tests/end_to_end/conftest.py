"""Shared by the tests of the BI clients: the clients, and a published file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from prpipeline.sandbox.github import sample_world
from prpipeline_tests.support import bi_sandbox
from prpipeline_tests.support.bi_environments import Environment, environments

QUESTIONS = Path(__file__).parents[2] / "docs" / "questions"


@pytest.fixture(scope="module")
def clients() -> dict[str, Environment]:
    return environments()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data/published/prpipeline.duckdb of the sample repositories: the path that the recipes use."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "data").mkdir()
    world = sample_world()
    with bi_sandbox.pipeline_of(world, folder / "data") as pipeline:
        bi_sandbox.run(pipeline, bi_sandbox.names(world))
    shutil.copytree(QUESTIONS, folder / "docs" / "questions")
    return folder
