"""Level 2 with its real parts: Postgres, a lake in S3, Redis, Celery's workers with a credential each; one is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import yaml

from prpipeline.sandbox.github import Sandbox, generated_world
from prpipeline_tests.support import redis, s3
from prpipeline_tests.support.dagster_server import ENDED, LOCATION, DagsterServer, wait_for
from prpipeline_tests.support.postgres import Postgres

pytest.importorskip("dagster_celery")

DEPLOY = Path(__file__).parents[2] / "deploy" / "level-2"
BIN = Path(sys.executable).parent
REPOSITORIES = int(os.environ.get("PRPIPELINE_TEST_REPOSITORIES", "200"))
NAMES = [f"bulk/repository-{number}" for number in range(1, REPOSITORIES + 1)]
SAME = ("pull_requests", "reviews", "review_events", "review_evidence")
PATIENCE = 600.0


class Cluster:
    """A host with Dagster and no credential of runs, and hosts with a worker each."""

    def __init__(self, folder: Path, variables: dict[str, str], github: Sandbox) -> None:
        self.folder, self._github = folder, github
        self.dagster = DagsterServer(folder, github.url)
        self._shared = variables | {"DAGSTER_HOME": str(folder / "home")}
        self.dagster.environment |= self._shared
        (folder / "home").mkdir()
        for name in ("dagster.yaml", "celery.yaml"):
            shutil.copy(DEPLOY / name, folder / "home")
        self.dagster.repositories_file.write_text(yaml.safe_dump({"repositories": NAMES}))

    @contextmanager
    def worker(self, queue: str, **secrets: str) -> Iterator[subprocess.Popen[bytes]]:
        """A host whose worker takes the runs of a queue, one at a time."""
        command = [str(BIN / "dagster-celery"), "worker", "start", "-A", "dagster_celery.app", "-n", queue]
        command += ["-y", str(self.folder / "home" / "celery.yaml"), "-q", queue, "--", "-c", "1"]
        command += ["--max-tasks-per-child", "1"]
        environment = self.dagster.environment | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PRPIPELINE_DATA_DIR": str(self.folder / f"data-of-{queue}"),
            "GITHUB_TOKEN": "",
            **secrets,
        }
        with (self.folder / f"log-of-{queue}").open("ab") as log:
            process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            yield process
        finally:
            kill(process)

    def runs(self, job: str = "sync") -> dict[str, dict[str, Any]]:
        """The newest run of each credential."""
        found = {}
        for run in reversed(self.dagster.runs(job)):
            tags = {tag["key"]: tag["value"] for tag in run["tags"]}
            found[tags.get("prpipeline/credential", "")] = run | {"tags": tags}
        return found

    def launch_day(self) -> None:
        """Launch what the daily schedule asks for."""
        tick = self.dagster.query(
            """mutation($schedule: ScheduleSelector!, $at: Float!) {
              scheduleDryRun(selectorData: $schedule, timestamp: $at) { __typename
              ... on DryRunInstigationTick { evaluationResult { error { message } runRequests {
              runConfigYaml tags { key value } } } } } }""",
            schedule={**LOCATION, "scheduleName": "daily_sync"},
            at=time.time(),
        )
        for request in tick["evaluationResult"]["runRequests"]:
            self.dagster.query(
                """mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
                  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
                params={
                    "selector": {**LOCATION, "jobName": "sync"},
                    "runConfigData": request["runConfigYaml"],
                    "mode": "default",
                    "executionMetadata": {"tags": request["tags"]},
                },
            )


def kill(process: subprocess.Popen[bytes]) -> None:
    """As a host that is lost: nobody is told."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def rows(file: Path) -> dict[str, list[str]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return {table: sorted(map(repr, connection.execute(f'FROM "{table}"').fetchall())) for table in SAME}


def test_two_workers_publish_what_one_machine_does_though_one_is_killed(
    server: Postgres, tmp_path: Path
) -> None:
    tokens = ["sandbox-token", "token-of-a", "token-of-b"]
    with ExitStack() as stack:
        github = stack.enter_context(
            Sandbox(generated_world(REPOSITORIES, 3, 2), tokens=tokens, latency=0.05)
        )
        store = stack.enter_context(s3.running())
        store.new_bucket("lake-files")
        broker = stack.enter_context(redis.running())
        lake = server.new_database()
        address = f"host={server.host} port={server.port} user={server.user} dbname={lake}"
        variables = store.variables | {
            "DAGSTER_PG_HOST": server.host,
            "DAGSTER_PG_PORT": str(server.port),
            "DAGSTER_PG_USER": server.user,
            "DAGSTER_PG_PASSWORD": "any",
            "DAGSTER_PG_DB": server.new_database(),
            "CELERY_BROKER": broker,
            "CELERY_BACKEND": broker,
            "PRPIPELINE_WAREHOUSE": f"ducklake:postgres:{address}",
            "PRPIPELINE_LAKE_DATA": "s3://lake-files/lake",
            "PRPIPELINE_PUBLISH_TO": "s3://lake-files/published",
            "PRPIPELINE_CREDENTIALS": "team-a,team-b",
        }
        cluster = Cluster(tmp_path, variables, github)
        stack.enter_context(cluster.worker("prpipeline"))
        victim = stack.enter_context(cluster.worker("team-a", GITHUB_TOKEN_TEAM_A="token-of-a"))
        stack.enter_context(cluster.worker("team-b", GITHUB_TOKEN_TEAM_B="token-of-b"))
        stack.enter_context(cluster.dagster.running())

        def done(credential: str) -> bool:
            return cluster.runs().get(credential, {}).get("status") == "SUCCESS"

        wait_for(
            "A run of team-a", lambda: cluster.runs().get("team-a", {}).get("status") == "STARTED", PATIENCE
        )
        history = "SELECT count(*) FROM prpipeline.ducklake_snapshot"
        before = int(server.run("psql", "-At", "-d", lake, "-c", history))
        wait_for(
            "Half-done histories",
            lambda: int(server.run("psql", "-At", "-d", lake, "-c", history)) > before + 20,
            PATIENCE,
        )
        kill(victim)
        lost = cluster.runs()["team-a"]
        wait_for("The other's history", lambda: done("team-b"), PATIENCE)
        # Celery tells nobody that a host is lost. The other credential went on, and the run seems to go on.
        assert cluster.runs()["team-a"]["status"] == "STARTED"
        stack.enter_context(cluster.worker("team-a", GITHUB_TOKEN_TEAM_A="token-of-a"))
        # Run monitoring ends it at last, after max_runtime_seconds of dagster.yaml; as it does, it is done now.
        environment = pytest.MonkeyPatch()
        stack.callback(environment.undo)
        for name, value in cluster.dagster.environment.items():
            environment.setenv(name, value)
        with dg.DagsterInstance.get() as instance:
            run = instance.get_run_by_id(lost["runId"])
            assert run is not None
            instance.report_run_failed(run, "Exceeded maximum runtime")
        wait_for("The retry", lambda: cluster.runs()["team-a"]["runId"] != lost["runId"], PATIENCE)
        wait_for("The rest of the histories", lambda: done("team-a"), PATIENCE)
        assert cluster.runs()["team-a"]["tags"]["dagster/parent_run_id"] == lost["runId"]

        for name in NAMES[::5]:
            github.world.open_pull_request(name, "person-1", "Of the next day")
        both = {run["runId"] for run in cluster.runs().values()}
        cluster.launch_day()

        def next_day() -> bool:
            runs = cluster.runs()
            return not both & {run["runId"] for run in runs.values()} and done("team-a") and done("team-b")

        wait_for("The next day", next_day, PATIENCE)

        def is_published() -> bool:
            return all(run["status"] in ENDED for run in cluster.dagster.runs()) and rows(
                pulled(tmp_path)
            ) == rows(alone)

        alone = on_one_machine(tmp_path, github)
        wait_for("The publication of all of it in the bucket", is_published, PATIENCE)
        assert len(rows(alone)["pull_requests"]) == REPOSITORIES * 3 + len(NAMES[::5])
        assert "token-of" not in cluster.dagster.log


def on_one_machine(folder: Path, github: Sandbox) -> Path:
    """The published file of one process with a local warehouse."""
    return _run(folder / "alone", github.url, "sync", *NAMES)


def pulled(folder: Path) -> Path:
    return _run(folder / "bi", "http://127.0.0.1:9", "pull", "s3://lake-files/published")


def _run(folder: Path, github: str, *arguments: str) -> Path:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PRPIPELINE", "GITHUB", "DAGSTER"))}
    done = subprocess.run(
        [sys.executable, "-m", "prpipeline", *arguments],
        env=kept
        | {"GITHUB_API_URL": github, "GITHUB_TOKEN": "sandbox-token", "PRPIPELINE_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "published" / "prpipeline.duckdb"
