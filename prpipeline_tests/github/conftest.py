"""A sandbox with a few pull requests; files that need another world make their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prpipeline.sandbox.github import Sandbox, World
from prpipeline_tests.support import stores
from prpipeline_tests.support.sync_lab import small_world


@pytest.fixture(autouse=True)
def attached() -> Iterator[None]:
    with stores.attached():
        yield


@pytest.fixture
def world() -> World:
    return small_world(4)


@pytest.fixture
def server(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as server:
        yield server
