"""The repository's ``deploy`` folder, and a Postgres of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline_tests.support import postgres
from prpipeline_tests.support.postgres import Postgres

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with postgres.running() as started:
        yield started


@pytest.fixture
def pg_environment(server: Postgres) -> dict[str, str]:
    """The variables of deploy/level-1/dagster.yaml, for an empty database."""
    return {
        "DAGSTER_PG_HOST": server.host,
        "DAGSTER_PG_PORT": str(server.port),
        "DAGSTER_PG_USER": server.user,
        "DAGSTER_PG_PASSWORD": "any/where@all",  # characters that an address has to escape
        "DAGSTER_PG_DB": server.new_database(),
    }
