"""Dagster started by ``prpipeline dev`` in its own folders, driven through the UI's GraphQL."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import requests

T = TypeVar("T")
LOCATION = {"repositoryLocationName": "prpipeline", "repositoryName": "__repository__"}
SYNCED = [
    ["raw", "pull_requests"],
    ["raw", "reviews"],
    ["raw", "review_events"],
    ["metrics", "review_time_hours"],
]
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


def wait_for(what: str, look: Callable[[], T | None], seconds: float = 120) -> T:
    """The first true result of ``look``. Raises AssertionError if there is none in time."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds:.0f} seconds")
        time.sleep(0.5)
    return seen


class DagsterServer:
    """``prpipeline dev`` as a process of its own."""

    def __init__(self, folder: Path, github_url: str) -> None:
        self.folder = folder
        self.repositories_file = folder / "repositories.yaml"
        self.environment = os.environ | {
            "DAGSTER_HOME": str(folder / "home"),
            "PRPIPELINE_DATA_DIR": str(folder / "data"),
            "PRPIPELINE_REPOSITORIES": str(self.repositories_file),
            "GITHUB_API_URL": github_url,
            "GITHUB_TOKEN": "sandbox-token",
        }
        self.url = f"http://127.0.0.1:{free_port()}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run until the end of the block; what it says goes to ``log``."""
        port = self.url.rpartition(":")[2]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "prpipeline", "dev", "--port", port],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_for("The start of Dagster", self._is_up, 300)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def query(self, text: str, **variables: Any) -> Any:
        """The one field that is asked for. Raises AssertionError for what GraphQL calls an error."""
        answer = requests.post(
            f"{self.url}/graphql", json={"query": text, "variables": variables}, timeout=60
        ).json()
        assert "errors" not in answer, answer["errors"]
        (value,) = answer["data"].values()
        if isinstance(value, dict):
            assert not str(value.get("__typename", "")).endswith("Error"), value
        return value

    def add_partition(self, key: str) -> None:
        self.query(
            """mutation($key: String!, $location: RepositorySelector!) {
              addDynamicPartition(partitionKey: $key, partitionsDefName: "repositories", repositorySelector: $location)
              { __typename ... on PythonError { message } ... on UnauthorizedError { message } } }""",
            key=key,
            location=LOCATION,
        )

    def partitions(self, table: str = "review_time_hours") -> dict[str, list[str]]:
        """The partition keys by status, as the asset's page shows them."""
        node = self.query(
            """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { __typename ... on AssetNode {
              partitionKeys assetPartitionStatuses { ... on DefaultPartitionStatuses {
                materializedPartitions failedPartitions materializingPartitions } } } } }""",
            key={"path": next(path for path in SYNCED if path[-1] == table)},
        )
        statuses = node["assetPartitionStatuses"]
        return {
            "all": node["partitionKeys"],
            "materialized": statuses["materializedPartitions"],
            "failed": statuses["failedPartitions"],
        }

    def runs(self, job: str | None = None) -> list[dict[str, Any]]:
        """All runs (of a job), the newest first."""
        found = self.query(
            """query($filter: RunsFilter) { runsOrError(filter: $filter) { __typename ... on Runs { results {
              runId status jobName startTime endTime parentRunId tags { key value } } } } }""",
            filter={"pipelineName": job} if job else {},
        )
        return list(found["results"])

    def launch(self, job: str, run_config: str | dict[str, Any] = "{}") -> str:
        """Start a run as the launchpad does; its id."""
        run = self.query(
            """mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
              __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
              ... on RunConfigValidationInvalid { errors { message } } } }""",
            params={"selector": {**LOCATION, "jobName": job}, "runConfigData": run_config, "mode": "default"},
        )
        assert "run" in run, run
        return str(run["run"]["runId"])

    def backfill(self, *keys: str) -> str:
        """Start a backfill of everything per repository for these partitions; its id."""
        started = self.query(
            """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
              __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            params={"assetSelection": [{"path": path} for path in SYNCED], "partitionNames": list(keys)},
        )
        return str(started["backfillId"])

    def backfill_status(self, backfill: str) -> str:
        found = self.query(
            """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
              __typename ... on PartitionBackfill { status } } }""",
            id=backfill,
        )
        return str(found["status"])

    def materialized_at(self, *key: str, partition: str | None = None) -> float:
        """When an asset or a partition of it was last materialized, in seconds since 1970; 0 for never."""
        node = self.query(
            """query($key: AssetKeyInput!, $partitions: [String!]) { assetNodeOrError(assetKey: $key) { __typename
              ... on AssetNode { assetMaterializations(partitions: $partitions, limit: 1) { timestamp } } } }""",
            key={"path": list(key)},
            partitions=None if partition is None else [partition],
        )
        return max((float(found["timestamp"]) / 1000 for found in node["assetMaterializations"]), default=0.0)

    def backfills(self) -> list[str]:
        """The ids of all backfills, the newest first."""
        found = self.query(
            """{ partitionBackfillsOrError { __typename ... on PartitionBackfills { results { id } } } }"""
        )
        return [backfill["id"] for backfill in found["results"]]

    def worker(self, run: str) -> int:
        """The process that works on a run, once there is one."""
        found = self.query(
            """query($run: ID!) { logsForRun(runId: $run, limit: 100) { __typename ... on EventConnection {
              events { ... on MessageEvent { message } } } } }""",
            run=run,
        )
        messages = " ".join(event["message"] for event in found["events"])
        pid = re.search(r"Executing steps in process \(pid: (\d+)\)", messages)
        return int(pid[1]) if pid else 0

    def dry_run(self, schedule: str, timestamp: float) -> list[dict[str, Any]]:
        """What a schedule would launch at a time."""
        tick = self.query(
            """mutation($schedule: ScheduleSelector!, $at: Float!) {
              scheduleDryRun(selectorData: $schedule, timestamp: $at) { __typename ... on DryRunInstigationTick {
                evaluationResult { error { message } runRequests { runKey runConfigYaml } } } } }""",
            schedule={**LOCATION, "scheduleName": schedule},
            at=timestamp,
        )
        assert tick["evaluationResult"]["error"] is None, tick
        return list(tick["evaluationResult"]["runRequests"])

    def wait_until_quiet(self, seconds: float = 120) -> None:
        """No run is under way, and what was synced (if anything was) is published."""
        begun = time.time()
        wait_for("The end of all runs and a publication", lambda: self._is_quiet(begun), seconds)

    def _is_quiet(self, begun: float) -> bool:
        runs = self.runs()
        if not all(run["status"] in ENDED for run in runs):
            return False
        # The publishing sensor finds nothing to do, in a look after the last of them and after what the test did.
        last = max([begun, *(run["endTime"] or 0 for run in runs)])
        tick = self.query(
            """query($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) { __typename ... on Sensor {
              sensorState { ticks(limit: 1) { timestamp status } } } } }""",
            sensor={**LOCATION, "sensorName": "publish_after_sync"},
        )
        ticks = tick["sensorState"]["ticks"]
        return bool(ticks) and ticks[0]["status"] == "SKIPPED" and ticks[0]["timestamp"] > last

    def _is_up(self) -> bool:
        try:
            return bool(self.partitions()) or True
        except (requests.RequestException, AssertionError, KeyError, ValueError):
            return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
