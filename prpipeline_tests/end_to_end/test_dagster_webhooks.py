"""Webhooks with everything real: a receiver, Dagster's daemon, and a GitHub that delivers when its data change."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from prpipeline.sandbox.github import Sandbox, World, generated_world
from prpipeline_tests.support.dagster_server import DagsterServer, wait_for
from prpipeline_tests.support.shell import Shell

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

NAME = "bulk/repository-1"
SECRET = "a-secret-of-the-test"


@pytest.fixture
def world() -> World:
    return generated_world(repositories=2, pull_requests=3, reviews_per_pr=2)


@pytest.fixture
def github(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as server:
        yield server


@pytest.fixture
def dagster(github: Sandbox, tmp_path: Path) -> Iterator[DagsterServer]:
    server = DagsterServer(tmp_path, github.url)
    server.repositories_file.write_text(f"repositories: [{NAME}]\n", encoding="utf-8")
    with server.running():
        yield server


@pytest.fixture
def receiver(dagster: DagsterServer) -> Iterator[str]:
    """Its address."""
    environment = {**Shell.kept(), **dagster.environment, "PRPIPELINE_WEBHOOK_SECRETS": SECRET}
    command = [sys.executable, "-m", "prpipeline", "webhooks", "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def test_what_changes_is_published_within_a_minute(
    dagster: DagsterServer, github: Sandbox, world: World, receiver: str
) -> None:
    published = Path(dagster.environment["PRPIPELINE_DATA_DIR"]) / "published" / "prpipeline.duckdb"
    wait_for("The history", lambda: NAME in dagster.partitions()["materialized"])
    wait_for("The publication", published.exists)
    dagster.wait_until_quiet()
    github.hooks.add("bulk", receiver, SECRET, ["*"], content_type="json")
    world.open_pull_request(NAME, "ada", "Told by a webhook")

    def shown() -> bool:
        with duckdb.connect(str(published), read_only=True) as connection:
            found = connection.execute("FROM pull_requests WHERE title = 'Told by a webhook'").fetchone()
        return found is not None

    wait_for("The delivery's publication", shown, 60)
    dagster.wait_until_quiet()
    (run,) = dagster.runs("deliveries")
    assert run["status"] == "SUCCESS"
    with duckdb.connect(str(published), read_only=True) as connection:
        (status,) = connection.execute("SELECT median_delivery_seconds FROM pipeline_status").fetchall()
    assert status[0] is None or status[0] < 60
