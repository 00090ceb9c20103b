"""``prpipeline sync`` end to end: what it says, what it leaves, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from prpipeline.app.pipeline import Pipeline
from prpipeline.cli.main import cli
from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.sandbox.messages import Request
from prpipeline_tests.cli.conftest import new_world, shell_in
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.terminal import terminal

pytestmark = pytest.mark.end_to_end

UNKNOWN = [f"octo/unknown-{number}" for number in range(12)]


@dataclass(frozen=True)
class Ended:
    """How a command ended that tests only look at, and where."""

    shell: Shell
    process: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A first sync, as a process that prints on standard error which modules it imported."""
    with Sandbox(new_world()) as server:
        shell = shell_in(tmp_path_factory.mktemp("first"), server)
        return Ended(shell, naming_imports(shell, "sync", "octo/app", "--json"))


def naming_imports(shell: Shell, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))\n"
        "from prpipeline.cli.main import cli\n"
        "cli.main(sys.argv[1:], prog_name='prpipeline')"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=shell.folder, env=shell.kept() | shell.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_from_github_to_the_published_file(first: Ended) -> None:
    shell = first.shell
    assert first.process.returncode == 0, first.process.stderr
    answer = json.loads(first.process.stdout)
    (repository,) = answer["repositories"]
    assert repository["repository"] == "octo/app"
    assert repository["mode"] == "history"
    assert repository["pull_requests"] == 14
    assert repository["errors"] == []
    assert answer["requests"] == repository["requests"] == 1
    assert answer["published"] == str(shell.data / "published" / "prpipeline.duckdb")
    assert shell.published("SELECT count(*) FROM review_time_hours") == [(14,)]
    assert shell.published("SELECT tracked_as, status FROM repositories") == [("octo/app", "ok")]
    assert not (shell.folder / "dagster").exists()  # it is Dagster's alone


def test_a_first_sync_imports_no_dagster(first: Ended) -> None:
    check_imports(first.process)


@pytest.mark.parametrize(
    "arguments",
    [pytest.param(["track", "octo/lib"], marks=pytest.mark.slow), ["status"], ["--help"]],
    ids=str,
)
def test_no_dagster_is_imported(shell: Shell, arguments: list[str]) -> None:
    check_imports(naming_imports(shell, *arguments))


def check_imports(ended: subprocess.CompletedProcess[str]) -> None:
    """Nothing that only Dagster or progress at a terminal takes, nor what only a lake takes."""
    assert ended.returncode == 0, ended
    imported = set(ended.stderr.split())
    assert "prpipeline.cli.sync" in imported
    assert imported.isdisjoint({"dagster", "pandas", "pydantic", "rich.progress"})
    lakes = {
        f"prpipeline.warehouse.{name}" for name in ("lake_store", "postgres_locks", "extensions", "copying")
    }
    assert imported.isdisjoint({"psycopg2", "dagster_postgres", *lakes})


@pytest.mark.parametrize(
    ("options", "mode", "requests"),
    [([], "unchanged", 1), pytest.param(["--reconcile"], "increment", 3, marks=pytest.mark.slow)],
    ids=str,
)
def test_the_next_syncs(synced: Shell, options: list[str], mode: str, requests: int) -> None:
    answer = synced.json("sync", "octo/app", "--json", *options)
    assert [each["mode"] for each in answer["repositories"]] == [mode]
    assert answer["requests"] == requests


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    """The exit code of a sync at a terminal, and what it showed to the end: Ctrl-C when its second history begins."""
    with Sandbox(new_world()) as server:
        shell = shell_in(tmp_path_factory.mktemp("interrupted"), server)
        arrived, has_ended = threading.Event(), threading.Event()

        def hook(request: Request) -> None:
            if request.operation == "History" and request.variables["name"] == "lib":
                arrived.set()
                has_ended.wait(120)

        server.before_request = hook
        command = [sys.executable, "-m", "prpipeline", "sync", "octo/app", "octo/lib"]
        with terminal(command, shell.folder, os.environ | shell.environment) as screen:
            assert arrived.wait(120)
            screen.wait_for("octo/app: history, ")
            screen.wait_for("1/2")
            screen.press("c")
            code = screen.ended()
            has_ended.set()
            return code, screen.seen


def test_a_terminal_shows_lines_above_a_bar_that_moves(interrupted: tuple[int, str]) -> None:
    before, _, after = interrupted[1].partition("octo/app: history, ")
    # The bar is erased before a line is written in its place, and drawn again below.
    assert before.rpartition("0/2")[2].count("\x1b[2K") >= 1
    assert "1/2" in after


def test_ctrl_c_shows_one_sentence(interrupted: tuple[int, str]) -> None:
    code, seen = interrupted
    assert code == 130
    assert "Error: Interrupted." in seen
    assert "Traceback" not in seen
    assert "KeyboardInterrupt" not in seen


@pytest.fixture(scope="module")
def partly(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One that is there, and many that are not."""
    with Sandbox(new_world()) as server:
        shell = shell_in(tmp_path_factory.mktemp("partly"), server)
        return Ended(shell, shell.run("sync", "--json", "octo/app", *UNKNOWN))


def test_an_unknown_repository_fails_alone_and_is_not_kept(partly: Ended) -> None:
    assert partly.process.returncode == 1
    answer = json.loads(partly.process.stdout)
    modes = {r["repository"]: (r["mode"], r["errors"]) for r in answer["repositories"]}
    assert modes["octo/app"] == ("history", [])
    assert modes["octo/unknown-0"][0] == "failed"
    assert "octo/unknown-0" in modes["octo/unknown-0"][1][0]
    assert partly.shell.published("SELECT tracked_as FROM repositories") == [("octo/app",)]


def test_one_that_is_gone_in_the_middle_of_its_history_is_kept(shell: Shell, server: Sandbox) -> None:
    Path(shell.environment["PRPIPELINE_REPOSITORIES"]).write_text("sync: {page_size: 5, attempts: 2}\n")
    server.faults.add(Fault("status", status=404, after=1, times=None))
    ended = shell.run("sync", "octo/app", "--json")
    assert ended.returncode == 1
    (row,) = shell.json("status", "--json")["repositories"]
    assert (row["tracked_as"], row["status"], row["pull_requests"]) == ("octo/app", "failed", 5)
    server.faults.clear()
    (result,) = shell.try_to_read()
    assert (result.mode, result.pull_requests, result.error) == ("history", 9, None)


def test_what_is_wrong_with_all_is_said_once(shell: Shell) -> None:
    shell.read("octo/app", "octo/lib")
    refused = shell.run("sync", GITHUB_TOKEN="wrong")
    for ended in (refused, shell.run("status")):
        assert ended.stdout.count("does not accept the token") == 1
        assert "octo/app, octo/lib: GitHub does not accept the token (401)" in ended.stdout


def test_standard_error_has_a_line_for_each_cause(partly: Ended) -> None:
    """Cron mails what stands there; on standard output there is JSON alone."""
    assert_one_line_of_unknown(partly.process)
    json.loads(partly.process.stdout)


@pytest.mark.parametrize(
    "options", [["--dry-run", "--json"], pytest.param([], marks=pytest.mark.slow)], ids=str
)
def test_so_it_has_after_an_estimate_and_where_people_read(shell: Shell, options: list[str]) -> None:
    ended = shell.run("sync", *options, "octo/app", *UNKNOWN)
    assert_one_line_of_unknown(ended)
    if options:
        json.loads(ended.stdout)


def assert_one_line_of_unknown(ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("octo/unknown-0, octo/unknown-1, ")
    assert " and 2 more: Could not resolve to a Repository with the name 'OWNER/NAME'" in lines[0]


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
    Path(shell.environment["PRPIPELINE_REPOSITORIES"]).write_text("sync:\n  page_size: 3\n")
    arrived = threading.Event()

    def hook(_: object) -> None:
        if len(server.requests) == 3:
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
    (result,) = shell.try_to_read()
    assert (result.mode, result.error) == ("history", None)
    assert result.pull_requests < 14
    (row,) = shell.json("status", "--json")["repositories"]
    assert row["pull_requests"] == 14


def test_a_disk_that_is_full_where_the_output_goes(shell: Shell) -> None:
    command = f"{sys.executable} -m prpipeline status --json > /dev/full"
    ended = subprocess.run(
        command, shell=True, env={**os.environ, **shell.environment}, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: The output cannot be written")
    assert "Traceback" not in ended.stderr


def closed(shell: Shell) -> int:
    """Sync with the standard streams closed; the exit code."""
    command = f"{sys.executable} -m prpipeline sync octo/app <&- >&- 2>&-"
    return subprocess.run(
        command, shell=True, env={**os.environ, **shell.environment}, check=False
    ).returncode


def test_closed_standard_streams(synced: Shell) -> None:
    (before, _) = synced.json("status", "--json")["repositories"]
    assert closed(synced) == 0
    (after, _) = synced.json("status", "--json")["repositories"]
    assert (after["status"], after["pull_requests"]) == ("ok", 14)
    assert after["last_sync_at"] > before["last_sync_at"]


@pytest.mark.slow
def test_a_first_sync_with_closed_standard_streams(shell: Shell) -> None:
    assert closed(shell) == 0
    assert shell.published("SELECT count(*) FROM review_time_hours") == [(14,)]


def test_what_nobody_expected_shows_its_stack(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: object) -> None:
        raise RuntimeError("a surprise")

    monkeypatch.setattr(Pipeline, "derive", surprise)
    ended = CliRunner().invoke(cli, ["sync", "octo/app"], env=shell.environment)
    assert ended.exit_code == 1
    assert "RuntimeError: a surprise" in ended.output
    assert "in surprise" in ended.output
