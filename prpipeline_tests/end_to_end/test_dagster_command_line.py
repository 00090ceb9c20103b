"""A command line that is killed leaves nothing behind that the next one has to wait for."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from prpipeline.defs.instance import COMMAND_LINE_TAG
from prpipeline.sandbox.github import Sandbox, generated_world
from prpipeline_tests.support.dagster_server import DagsterServer, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


def test_a_killed_sync_is_ended_by_the_next_one_which_goes_on_at_once(tmp_path: Path) -> None:
    with Sandbox(generated_world(1, 6), latency=30) as github:
        place = DagsterServer(tmp_path, github.url)
        place.repositories_file.write_text("repositories: []\n", encoding="utf-8")
        command = [sys.executable, "-m", "prpipeline", "sync", "bulk/repository-1", "--json"]
        said = tmp_path / "first.txt"
        with said.open("w") as file:
            first = subprocess.Popen(command, env=place.environment, stdout=file, stderr=file)
        wait_for("The first request", lambda: github.requests or first.poll() is not None)
        assert github.requests, said.read_text()
        first.send_signal(signal.SIGKILL)
        first.wait()
        github.latency = 0
        second = subprocess.run(command, env=place.environment, capture_output=True, check=False, timeout=100)
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["repositories"][0]["mode"] == "history"
    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as instance:
        killed = instance.get_runs(dg.RunsFilter(job_name="sync"))[-1]
        assert killed.status is dg.DagsterRunStatus.FAILURE
        assert killed.tags[COMMAND_LINE_TAG]
        pools = instance.event_log_storage.get_concurrency_keys()
        assert "github" in pools  # runs of the command line take their place in the pools as well
        for pool in pools:
            assert not instance.event_log_storage.get_concurrency_info(pool).claimed_slots
    assert not list((tmp_path / "home" / "command_lines").iterdir())
