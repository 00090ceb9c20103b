"""The command line with Jira, as people and scripts use it; and without, where nothing of it is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from prpipeline.sandbox.jira import Fault, JiraSandbox, Token, World
from prpipeline_tests.jira.conftest import select
from prpipeline_tests.support.shell import Shell


def test_a_sync_reads_both_and_publishes(shell: Shell) -> None:
    ended = shell.json("sync", "octo/app", "--json")
    (project,) = ended["jira"]
    assert (project["project"], project["mode"], project["issues"], project["errors"]) == (
        "ABC",
        "history",
        12,
        [],
    )
    assert project["requests"] > 0
    assert len(ended["repositories"]) == 1
    again = shell.json("sync", "--json")
    assert [p["mode"] for p in again["jira"]] == ["unchanged"]
    assert [p["project"] for p in shell.json("status", "--json")["jira"]] == ["ABC"]
    assert "projects of Jira" not in shell.run("sync").stdout
    assert "ABC" in shell.run("status").stdout


def test_only_one_of_both(shell: Shell) -> None:
    ended = shell.json("sync", "--only", "github", "octo/app", "--json")
    assert "jira" not in ended
    ended = shell.json("sync", "--only", "jira", "--json")
    assert (ended["repositories"], ended["jira"][0]["issues"]) == ([], 12)
    assert shell.run("sync", "--only", "jira", "octo/app").returncode == 2


def test_projects_without_any_repository(shell: Shell) -> None:
    assert shell.run("sync").returncode == 0


def test_projects_without_an_address(shell: Shell) -> None:
    del shell.environment["JIRA_URL"]
    ended = shell.run("sync", "octo/app")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "selects projects of Jira, but JIRA_URL is not set" in ended.stderr
    assert not (shell.folder / "data").exists()
    assert shell.run("sync", "octo/app", "--only", "github").returncode == 0


def test_only_jira_without_projects(shell: Shell) -> None:
    (shell.folder / "repositories.yaml").write_text("repositories: []\n")
    for more in ([], ["--dry-run"]):
        ended = shell.run("sync", "--only", "jira", *more)
        assert ended.returncode == 2
        assert "No project of Jira is selected" in ended.stderr
    assert "nothing of Jira is read" in shell.run("doctor").stdout


def test_jira_down_leaves_pull_requests_published(shell: Shell, jira: JiraSandbox) -> None:
    jira.faults.append(Fault("/rest/", 500, times=99))
    ended = shell.run("sync", "octo/app", "--json")
    assert ended.returncode == 1
    assert '"mode": "failed"' in ended.stdout
    assert "ABC: Jira answered 500." in ended.stderr
    assert shell.published("SELECT count(*) FROM pull_requests") == [(3,)]


def test_one_unknown_project_is_said_and_the_other_read(shell: Shell) -> None:
    select(shell.folder, "[ABC, NOPE]")
    ended = shell.run("sync", "octo/app", "--json")
    assert ended.returncode == 1
    assert "NOPE: Jira shows no project NOPE to this account" in ended.stderr


def test_a_wrong_token(shell: Shell) -> None:
    shell.environment["JIRA_TOKEN"] = "wrong-token-123456"
    for command in (["sync", "--only", "jira"], ["jira", "connect"], ["jira", "projects"]):
        ended = shell.run(*command)
        assert ended.returncode == 2
        assert "does not accept the token" in ended.stderr + ended.stdout
        assert "wrong-token" not in ended.stderr + ended.stdout


def test_the_cost_beforehand(shell: Shell) -> None:
    (found,) = shell.json("sync", "--only", "jira", "--dry-run", "--json")
    assert (found["project"], found["issues"], found["requests"]) == ("ABC", 12, 5 + 1 + 1 + 1)
    assert "12" in shell.run("sync", "--dry-run").stdout


def test_100_000_issues_on_paper() -> None:
    from prpipeline.app.jira import history_requests

    assert history_requests(100_000, is_cloud=True) == 1_225


def test_what_a_token_is_good_for(shell: Shell, jira: JiraSandbox, world: World) -> None:
    ended = shell.run("jira", "connect")
    assert ended.returncode == 0
    assert "accepts the API token without scopes" in ended.stdout
    assert "Reader (712020:reader), time zone UTC" in ended.stdout
    jira.tokens = [Token("scoped-token-1234", world.bot, "scoped")]
    shell.environment["JIRA_TOKEN"] = "scoped-token-1234"
    ended = shell.run("jira", "connect")
    assert ended.returncode == 2
    assert f"set JIRA_URL={jira.gateway_url}" in ended.stderr
    shell.environment["JIRA_URL"] = jira.gateway_url
    assert "API token with scopes" in shell.run("jira", "connect").stdout


def test_the_projects_that_may_be_selected(shell: Shell, world: World) -> None:
    world.add_project("XYZ").is_browsable = False
    world.add_project("OPS")
    found = shell.json("jira", "projects", "--json")
    assert [(p["project_key"], p["is_selected"]) for p in found] == [("ABC", True), ("OPS", False)]
    assert "selected" in shell.run("jira", "projects").stdout


def test_the_doctor_knows_jira(shell: Shell) -> None:
    select(shell.folder, "[ABC, NOPE]")
    said = shell.run("doctor").stdout
    assert "Jira ABC: Project ABC (ABC) may be browsed." in said
    assert "Jira NOPE: Jira shows no project NOPE" in said


def test_the_doctor_says_why_the_last_sync_of_a_project_failed(shell: Shell, world: World) -> None:
    world.issues[10_003].fields["resolutiondate"] = "yesterday"
    assert shell.run("sync", "--only", "jira").returncode == 1
    said = " ".join(shell.run("doctor").stdout.split())
    assert (
        "Jira ABC: It may be browsed, but its last sync failed: Jira gives issues that cannot be right"
        in said
    )


def test_without_jira_a_sync_hardly_looks_for_it(shell: Shell) -> None:
    """At most one statement of a sync that finds nothing, and of a status, asks whether there are tables of Jira."""
    (shell.folder / "repositories.yaml").write_text("repositories: []\n")
    shell.environment = {k: v for k, v in shell.environment.items() if not k.startswith("JIRA_")}
    code = """
import sys
import duckdb
from click.testing import CliRunner
from prpipeline.cli.main import cli

said, connect = [], duckdb.connect

class Listening:
    def __init__(self, connection):
        self.connection = connection
    def execute(self, statement, *values, **named):
        said.append(f"{statement} {values}")
        return self.connection.execute(statement, *values, **named)
    def cursor(self):
        return Listening(self.connection.cursor())
    def __getattr__(self, name):
        return getattr(self.connection, name)
    def __enter__(self):
        return self
    def __exit__(self, *failure):
        self.connection.close()

duckdb.connect = lambda *values, **named: Listening(connect(*values, **named))
for command in (["sync", "octo/app"], ["sync"], ["status"]):
    said.clear()
    assert CliRunner().invoke(cli, command).exit_code == 0, command
    if command != ["sync", "octo/app"]:
        print(len(said) > 10, sum("'jira" in each or ".jira" in each for each in said) <= 1)
print([name for name in sys.modules if name.startswith(("prpipeline.jira", "prpipeline.app.jira", "prpipeline.sync.jira"))])
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], env=Shell.kept() | shell.environment, capture_output=True, text=True
    )
    assert ended.stdout.splitlines()[-3:] == ["True True", "True True", "[]"], ended.stdout + ended.stderr


@pytest.mark.slow
def test_without_jira_nothing_of_it_is_there(shell: Shell) -> None:
    (shell.folder / "repositories.yaml").write_text("repositories: []\n")
    shell.environment = {k: v for k, v in shell.environment.items() if not k.startswith("JIRA_")}
    code = """
import sys
from click.testing import CliRunner
from prpipeline.cli.main import cli
for command in (["sync", "octo/app"], ["status"]):
    assert CliRunner().invoke(cli, command).exit_code == 0, command
from prpipeline.definitions import build_definitions
from prpipeline.settings import load_settings
found = build_definitions(load_settings())
assert not any("jira" in key.to_user_string() for key in found.resolve_asset_graph().get_all_asset_keys())
print([name for name in sys.modules if name.startswith(("prpipeline.jira", "prpipeline.app.jira", "prpipeline.defs.jira"))])
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], env=Shell.kept() | shell.environment, capture_output=True, text=True
    )
    assert ended.stdout.strip().endswith("[]"), ended.stdout + ended.stderr
    shown = (
        "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() WHERE NOT internal"
    )
    of_jira = f"FROM ({shown}) WHERE table_name LIKE '%jira%' OR table_name LIKE '%issue%'"
    assert shell.published(of_jira) == [("compat_issue_metrics",)]  # of pull requests
    assert (
        shell.published(
            f"FROM data_dictionary WHERE table_name IN (SELECT table_name {of_jira}) AND table_name <> 'compat_issue_metrics'"
        )
        == []
    )
