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

import click
import pandas as pd
import pytest
from click.testing import CliRunner

from prpipeline.app.pipeline import Pipeline
from prpipeline.cli import text_tables
from prpipeline.cli.main import cli
from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.sync import SyncResult
from prpipeline_tests.support.dagster_server import free_port
from prpipeline_tests.support.disks import fill, small_disk
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
    # What the bar drew is wiped out before the line is written in its place, and drawn anew below.
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
    Path(shell.environment["PRPIPELINE_REPOSITORIES"]).write_text("sync:\n  page_size: 5\n")
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
    ("arguments", "environment", "code", "sentence"),
    [
        (["sync", "no name"], {}, 2, "'no name' is not a repository name; write it as owner/name."),
        (["sync", "octo/app"], {"GITHUB_TOKEN": "wrong"}, 2, "GitHub does not accept the token (401)"),
        (
            ["sync", "octo/app"],
            {"GITHUB_API_URL": "http://127.0.0.1:9"},
            1,
            "127.0.0.1:9 refuses connections.",
        ),
        (["sync", "octo/app"], {"GITHUB_API_URL": "nonsense"}, 2, "GITHUB_API_URL is 'nonsense'"),
        (["sync", "octo/app"], {"GITHUB_API_URL": "http://example.org"}, 2, "plain http"),
        (["sync", "octo/app"], {"GITHUB_API_URL": "http://127.example.org"}, 2, "plain http"),
        (["sync", "octo/app"], {"GITHUB_API_URL": "https://a b"}, 2, "GITHUB_API_URL is 'https://a b'"),
        (
            ["sync", "octo/app"],
            {"PRPIPELINE_DATA_DIR": "~nobody-here/x"},
            2,
            "PRPIPELINE_DATA_DIR names no place",
        ),
        (["sync", "octo/app"], {"PRPIPELINE_DATA_DIR": "x" * 300}, 2, "PRPIPELINE_DATA_DIR names no place"),
        (["dev"], {"DAGSTER_HOME": "~nobody-here/x"}, 2, "DAGSTER_HOME names no place"),
        (["sync", "octo/app"], {"PRPIPELINE_DATA_DIR": "/dev/null/x"}, 1, "cannot be written to"),
        (
            ["sync", "octo/app"],
            {"PRPIPELINE_DATA_DIR": f"{__file__}/x"},
            2,
            "is a file; set PRPIPELINE_DATA_DIR",
        ),
        (["dev"], {"DAGSTER_HOME": __file__}, 2, "set DAGSTER_HOME to another one."),
        (["track", "https://me:secret@host/octo"], {}, 2, "'https://host/octo' is not a repository name"),
        (
            ["sync", "--dry-run", "octo/app"],
            {"ALL_PROXY": "nonsense://x", "NO_PROXY": ""},
            1,
            "ALL_PROXY names no proxy",
        ),
        (
            ["sync", "--dry-run", "octo/app"],
            {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""},
            1,
            "refused); check HTTPS_PROXY",
        ),
        (["sync"], {}, 2, "No repository is tracked yet."),
        (["untrack", "octo/app"], {}, 2, "octo/app is not tracked"),
        (["sql", "SELECT 1"], {}, 1, "does not exist yet; run 'prpipeline sync' first."),
        (["explain", "octo/app"], {}, 2, "is no pull request"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    shell: Shell, arguments: list[str], environment: dict[str, str], code: int, sentence: str
) -> None:
    ended = shell.run(*arguments, **environment)
    assert ended.returncode == code, ended
    assert sentence in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (shell.folder / "data" / "published").exists()


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
    arrived = threading.Event()
    server.before_request = lambda _: arrived.set() or time.sleep(2)  # type: ignore[func-returns-value]
    command = [sys.executable, "-m", "prpipeline", "sync", "octo/app"]
    with terminal(command, shell.folder, os.environ | shell.environment) as screen:
        assert arrived.wait(120)
        screen.press("c")
        assert screen.ended() == 130
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


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("repositories: [a/b, A/B]", "A/B is listed twice."),
        ("repositories:\n  - repository: a/b\n    dayz: 3", "repositories[1].dayz is not a known setting"),
        ("schedule: {timezone: Foo}", "'Foo' is no time zone"),
        ("repositories: [", "is not valid YAML"),
        ("- a/b", "must be a mapping"),
        (
            "repositories: [a/b]\nsync: {}\nrepositories: [c/d]",
            "line 3 is not valid YAML: 'repositories' is there twice",
        ),
        ("repositories: [{1: a/b}]", "repositories[1].1 is not a known setting"),
        ("[" * 5_000, "nested too deeply"),
        ("metrics: {calendar: {holidays: [2026-13-01]}}", "holds a date, number or tag that is none"),
        ("metrics: {calendar: {start: '09:00Z'}}", "metrics.calendar.start: '09:00Z' is no time of day"),
    ],
)
def test_a_broken_repositories_file_is_named_with_the_place(shell: Shell, text: str, sentence: str) -> None:
    file = shell.folder / "repositories.yaml"
    file.write_text(text)
    ended = shell.run("sync", PRPIPELINE_REPOSITORIES=str(file))
    assert ended.returncode == 2
    assert str(file) in ended.stderr
    assert sentence in ended.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not valid: while parsing"),
        ("[1]", "is not valid: Expected YAML"),
        ("fooo: bar", 'is not valid: Received unexpected config entry "fooo"'),
        ("storage: {postgres: {postgres_url: x}}", "is not valid: Couldn't import module dagster_postgres"),
    ],
)
def test_a_broken_dagster_yaml_is_named(shell: Shell, text: str, sentence: str) -> None:
    home = shell.folder / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(text)
    ended = shell.process("dev", "--port", str(free_port()))
    assert ended.returncode == 2, ended
    assert f"{home / 'dagster.yaml'} {sentence}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_repositories_file_is_followed(shell: Shell) -> None:
    file = shell.folder / "repositories.yaml"
    file.write_text("repositories:\n  - octo/app\n  - repository: octo/lib\n    team: platform\n")
    environment = {"PRPIPELINE_REPOSITORIES": str(file)}
    answer = shell.json("sync", "--json", **environment)
    assert [r["repository"] for r in answer["repositories"]] == ["octo/app", "octo/lib"]
    assert shell.published("SELECT DISTINCT team FROM review_time_hours WHERE repository = 'octo/lib'") == [
        ("platform",)
    ]
    file.write_text("repositories: [octo/lib]\n")
    answer = shell.json("sync", "--json", **environment)
    assert [r["repository"] for r in answer["repositories"]] == ["octo/lib"]
    assert shell.published("SELECT status FROM repositories WHERE tracked_as = 'octo/app'") == [
        ("untracked",)
    ]


def test_a_whole_owner_can_be_tracked(shell: Shell, server: Sandbox) -> None:
    server.world.add_repository("octo/old", archived=True)
    server.world.add_repository("octo/copy", fork=True)
    server.world.add_repository("octo/secret-plans")
    file = shell.folder / "repositories.yaml"
    file.write_text("repositories:\n  - owner: octo\n    exclude: ['secret-*']\n")
    answer = shell.json("sync", "--json", PRPIPELINE_REPOSITORIES=str(file))
    assert sorted(r["repository"] for r in answer["repositories"]) == ["octo/app", "octo/lib"]


def test_track_status_untrack(shell: Shell) -> None:
    assert "tracked." in shell.run("track", "octo/app", "--days-back", "9").stdout
    (row,) = shell.json("status", "--json")["repositories"]
    assert (row["tracked_as"], row["status"], row["last_sync_at"]) == ("octo/app", "new", None)
    shell.run("sync")
    assert "octo/app" in shell.run("status").stdout
    shell.run("untrack", "octo/app", "--delete-data")
    assert shell.json("status", "--json")["repositories"] == []
    for table in ("pull_requests", "reviews", "review_events", "review_time_hours", "repositories"):
        assert shell.published(f"SELECT count(*) FROM {table}") == [(0,)]
    assert len(list((shell.folder / "data" / "releases").iterdir())) == 1
    report = shell.folder / "data" / "published" / "review_time_report.html"
    assert "octo/app" not in report.read_text(encoding="utf-8")


def test_queries_for_people_and_scripts(shell: Shell) -> None:
    shell.run("sync", "octo/app")
    query = "SELECT number, title FROM pull_requests ORDER BY number LIMIT 2"
    assert shell.json("sql", "--format", "json", query) == [
        {"number": 1, "title": "Change 1"},
        {"number": 2, "title": "Change 2"},
    ]
    assert shell.run("sql", "--format", "csv", query).stdout == "number,title\n1,Change 1\n2,Change 2\n"
    assert "Change 2" in shell.run("sql", query).stdout
    for forbidden in ("SELECT * FROM read_csv('/etc/passwd')", "CREATE TABLE x (i INTEGER)", "SELEC 1"):
        ended = shell.run("sql", forbidden)
        assert ended.returncode == 2
        assert "Traceback" not in ended.stderr


def test_no_query_is_shown_in_columns_too_narrow_to_read(shell: Shell) -> None:
    shell.run("sync", "octo/app")

    def lines(query: str) -> list[str]:
        ended = shell.run("sql", query, COLUMNS="80", FORCE_COLOR="1")
        return [line.rstrip() for line in click.unstyle(ended.stdout).splitlines()]

    long = f"SELECT number AS a_number_with_a_name, '{'word ' * 30}' AS text, 'octo' AS owner FROM pull_requests LIMIT 1"
    heading, *rows = lines(long)
    assert heading.split() == ["a_number_with_a_name", "text", "owner"]
    assert len(rows) > 2
    assert all(len(row) <= 80 and row.count("wor") == row.count("word") for row in rows)

    everything = lines("FROM review_time_hours ORDER BY number")
    assert "number                        1" in everything
    assert "review_time_business_hours" in {line.partition(" ")[0] for line in everything}
    assert everything.count("") == 9  # between ten rows
    assert everything[-1] == "… 4 more; --format csv prints all."
    assert lines("FROM review_time_hours WHERE false") == ["No rows."]


def test_a_narrow_screen_cuts_titles_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    row = {
        "repository": "octo-labs/website", "number": 1090, "title": "Change what everybody sees on all pages",
        "author_login": "margaret", "state": "merged", "review_time_hours": None, "null_reason": "no_reviews",
        "first_reviewer_login": "",
    }  # fmt: skip
    text_tables.review_times(
        pd.DataFrame([row, row | {"review_time_hours": 150.1, "first_reviewer_login": "hedy"}])
    )
    shown = [line.split("  ") for line in click.unstyle(capsys.readouterr().out).splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in shown]
    assert cells[1][0] == "octo-labs/website#1090"
    assert cells[1][1].startswith("Change what")
    assert cells[1][1].endswith("…")
    assert cells[1][2:] == ["margaret", "merged", "no reviews"]
    assert cells[2][2:] == ["margaret", "merged", "150.10 h", "hedy"]

    long = "some-long-organisation-name/a-rather-long-repository-name-of-theirs"
    text_tables.results_table([SyncResult(long, 1, long, "history", pull_requests=1234)], None)
    shown = [line.split(" ")[0] for line in click.unstyle(capsys.readouterr().out).splitlines()[1:]]
    assert "".join(shown) == long


def test_a_mistyped_column_is_answered_with_what_was_meant(shell: Shell) -> None:
    shell.run("sync", "octo/app")
    ended = shell.run("sql", "SELECT reviw_time_hours FROM review_time_hours")
    assert ended.returncode == 2
    assert '"review_time_hours"' in ended.stderr
    foreign = shell.run("sql", "SELECT CAST('\x1b[31mred' AS INTEGER)")
    assert "[31mred" in foreign.stderr
    assert "\x1b" not in foreign.stderr


def test_help_says_what_commands_do_in_whole_sentences(shell: Shell) -> None:
    commands = shell.run("--help", COLUMNS="80").stdout.partition("Commands:")[2]
    assert "..." not in commands
    assert all(f"\n  {name} " in commands for name in cli.commands)


def test_a_dry_run_says_the_cost_and_changes_nothing(shell: Shell) -> None:
    (estimate,) = shell.json("sync", "--dry-run", "octo/app", "--json")
    assert (estimate["pull_requests"], estimate["points"]) == (14, 1)
    assert not (shell.folder / "data" / "warehouse.duckdb").exists()


def test_the_doctor_finds_what_is_wrong(shell: Shell) -> None:
    well = shell.run("doctor")
    assert well.returncode == 0
    assert "is accepted" in well.stdout
    file = shell.folder / "repositories.yaml"
    file.write_text("repositories: [octo/nothing-here, octo/app]", encoding="utf-8")
    shell.run("sync", PRPIPELINE_REPOSITORIES=str(file))
    partly = shell.run("doctor", PRPIPELINE_REPOSITORIES=str(file)).stdout
    assert "problem  octo/nothing-here: Could not resolve to a Repository" in partly
    assert "the credential sees octo/app" in partly
    ill = shell.run("doctor", GITHUB_TOKEN="wrong")
    assert ill.returncode == 1
    assert "does not accept the token" in ill.stdout


@pytest.mark.slow
def test_the_demo_needs_nothing_and_makes_room_for_real_repositories(shell: Shell) -> None:
    without = {"GITHUB_API_URL": "", "GITHUB_TOKEN": "", "PATH": str(Path("/nowhere"))}
    before = dict(os.environ)
    ended = shell.run("demo", **without)
    assert dict(os.environ) == before
    assert ended.returncode == 0, ended.stderr
    assert "No GITHUB_TOKEN is set" in ended.stdout
    assert "octo-labs/rocket" in ended.stdout
    assert shell.published("SELECT count(*) > 300 FROM review_time_hours") == [(True,)]

    shell.run("sync", "octo/app")
    assert shell.published("SELECT repository FROM repositories") == [("octo/app",)]
    assert shell.published("SELECT DISTINCT repository FROM pull_requests") == [("octo/app",)]


def test_help_names_the_exit_codes_and_shows_examples(shell: Shell) -> None:
    text = shell.run("--help").stdout
    assert "Exit codes: 0 all well" in text
    assert "prpipeline sync octo-org/widgets" in text
    assert "_PRPIPELINE_COMPLETE" in shell.run("completion", "bash").stdout


@pytest.mark.parametrize("room", [0, 300_000])
def test_a_full_disk_under_dagsters_home(shell: Shell, room: int) -> None:
    with small_disk(shell.folder / "home", 4) as home:
        shell.environment["DAGSTER_HOME"] = str(home)

        fill(home / "filler", room)
        refused = shell.process("dev", "--port", str(free_port()))
        assert refused.returncode == 2, refused
        assert str(home) in refused.stderr
        assert refused.stderr.endswith("mend that, or set DAGSTER_HOME to another one.\n")
        assert shell.run("sync", "octo/app").returncode == 0  # which has no use for it
