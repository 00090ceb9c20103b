"""The README's commands, run in its order as a newcomer does: on a fresh copy, without settings."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb
import pytest
import requests

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.dagster_server import free_port, wait_for
from prpipeline_tests.support.dev_process import descendants, living, locations, started
from prpipeline_tests.support.sync_lab import TOKEN, small_world

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST, SECOND, *_ = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
(SHARING,) = re.findall(r"^```text\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files, and an environment that is installed already: this one."""
    folder = tmp_path_factory.mktemp("make") / "checkout"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    environment = folder / ".venv"
    environment.mkdir()
    (environment / "bin").symlink_to(Path(sys.executable).parent)
    (environment / ".installed").touch()
    return folder


def environment(checkout: Path) -> dict[str, str]:
    """An environment without our variables; PYTHONPATH names this copy, because the installation points at another."""
    foreign = ("GITHUB", "GH_", "PRPIPELINE", "DAGSTER", "MAKE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"PYTHONPATH": str(checkout), "HOME": str(checkout.parent)}


def run(command: str, checkout: Path, **more: str) -> str:
    ended = subprocess.run(
        ["bash", "-euc", command],
        cwd=checkout,
        env=environment(checkout) | more,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_first_block_is_two_commands() -> None:
    assert [line.partition("#")[0].strip() for line in FIRST.splitlines()] == ["make run", "make dev"]


def test_make_run_prints_the_table(checkout: Path) -> None:
    said = run("make run", checkout)
    assert re.search(r"^octo-labs/rocket#\d+ .* \d+\.\d\d h ", said, re.MULTILINE)
    published = checkout / "data" / "published" / "prpipeline.duckdb"
    assert f"Published: {published}" in said
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.execute("SELECT count(*) > 300 FROM review_time_hours").fetchone() == (True,)


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_make_dev_serves_the_ui_until_it_is_told_to_end(checkout: Path, ended_by: signal.Signals) -> None:
    port = free_port()
    with run_make(f"make dev PORT={port}", checkout) as process:
        (entry,) = wait_for("The code location", lambda: locations(port))
        assert entry["name"] == "prpipeline"
        assert entry["locationOrLoadError"]["__typename"] == "RepositoryLocation"
        processes = descendants(process.pid)
        assert len(processes) > 4
        os.killpg(process.pid, ended_by)  # as a terminal does, or who ends a service
        process.wait(60)
        wait_for("The end of all processes", lambda: not living(processes))
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/server_info", timeout=5)


def test_in_the_background_of_a_script_it_ends_when_told_to(checkout: Path) -> None:
    port = free_port()
    in_background = f"trap '' INT; DAGSTER_HOME=$PWD exec .venv/bin/prpipeline dev --port {port}"
    with run_make(in_background, checkout) as process:
        wait_for("The code location", lambda: locations(port))
        processes = descendants(process.pid)
        process.terminate()
        process.wait(60)
        wait_for("The end of all processes", lambda: not living(processes))


def test_the_ui_can_be_shown_read_only(checkout: Path) -> None:
    port = free_port()
    with run_make(SHARING.replace("3001", str(port)), checkout):
        wait_for("The code location", lambda: locations(port))


def test_real_repositories_take_the_place_of_the_sample_ones(checkout: Path) -> None:
    with Sandbox(small_world(repositories=("owner/name", "owner/other"))) as github:
        said = run(SECOND.replace("…", f"{TOKEN} "), checkout, GITHUB_API_URL=github.url)
    assert "owner/name#14" in said
    assert "owner/other#14" in said
    assert "octo-labs" not in said


def run_make(command: str, checkout: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return started(["bash", "-euc", command], checkout, environment(checkout), checkout / "log")
