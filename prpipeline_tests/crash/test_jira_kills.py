"""A sync of Jira that is killed at any request leaves nothing half, and the next one ends with what Jira has."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import duckdb
import pytest

from prpipeline.sandbox.jira import JiraSandbox, Quirks
from prpipeline.sandbox.messages import Request
from prpipeline_tests.support.jira_lab import JiraLab, expected, let_pass, small_world
from prpipeline_tests.support.shell import Shell


@pytest.mark.slow
def test_kills_at_every_kind_of_request(tmp_path: Path) -> None:
    world, project = small_world(40)
    (tmp_path / "repositories.yaml").write_text("jira: {projects: [ABC]}\n", encoding="utf-8")
    with JiraSandbox(world, quirks=Quirks(ids_a_page=8)) as server:
        shell = Shell(
            tmp_path,
            {
                "PRPIPELINE_DATA_DIR": str(tmp_path / "data"),
                "PRPIPELINE_REPOSITORIES": str(tmp_path / "repositories.yaml"),
                **server.environment,
            },
        )
        for number in range(2, 16, 3):
            if number > 8:  # after the history: increments with something to read
                world.create(project, f"New {number}")
                let_pass(world, minutes=20)
            running = shell.start("sync", "--only", "jira", "--reconcile")
            left = [number]

            def kill(_: Request, pid: int = running.pid, left: list[int] = left) -> None:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(pid, signal.SIGKILL)

            server.before_request = kill
            running.communicate(timeout=120)
            server.before_request = None
        assert shell.process("sync", "--only", "jira", "--reconcile").returncode == 0
        lab = JiraLab(server, tmp_path / "data")
        assert lab.stored() == {i: expected(issue) for i, issue in world.issues.items()}
    with duckdb.connect(
        str(tmp_path / "data" / "published" / "prpipeline.duckdb"), read_only=True
    ) as published:
        (found,) = published.execute(
            "SELECT count(*), count(DISTINCT issue_id), count(done_at) FROM issues"
        ).fetchall()
        done = sum(world.statuses[issue.status_id].category == "done" for issue in world.issues.values())
        assert found == (len(world.issues), len(world.issues), done)
