"""BI clients with a published file for them, and a browser to look at Dagster's UI with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.sandbox.github import World, sample_world
from prpipeline_tests.support import bi_sandbox
from prpipeline_tests.support.bi_environments import Environment, environments

if TYPE_CHECKING:
    from playwright.sync_api import Page

QUESTIONS = Path(__file__).parents[2] / "docs" / "questions"


@pytest.fixture(scope="module")
def clients() -> dict[str, Environment]:
    return environments()


@dataclass(frozen=True, slots=True)
class Published:
    """The sample repositories on a server, and a folder with what was published of them."""

    folder: Path
    world: World
    pipeline: Pipeline

    def publish_again(self) -> None:
        """Sync what changed in the world, and publish it."""
        bi_sandbox.run(self.pipeline, bi_sandbox.names(self.world))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "data").mkdir()
    shutil.copytree(QUESTIONS, folder / "docs" / "questions")
    world = sample_world()
    with bi_sandbox.pipeline_of(world, folder / "data") as pipeline:
        published = Published(folder, world, pipeline)
        published.publish_again()
        yield published


@pytest.fixture(scope="module")
def checkout(published: Published) -> Path:
    """A folder with data/published/prpipeline.duckdb of the sample repositories: the path that the recipes use."""
    return published.folder


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One page for all tests of a file."""
    from prpipeline_tests.support import dagster_browser

    with dagster_browser.page(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture
def screenshot(page: Page, request: pytest.FixtureRequest) -> Iterator[None]:
    """The last page of each test, where PRPIPELINE_SCREENSHOTS names a folder to look at them."""
    yield
    if folder := os.environ.get("PRPIPELINE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{request.node.name}.png")
