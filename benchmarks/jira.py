"""What syncing a project of Jira costs: requests, seconds, memory. ``python -m benchmarks.jira [ISSUES]``.

A history, a quiet increment, and one after a hundredth of the issues changed, by the command line against the stand-in.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import JiraSandbox, World, generated_world


def main(issues: int = 5_000) -> None:
    world = generated_world(("ABC",), issues)
    with JiraSandbox(world) as server, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "repositories.yaml"
        file.write_text("jira: {projects: [ABC]}\n", encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("JIRA_", "PRPIPELINE_"))} | {
            "PRPIPELINE_DATA_DIR": str(Path(folder) / "data"),
            "PRPIPELINE_REPOSITORIES": str(file),
            **server.environment,
        }
        _measure("history", environment)
        _let_pass(world, timedelta(hours=1))
        _measure("nothing changed", environment)
        for issue in list(world.issues.values())[::100]:
            world.transition(issue, "4" if issue.status_id != "4" else "3")
        _let_pass(world, timedelta(minutes=1))
        _measure("1 % changed", environment)
        _measure("reconciliation", environment, "--reconcile")


def _let_pass(world: World, delta: timedelta) -> None:
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(delta)


def _measure(what: str, environment: dict[str, str], *options: str) -> None:
    command = [sys.executable, "-m", "prpipeline", "sync", "--only", "jira", "--json", *options]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    (found,) = json.loads(ended.stdout)["jira"]
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(
        f"{what}: {found['mode']}, {found['issues']:,} issues, {found['requests']:,} requests, "
        f"{found['seconds']:.1f} s; at most {most} MB so far"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
