"""The demo: its sample data say what they are, and go when a real repository is read; not before."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from prpipeline.publish.reader import open_published
from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.cli.conftest import new_world, shell_in
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.terminal import terminal

pytestmark = [pytest.mark.end_to_end]

WITHOUT_GITHUB = {"GITHUB_API_URL": "", "GITHUB_TOKEN": "", "PATH": "/nowhere"}
BUCKET = {  # which refuses whatever is sent to it, so that a command that tries ends with an error
    "PRPIPELINE_PUBLISH_TO": "s3://bi-files/team",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
}
SAMPLES = ["moonbase/lander", "octo-labs/infra", "octo-labs/rocket", "octo-labs/website"]
SAID = "Sample data: made-up repositories of the demo, not from GitHub."


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the demo ran, with a bucket to publish to."""
    folder = tmp_path_factory.mktemp("demo")
    before = dict(os.environ)
    ended = Shell(folder, {"PRPIPELINE_DATA_DIR": str(folder / "data")}).run(
        "demo", **WITHOUT_GITHUB, **BUCKET
    )
    assert dict(os.environ) == before
    assert ended.returncode == 0, ended.stderr
    assert f"No GITHUB_TOKEN is set. {SAID}" in ended.stdout
    assert "octo-labs/rocket" in ended.stdout
    return folder / "data"


@pytest.fixture
def sampled(shell: Shell, demonstrated: Path) -> Shell:
    shell.go_on_from(demonstrated)
    return shell


@pytest.fixture(scope="module")
def all_but_one_deleted(demonstrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bucket got no samples by the demo, nor does it get any by what is published anew."""
    with Sandbox(new_world()) as server:
        shell = shell_in(tmp_path_factory.mktemp("one"), server)
        shell.go_on_from(demonstrated)
        ended = shell.run("untrack", *SAMPLES[1:], "--delete-data", **BUCKET)
        assert (ended.returncode, ended.stderr) == (0, "")
        return shell.data


@pytest.fixture
def one_sample(shell: Shell, all_but_one_deleted: Path) -> Shell:
    shell.go_on_from(all_but_one_deleted)
    return shell


def published(shell: Shell) -> list[str]:
    return [name for (name,) in shell.published("SELECT DISTINCT repository FROM pull_requests ORDER BY ALL")]


@pytest.mark.parametrize(
    "found",
    [
        "pull_request_keys WHERE source = 'title'",
        "pull_request_keys WHERE source = 'branch' AND is_primary",
        "pull_request_labels",
        "pull_requests WHERE is_from_fork",
        "pull_requests WHERE milestone IS NOT NULL",
        "people WHERE former_logins = 'hedwig' AND login = 'hedy'",
        "team_members WHERE member_until IS NOT NULL",
        "review_requests WHERE outcome = 'pending' AND NOT is_team",
        "review_requests WHERE outcome = 'pending' AND is_team",
        "pull_request_stages WHERE stage = 'coding'",
        "review_pairs WHERE reviewer_team <> author_team",
        "pull_request_issues JOIN issues USING (issue_id) WHERE sprint IS NOT NULL AND story_points IS NOT NULL",
        "issues WHERE epic IS NOT NULL",
        "issue_times WHERE times_reopened > 0",
        "issues_out_of_step WHERE kind = 'done_before_merge'",
        "people_accounts WHERE is_weak",
    ],
)
def test_the_samples_have_a_little_of_everything(demonstrated: Path, found: str) -> None:
    with open_published(demonstrated / "published" / "prpipeline.duckdb") as connection:
        assert connection.execute(f"SELECT count(*) FROM {found}").fetchall() > [(0,)]


def test_every_command_that_shows_sample_data_says_so(sampled: Shell) -> None:
    assert sampled.published("SELECT is_sample_data FROM pipeline_status") == [(True,)]
    assert sampled.published("SELECT count(*) > 300 FROM review_time_hours") == [(True,)]
    assert SAID in sampled.run("status").stdout
    assert sampled.json("status", "--json")["is_sample_data"]
    assert sampled.run("explain", "octo-labs/rocket#1").stdout.startswith(f"{SAID}\n")
    assert SAID in sampled.run("report").stderr
    assert SAID in sampled.run("doctor").stdout
    command = [sys.executable, "-m", "prpipeline", "sql"]
    with terminal(command, sampled.folder, os.environ | sampled.environment) as screen:
        screen.wait_for("sql (sample data)> ")
        screen.press("d")
        screen.ended()
    assert SAID in screen.seen


def test_samples_have_teams_and_an_answer_to_every_query_of_the_docs(demonstrated: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "bi.md").read_text(encoding="utf-8")
    queries = re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    with open_published(demonstrated / "published" / "prpipeline.duckdb") as connection:
        answers = [connection.execute(query).fetchall() for query in queries]
        teams = dict(connection.execute("SELECT repository, team FROM repositories").fetchall())
    assert len(queries) == 4
    assert all(answers)
    assert teams == {
        "octo-labs/rocket": "Flight",
        "octo-labs/website": "Platform",
        "octo-labs/infra": "Platform",
        "moonbase/lander": "Flight",
    }
    assert sorted(teams) == SAMPLES


def test_samples_have_an_answer_to_each_question_about_issues(demonstrated: Path) -> None:
    folder = Path(__file__).parents[2] / "docs" / "questions" / "jira"
    with open_published(demonstrated / "published" / "prpipeline.duckdb") as connection:
        answers = {
            file.name: connection.execute(file.read_text(encoding="utf-8")).fetchall()
            for file in sorted(folder.glob("*.sql"))
        }
    assert len(answers) == 7
    assert all(answers.values())


def test_all_commands_agree_on_what_is_tracked(sampled: Shell) -> None:
    rows = sampled.json("status", "--json")["repositories"]
    assert sorted(row["tracked_as"] for row in rows) == SAMPLES
    nothing_real = "No real repository is tracked yet; the sample data of the demo are all there is."
    for command in (["sync"], ["sync", "--dry-run"], ["doctor"]):
        ended = sampled.run(*command)
        assert nothing_real in ended.stdout + ended.stderr
    refused = sampled.run("sync", "octo-labs/rocket")
    assert refused.returncode == 2
    assert "octo-labs/rocket is a sample repository of the demo" in refused.stderr
    kept = sampled.run("jira", "delete-data", "MOON")
    assert (kept.returncode, "MOON is of the demo" in kept.stderr) == (2, True)


@pytest.mark.slow
def test_sample_data_can_be_deleted_and_stay_here(one_sample: Shell) -> None:
    status = one_sample.json("status", "--json")["repositories"]
    assert [row["tracked_as"] for row in status] == published(one_sample) == SAMPLES[:1]


@pytest.mark.parametrize(
    ("name", "token"),
    [pytest.param("octo/nowhere", {}, marks=pytest.mark.slow), ("octo/app", {"GITHUB_TOKEN": "wrong"})],
    ids=["name", "token"],
)
def test_a_first_sync_that_fails_leaves_the_samples_alone(
    one_sample: Shell, name: str, token: dict[str, str]
) -> None:
    failed = one_sample.run("sync", name, **token)
    assert failed.returncode != 0
    assert "What is published is still the sample data of the demo." in failed.stderr
    assert published(one_sample) == SAMPLES[:1]
    assert one_sample.published("SELECT is_sample_data FROM pipeline_status") == [(True,)]
    assert SAID in one_sample.run("status").stdout


def test_the_first_real_repository_that_is_read_takes_the_place_of_the_samples(sampled: Shell) -> None:
    assert [row["entry"] for row in sampled.json("status", "--json")["jira"]] == ["MOON", "OCTO"]
    told = sampled.run("track", "octo/app").stdout
    assert "If 'prpipeline dev' is running the demo, restart it" in told
    assert published(sampled) == SAMPLES
    assert sampled.run("sync").returncode == 0
    assert published(sampled) == ["octo/app"]
    assert sampled.published("SELECT repository FROM repositories") == [("octo/app",)]
    assert sampled.published("SELECT is_sample_data FROM pipeline_status") == [(False,)]
    for command in ("status", "doctor", "report"):
        ended = sampled.run(command)
        assert ended.returncode == 0
        assert "ample data" not in ended.stdout + ended.stderr
    assert "restart" not in sampled.run("track", "octo/lib").stdout
    assert "jira" not in sampled.json("status", "--json")
    with duckdb.connect(str(sampled.folder / "data" / "warehouse.duckdb"), read_only=True) as warehouse:
        left = warehouse.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%jira%' OR table_name LIKE '%issues'"
        )
        assert left.fetchall() == []
    assert sampled.published("SELECT 1 FROM duckdb_tables() WHERE table_name = 'issues'") == []
    # From now on these are the data of that server.
    other = replace(sampled, environment=sampled.environment | {"GITHUB_API_URL": "http://127.0.0.1:9"})
    assert "The data folder holds data of" in other.run("sync").stderr
