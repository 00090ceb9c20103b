"""``prpipeline sync`` end to end: what it says, what it leaves, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from prpipeline.app.pipeline import Pipeline
from prpipeline.cli.main import cli
from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.terminal import terminal

pytestmark = pytest.mark.end_to_end


def test_from_github_to_the_published_file(shell: Shell) -> None:
    ended = shell.process("sync", "octo/app", "--json")
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    (repository,) = answer["repositories"]
    assert repository["repository"] == "octo/app"
    assert repository["mode"] == "history"
    assert repository["pull_requests"] == 14
    assert repository["errors"] == []
    assert answer["requests"] == repository["requests"] == 1
    assert answer["published"] == str(shell.folder / "data" / "published" / "prpipeline.duckdb")
    assert shell.published("SELECT count(*) FROM review_time_hours") == [(14,)]
    assert shell.published("SELECT tracked_as, status FROM repositories") == [("octo/app", "ok")]

    again = shell.json("sync", "--json")
    assert again["repositories"][0]["mode"] == "unchanged"
    assert again["requests"] == 1
    closer = shell.json("sync", "--reconcile", "--json")
    assert closer["repositories"][0]["mode"] == "increment"
    assert not (shell.folder / "dagster").exists()  # it is Dagster's alone


def test_a_terminal_shows_lines_above_a_bar_that_moves(shell: Shell) -> None:
    environment = os.environ | shell.environment
    command = [sys.executable, "-m", "prpipeline", "sync", "octo/app"]
    with terminal(command, shell.folder, environment) as screen:
        screen.wait_for("Published:")
        shown = screen.seen
    before, _, after = shown.partition("octo/app: history, ")
    # The bar is erased before a line is written in its place, and drawn again below.
    assert before.rpartition("0/1")[2].count("\x1b[2K") >= 1
    assert "1/1" in after


def test_an_unknown_repository_fails_alone_and_is_not_kept(shell: Shell) -> None:
    ended = shell.run("sync", "octo/app", "octo/nowhere", "--json")
    assert ended.returncode == 1
    modes = {r["repository"]: (r["mode"], r["errors"]) for r in json.loads(ended.stdout)["repositories"]}
    assert modes["octo/app"] == ("history", [])
    assert modes["octo/nowhere"][0] == "failed"
    assert "octo/nowhere" in modes["octo/nowhere"][1][0]
    assert shell.published("SELECT tracked_as FROM repositories") == [("octo/app",)]


def test_one_that_is_gone_in_the_middle_of_its_history_is_kept(shell: Shell, server: Sandbox) -> None:
    Path(shell.environment["PRPIPELINE_REPOSITORIES"]).write_text("sync: {page_size: 5, attempts: 2}\n")
    server.faults.add(Fault("status", status=404, after=1, times=None))
    ended = shell.run("sync", "octo/app", "--json")
    assert ended.returncode == 1
    (row,) = shell.json("status", "--json")["repositories"]
    assert (row["tracked_as"], row["status"], row["pull_requests"]) == ("octo/app", "failed", 5)
    server.faults.clear()
    (result,) = shell.json("sync", "--json")["repositories"]
    assert (result["mode"], result["pull_requests"], result["errors"]) == ("history", 9, [])


def test_what_is_wrong_with_all_is_said_once(shell: Shell) -> None:
    shell.run("sync", "octo/app", "octo/lib")
    refused = shell.run("sync", GITHUB_TOKEN="wrong")
    for ended in (refused, shell.run("status")):
        assert ended.stdout.count("does not accept the token") == 1
        assert "octo/app, octo/lib: GitHub does not accept the token (401)" in ended.stdout


@pytest.mark.parametrize(
    "options", [["--json"], ["--dry-run", "--json"], pytest.param([], marks=pytest.mark.slow)], ids=str
)
def test_standard_error_has_a_line_for_each_cause(shell: Shell, options: list[str]) -> None:
    """Cron mails what stands there; on standard output there is JSON alone."""
    unknown = [f"octo/unknown-{number}" for number in range(12)]
    ended = shell.run("sync", *options, "octo/app", *unknown)
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("octo/unknown-0, octo/unknown-1, ")
    assert " and 2 more: Could not resolve to a Repository with the name 'OWNER/NAME'" in lines[0]
    if options:
        json.loads(ended.stdout)


@pytest.mark.parametrize("options", [["--json"], ["--dry-run", "--json"]], ids=str)
def test_where_all_of_github_fails_standard_error_says_so_once(shell: Shell, options: list[str]) -> None:
    shell.run("track", "octo/app", "octo/lib")
    ended = shell.run("sync", *options, GITHUB_API_URL="http://127.0.0.1:9")
    assert ended.returncode == 1
    causes = [line for line in ended.stderr.splitlines() if line.startswith("octo/")]
    assert len(causes) == 1, ended.stderr
    assert causes[0].startswith("octo/app, octo/lib: ")
    assert "refuses connections" in causes[0]
    json.loads(ended.stdout)


@pytest.mark.parametrize("kind", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_an_interrupted_sync_says_so_and_the_next_one_goes_on(
    shell: Shell, server: Sandbox, kind: signal.Signals
) -> None:
    Path(shell.environment["PRPIPELINE_REPOSITORIES"]).write_text("sync:\n  page_size: 1\n")
    arrived = threading.Event()

    def hook(_: object) -> None:
        if len(server.requests) == 5:
            arrived.set()
            time.sleep(1)  # a request that is on its way

    server.before_request = hook
    with shell.start("sync", "--json", "octo/app") as running:
        assert arrived.wait(120)
        running.send_signal(kind)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, ""), err
    assert err.splitlines()[-1].startswith("Error: Interrupted.")
    assert "File " not in err
    server.before_request = None
    (row,) = shell.json("sync", "--json", "octo/app")["repositories"]
    assert (row["mode"], row["errors"]) == ("history", [])
    assert row["pull_requests"] < 14
    assert shell.published("SELECT count(*) FROM pull_requests") == [(14,)]


def test_ctrl_c_shows_one_sentence(shell: Shell, server: Sandbox) -> None:
    arrived, has_ended = threading.Event(), threading.Event()
    server.before_request = lambda _: arrived.set() or has_ended.wait(120)  # type: ignore[func-returns-value]
    command = [sys.executable, "-m", "prpipeline", "sync", "octo/app"]
    with terminal(command, shell.folder, os.environ | shell.environment) as screen:
        assert arrived.wait(120)
        screen.press("c")
        ended = screen.ended()
        has_ended.set()
        assert ended == 130
        assert "Error: Interrupted." in screen.seen
        assert "Traceback" not in screen.seen
        assert "KeyboardInterrupt" not in screen.seen


def test_a_disk_that_is_full_where_the_output_goes(shell: Shell) -> None:
    command = f"{sys.executable} -m prpipeline status --json > /dev/full"
    ended = subprocess.run(
        command, shell=True, env={**os.environ, **shell.environment}, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: The output cannot be written")
    assert "Traceback" not in ended.stderr


def test_closed_standard_streams(shell: Shell) -> None:
    command = f"{sys.executable} -m prpipeline sync octo/app <&- >&- 2>&-"
    ended = subprocess.run(command, shell=True, env={**os.environ, **shell.environment}, check=False)
    assert ended.returncode == 0
    assert shell.published("SELECT count(*) FROM review_time_hours") == [(14,)]


def test_what_nobody_expected_shows_its_stack(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: object) -> None:
        raise RuntimeError("a surprise")

    monkeypatch.setattr(Pipeline, "derive", surprise)
    ended = CliRunner().invoke(cli, ["sync", "octo/app"], env=shell.environment)
    assert ended.exit_code == 1
    assert "RuntimeError: a surprise" in ended.output
    assert "in surprise" in ended.output
