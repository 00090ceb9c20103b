"""A lake's tests run where its DuckDB is: ``warehouse/test_both_stores.py`` starts them in an environment of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline.settings import place_of
from prpipeline.warehouse import Warehouse, extensions
from prpipeline.warehouse.stores import open_store
from prpipeline_tests.support import postgres
from prpipeline_tests.support.postgres import Postgres
from prpipeline_tests.support.sync_lab import SyncLab, small_world

REPOSITORIES = ("octo/app", "octo/lib", "octo/docs")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if extensions.packaged("ducklake") is None:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(
                    pytest.mark.skip(reason="no DuckLake here: test_both_stores.py runs these tests")
                )


@dataclass(frozen=True, slots=True)
class Lake:
    """A lake in a database of its own; ``variables`` lead to it."""

    server: Postgres
    database: str
    folder: Path

    @property
    def address(self) -> str:
        server = self.server
        return (
            f"ducklake:postgres:host={server.host} port={server.port} user={server.user} dbname={self.database} "
            "password=the-secret"
        )

    @property
    def variables(self) -> dict[str, str]:
        return {"PRPIPELINE_WAREHOUSE": self.address, "PRPIPELINE_LAKE_DATA": str(self.folder / "lake")}

    def open(self) -> Warehouse:
        place = place_of(self.address, str(self.folder / "lake"), self.folder)
        return Warehouse(open_store(place, self.folder))

    def sql(self, text: str) -> str:
        return self.server.run("psql", "-At", "-d", self.database, "-c", text)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with postgres.running() as started:
        yield started


@pytest.fixture
def lake(server: Postgres, tmp_path: Path) -> Lake:
    return Lake(server, server.new_database(), tmp_path)


@pytest.fixture
def lab(lake: Lake, tmp_path: Path) -> Iterator[SyncLab]:
    """Repositories on GitHub, tracked in the lake."""
    tokens = ["sandbox-token", "token-of-one", "token-of-two"]
    with Sandbox(small_world(30, REPOSITORIES), latency=0.03, tokens=tokens) as running:
        lab = SyncLab(running.world, running, tmp_path / "file")
        lab.warehouse = lake.open()
        lab.track(lab.names)
        yield lab
