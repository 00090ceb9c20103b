"""OAuth's rotating refresh tokens between processes, killed ones, and a sign-in that is out of reach."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.sandbox.jira import JiraSandbox, OAuthApp, World
from prpipeline.sandbox.messages import Request
from prpipeline_tests.support.shell import Shell

# The command line, which says when it comes to the lock beside the token.
AT_THE_LOCK = """
import filelock
acquire = filelock.FileLock._acquire
def told(lock):
    if lock.lock_file.endswith("token.lock"):
        print("at the lock", flush=True)
    acquire(lock)
filelock.FileLock._acquire = told
from prpipeline.cli.main import cli
cli(["jira", "connect"])
"""


@pytest.fixture
def server() -> Iterator[JiraSandbox]:
    world = World()  # with the clock of the machine, by which a process goes before the first answer
    world.add_project("ABC")
    app = OAuthApp("app", "client-secret-123456", "first-refresh-token", world.bot)
    with JiraSandbox(world, apps=[app]) as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("first-refresh-token\n")
    return path


@pytest.fixture
def shell(tmp_path: Path, server: JiraSandbox, file: Path) -> Shell:
    return Shell(
        tmp_path,
        {
            "PRPIPELINE_DATA_DIR": str(tmp_path / "data"),
            "JIRA_URL": server.gateway_url,
            "JIRA_OAUTH_CLIENT_ID": "app",
            "JIRA_OAUTH_CLIENT_SECRET": "client-secret-123456",
            "JIRA_OAUTH_TOKEN_FILE": str(file),
            "JIRA_OAUTH_URL": f"http://127.0.0.1:{server.port}",
        },
    )


def held(file: Path) -> str:
    return str(json.loads(file.read_text())["refresh_token"])


def test_processes_that_refresh_at_once_use_the_refresh_token_once(
    server: JiraSandbox, shell: Shell, file: Path
) -> None:
    """The answer to the first waits until the second wants to refresh, too."""
    both = threading.Event()
    server.before_request = lambda request: both.wait(60) if request.path == "/oauth/token" else None
    running = [
        subprocess.Popen(
            [sys.executable, "-c", AT_THE_LOCK],
            env=Shell.kept() | shell.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "at the lock\n"
    both.set()
    for process in running:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
        assert "Reader (712020:reader)" in said
    assert server.apps[0].used == ["first-refresh-token"]
    assert held(file) == server.apps[0].refresh_token


def test_a_process_that_is_killed_after_the_rotation_leaves_a_file_that_can_be_used(
    server: JiraSandbox, shell: Shell, file: Path
) -> None:
    """It is killed before the first request with the new access token is answered."""
    killed = shell.start("jira", "connect")

    def kill(request: Request) -> None:
        if request.path != "/oauth/token":
            server.before_request = None
            os.kill(killed.pid, signal.SIGKILL)

    server.before_request = kill
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert held(file) == server.apps[0].refresh_token != "first-refresh-token"
    assert shell.run("jira", "connect").returncode == 0
    assert server.apps[0].used == ["first-refresh-token"], "its access token is good for an hour"
    server.tokens = [token for token in server.tokens if token.kind != "oauth"]  # revoked
    assert shell.run("jira", "connect").returncode == 0
    assert server.apps[0].used == ["first-refresh-token", "rotated-refresh-token-1"]


def test_a_sign_in_that_cannot_be_reached(shell: Shell, file: Path) -> None:
    ended = shell.run("jira", "connect", JIRA_OAUTH_URL="http://127.0.0.1:9")
    assert ended.returncode != 0
    assert "127.0.0.1:9" in ended.stderr
    assert file.read_text() == "first-refresh-token\n"
