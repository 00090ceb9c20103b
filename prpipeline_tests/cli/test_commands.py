"""The other commands: help, track, untrack, status, doctor."""

from __future__ import annotations

import json

import duckdb
import pytest

from prpipeline.cli.main import cli
from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.shell import Shell

pytestmark = pytest.mark.end_to_end


def test_track_status_untrack(shell: Shell) -> None:
    assert "tracked." in shell.run("track", "octo/app", "--days-back", "9").stdout
    (row,) = shell.json("status", "--json")["repositories"]
    assert (row["tracked_as"], row["status"], row["last_sync_at"]) == ("octo/app", "new", None)
    (result,) = shell.try_to_read()
    assert result.mode == "history"
    assert "octo/app" in shell.run("status").stdout
    shell.run("untrack", "octo/app")
    assert shell.json("status", "--json")["repositories"] == []


def test_data_that_are_deleted_are_nowhere_any_more(synced: Shell) -> None:
    synced.run("untrack", "octo/app", "octo/lib", "--delete-data")
    assert synced.json("status", "--json")["repositories"] == []
    tables = ("pull_requests", "reviews", "review_events", "review_time_hours", "repositories")
    counts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables)
    assert sorted(synced.published(counts)) == [(table, 0) for table in sorted(tables)]
    assert len(list((synced.data / "releases").iterdir())) == 1
    report = synced.data / "published" / "review_time_report.html"
    assert "octo/app" not in report.read_text(encoding="utf-8")


def test_help_says_what_commands_do_in_whole_sentences(shell: Shell) -> None:
    commands = shell.run("--help", COLUMNS="80").stdout.partition("Commands:")[2]
    assert "..." not in commands
    assert all(f"\n  {name} " in commands for name in cli.commands)


def test_a_dry_run_says_the_cost_and_changes_nothing(shell: Shell) -> None:
    (estimate,) = shell.json("sync", "--dry-run", "octo/app", "--json")
    assert (estimate["pull_requests"], estimate["points"]) == (14, 1)
    assert not (shell.folder / "data" / "warehouse.duckdb").exists()


@pytest.mark.slow
def test_what_an_earlier_version_read_is_counted_until_it_is_read_again(shell: Shell) -> None:
    shell.run("sync", "octo/app")
    assert "lack" not in shell.run("status").stdout + shell.run("doctor").stdout
    with duckdb.connect(str(shell.folder / "data" / "warehouse.duckdb")) as connection:
        connection.execute("UPDATE raw.pull_requests SET field_set = 1, head_ref = NULL")
    file = shell.folder / "repositories.yaml"
    file.write_text("sync: {fill_up_per_run: 10}", encoding="utf-8")
    some = {"PRPIPELINE_REPOSITORIES": str(file)}

    (row,) = shell.json("status", "--json")["repositories"]
    assert row["pull_requests_lacking_fields"] == 14
    sentence = "14 pull requests were read by an earlier version and lack newer columns."
    assert f"{sentence} The next sync reads them again." in shell.run("status").stdout
    assert (
        f"note     pull requests: {sentence} Each sync reads 10 of them" in shell.run("doctor", **some).stdout
    )
    (estimate,) = shell.json("sync", "--dry-run", "--json", **some)
    assert estimate["pull_requests_lacking_fields"] == 14
    assert (estimate["fill_up_pull_requests"], estimate["fill_up_requests"]) == (10, 1)
    assert (
        "the next sync reads 10 of them again, in 1 request" in shell.run("sync", "--dry-run", **some).stdout
    )

    (done,) = shell.json("sync", "--json", **some)["repositories"]
    assert (done["mode"], done["pull_requests"]) == ("increment", 10)
    assert shell.published("SELECT count(head_ref) FROM pull_requests") == [(10,)]
    (row,) = shell.json("status", "--json")["repositories"]
    assert row["pull_requests_lacking_fields"] == 4
    shell.run("sync", **some)
    assert "lack" not in shell.run("status").stdout
    assert shell.published("SELECT count(*) FROM pull_requests WHERE head_ref IS NULL") == [(0,)]
    assert shell.published(
        "SELECT count(*), count(DISTINCT number) FROM pull_request_labels WHERE label = 'bug'"
    ) == [(11, 11)]


def test_the_doctor_finds_what_is_wrong(shell: Shell) -> None:
    well = shell.run("doctor")
    assert well.returncode == 0
    assert "is accepted" in well.stdout
    file = shell.folder / "repositories.yaml"
    file.write_text("repositories: [octo/nothing-here, octo/app]", encoding="utf-8")
    shell.environment["PRPIPELINE_REPOSITORIES"] = str(file)
    shell.try_to_read()
    partly = shell.run("doctor").stdout
    assert "problem  octo/nothing-here: Could not resolve to a Repository" in partly
    assert "problem  repositories: 2 tracked, the last sync of 1 failed." in partly
    assert "the credential sees octo/app" in partly
    ill = shell.run("doctor", GITHUB_TOKEN="wrong")
    assert ill.returncode == 1
    assert "does not accept the token" in ill.stdout


def test_the_doctor_does_not_blame_the_token_for_a_repository_that_does_not_exist(
    shell: Shell, server: Sandbox
) -> None:
    shell.run("track", "octo/nothing-here")
    never_synced = shell.run("doctor")
    assert never_synced.returncode == 1
    assert "problem  octo/nothing-here: Could not resolve to a Repository" in never_synced.stdout
    assert "ok       token 1: " in never_synced.stdout
    assert "the credential is accepted" in never_synced.stdout

    shell.run("untrack", "octo/nothing-here", "--delete-data")
    shell.read("octo/app")
    server.world.delete_repository("octo/app")
    gone = shell.run("doctor").stdout
    assert gone.count("problem") == 1
    assert "problem  octo/app: " in gone


def test_what_is_no_longer_tracked_waits_no_longer(synced: Shell) -> None:
    waiting = "SELECT repository, count(*) FROM review_queue GROUP BY ALL ORDER BY ALL"
    assert synced.published(waiting) == [("octo/app", 3), ("octo/lib", 3)]
    synced.run("untrack", "octo/app")
    assert synced.published(waiting) == [("octo/lib", 3)]
    hours = "SELECT number, waiting_hours FROM review_time_hours WHERE repository = 'octo/app' AND waiting_hours > 0"
    before = synced.published(hours)
    assert len(before) == 3
    assert synced.published(
        "SELECT count(*) FROM repositories JOIN review_time_hours USING (repository_id) WHERE status = 'untracked' "
        "AND waiting_hours = round(date_diff('second', ready_at, last_sync_at) / 3600, 2)"
    ) == [(3,)]
    report = (synced.folder / "data" / "published" / "review_time_report.html").read_text(encoding="utf-8")
    assert json.loads(report.split('id="content">')[1].split("</script>")[0])["waiting"] == 3
    told = synced.run("explain", "octo/app#4").stdout
    assert "last sync of the repository, which is no longer tracked  — waiting ends" in told

    synced.run("track", "octo/app")
    synced.read()
    synced.compute()
    assert synced.computed(waiting) == [
        ("octo/app", 3),
        ("octo/lib", 3),
    ]


def test_help_names_the_exit_codes_and_shows_examples(shell: Shell) -> None:
    text = shell.run("--help").stdout
    assert "Exit codes: 0 all well" in text
    assert "prpipeline sync octo-org/widgets" in text
    assert "_PRPIPELINE_COMPLETE" in shell.run("completion", "bash").stdout


def test_the_report_of_an_earlier_versions_file(synced: Shell) -> None:
    folder = (synced.folder / "data" / "published").resolve()
    before = (folder / "review_time_report.html").read_bytes()
    with duckdb.connect(str(folder / "prpipeline.duckdb")) as connection:
        connection.execute("ALTER TABLE open_daily DROP COLUMN waiting")
    failed = synced.run("report")
    assert failed.returncode == 1
    assert "The file was published by an earlier version; run 'prpipeline sync' first" in failed.stderr
    assert (folder / "review_time_report.html").read_bytes() == before
