"""Level 1: Dagster's records in Postgres, by the dagster.yaml that is ready in deploy/."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from prpipeline.sandbox.github import Sandbox, generated_world
from prpipeline_tests.deploy.conftest import DEPLOY
from prpipeline_tests.support.dagster_server import DagsterServer, free_port, wait_for
from prpipeline_tests.support.postgres import Postgres
from prpipeline_tests.support.shell import Shell

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

ONE, TWO = "bulk/repository-1", "bulk/repository-2"


@pytest.fixture
def github() -> Iterator[Sandbox]:
    with Sandbox(generated_world(repositories=2, pull_requests=3, reviews_per_pr=2)) as running:
        yield running


@pytest.fixture
def dagster(github: Sandbox, pg_environment: dict[str, str], tmp_path: Path) -> DagsterServer:
    dagster = DagsterServer(tmp_path, github.url)
    dagster.repositories_file.write_text("repositories: []\n", encoding="utf-8")
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(DEPLOY / "level-1" / "dagster.yaml", home)
    dagster.environment |= pg_environment
    return dagster


def test_webserver_daemon_runs_and_the_command_line_work_on_postgres(
    dagster: DagsterServer, server: Postgres, pg_environment: dict[str, str]
) -> None:
    with dagster.running():
        dagster.add_partition(ONE)
        wait_for("The history", lambda: ONE in dagster.partitions()["materialized"])
        # Another process, which knows nothing of Dagster: a sensor reports what it did.
        subprocess.run(
            [sys.executable, "-m", "prpipeline", "sync", TWO],
            env=dagster.environment,
            check=True,
            capture_output=True,
        )
        wait_for("The report", lambda: TWO in dagster.partitions()["materialized"])
        dagster.wait_until_quiet()
        assert dagster.partitions() == {"all": [ONE, TWO], "materialized": [ONE, TWO], "failed": []}
        runs = dagster.runs()
        assert {run["status"] for run in runs} == {"SUCCESS"}
    counted = server.run(
        "psql", "-At", "-d", pg_environment["DAGSTER_PG_DB"], "-c", "SELECT count(*) FROM runs"
    )
    assert int(counted) == len(runs) > 0, "the runs are in Postgres"
    assert not list((dagster.folder / "home").rglob("*.db")), "and nothing is in SQLite"


def test_a_restart_of_this_host_fails_no_run_of_another_one(
    dagster: DagsterServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in dagster.environment.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        elsewhere = instance.create_run_for_job(
            dg.job(name="sync")(lambda: None), status=dg.DagsterRunStatus.STARTED
        )
        with dagster.running():
            dagster.add_partition(ONE)
            wait_for("The history", lambda: ONE in dagster.partitions()["materialized"])
        run = instance.get_run_by_id(elsewhere.run_id)
        assert run is not None
        assert run.status == dg.DagsterRunStatus.STARTED


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"DAGSTER_PG_PORT": str(free_port())}, "Dagster's Postgres cannot be reached"),
        ({"DAGSTER_PG_DB": "nowhere"}, 'database "nowhere" does not exist'),
        ({"DAGSTER_PG_HOST": ""}, "DAGSTER_PG_HOST"),
        ({"scheme: postgresql+psycopg2": "scheme: postgresql"}, "write scheme: postgresql+psycopg2"),
    ],
)
def test_what_is_wrong_with_it_is_one_sentence(
    dagster: DagsterServer, change: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "home" / "dagster.yaml"
    text = file.read_text()
    environment = {k: v for k, v in dagster.environment.items() if k.startswith(("DAGSTER", "GITHUB", "PRP"))}
    for old, new in change.items():
        if old not in environment:
            text = text.replace(old, new)
        elif new:
            environment[old] = new
        else:
            del environment[old]
    file.write_text(text)
    ended = Shell(tmp_path, environment).process("dev", "--port", str(free_port()))
    assert ended.returncode == 2, ended
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
