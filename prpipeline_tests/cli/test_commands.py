"""The other commands: help, track, untrack, status, doctor, demo."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from prpipeline.cli.main import cli
from prpipeline_tests.support.shell import Shell

pytestmark = pytest.mark.end_to_end


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
