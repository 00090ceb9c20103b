"""A small world, its server, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

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
