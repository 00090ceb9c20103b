"""Two syncs at once: never two requests in flight for one credential; and no command but dev imports Dagster."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.shell import Shell

pytestmark = pytest.mark.end_to_end


@pytest.mark.slow
def test_two_processes_take_turns_with_one_credential(shell: Shell, server: Sandbox) -> None:
    server.latency = 1.5  # longer than the two starts are apart
    with (
        shell.start("sync", "octo/app", "--json") as first,
        shell.start("sync", "octo/lib", "--json") as second,
    ):
        said = [running.communicate(timeout=180) for running in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    modes = [json.loads(out)["repositories"][0]["mode"] for out, _ in said]
    assert modes == ["history", "history"]
    assert server.max_in_flight == 1


@pytest.mark.parametrize("arguments", [["track", "octo/lib"], ["sync", "octo/app"], ["status"], ["--help"]])
def test_no_dagster_is_imported(shell: Shell, arguments: list[str]) -> None:
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))\n"
        "from prpipeline.cli.main import cli\n"
        "cli.main(sys.argv[1:], prog_name='prpipeline')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=shell.kept() | shell.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended
    imported = set(ended.stderr.split())
    assert "prpipeline.cli.sync" in imported
    assert imported.isdisjoint({"dagster", "pandas", "pydantic", "rich.progress"})
    # Nor anything that only a lake takes.
    lakes = {
        f"prpipeline.warehouse.{name}" for name in ("lake_store", "postgres_locks", "extensions", "copying")
    }
    assert imported.isdisjoint({"psycopg2", "dagster_postgres", *lakes})
