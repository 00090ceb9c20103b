"""A small world behind a server, and somebody who asks it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.sandbox.github import ManualClock, Sandbox, World
from prpipeline_tests.support.github_client import Client


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def world(clock: ManualClock) -> World:
    world = World(clock)
    repository = world.add_repository("octo/app")
    for number in range(7):
        clock.advance(timedelta(minutes=1))
        pull_request = world.open_pull_request(repository, "ada", f"Change {number + 1}")
        world.review(pull_request, "grace", "COMMENTED")
        world.review(pull_request, "robot[bot]", "APPROVED")
    return world


@pytest.fixture
def server(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as server:
        yield server


@pytest.fixture
def client(server: Sandbox) -> Client:
    return Client(server)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Recordings and GitHub's own schema, which are no part of the project."""
    default = Path(__file__).parents[3] / "shared"
    folder = Path(os.environ.get("PRPIPELINE_SHARED") or default)
    if not (folder / "data").is_dir():
        pytest.skip("no recordings here: set PRPIPELINE_SHARED to the folder that holds data/")
    return folder
