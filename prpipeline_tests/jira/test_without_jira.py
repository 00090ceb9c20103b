"""Who selects no project of Jira: nothing of it is loaded, asked, stored or shown."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.shell import Shell

# Runs commands, and writes what each of them asked DuckDB for, and which modules of Jira were loaded in the end.
LISTENS = """
import json, sys
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
statements = []
for command in (["sync", "octo/app"], ["sync"], ["status"]):
    said.clear()
    assert CliRunner().invoke(cli, command).exit_code == 0, command
    statements.append(list(said))
ours = ("prpipeline.jira", "prpipeline.app.jira", "prpipeline.sync.jira")
print(json.dumps({"statements": statements, "modules": [name for name in sys.modules if name.startswith(ours)]}))
"""

DEFINES = """
import sys
from prpipeline.definitions import build_definitions
from prpipeline.settings import load_settings
found = build_definitions(load_settings())
assert not any("jira" in key.to_user_string() for key in found.resolve_asset_graph().get_all_asset_keys())
print([name for name in sys.modules if name.startswith(("prpipeline.jira", "prpipeline.app.jira", "prpipeline.defs.jira"))])
"""


@dataclass
class Ran:
    """After two syncs and a status, of which the statements are."""

    shell: Shell
    statements: list[list[str]]
    modules: list[str]
    asked: list[str]


@pytest.fixture(scope="module")
def ran(github: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("without")
    (folder / "repositories.yaml").write_text("repositories: []\n")
    environment = {
        "GITHUB_API_URL": github.url,
        "GITHUB_TOKEN": "sandbox-token",
        "PRPIPELINE_DATA_DIR": str(folder / "data"),
        "PRPIPELINE_REPOSITORIES": str(folder / "repositories.yaml"),
    }
    before = len(github.requests)
    found = json.loads(_python(LISTENS, environment))
    asked = [request.path for request in github.requests[before:]]
    return Ran(Shell(folder, environment), found["statements"], found["modules"], asked)


def _python(code: str, environment: dict[str, str]) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", code], env=Shell.kept() | environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()[-1]


def test_without_jira_a_sync_hardly_looks_for_it(ran: Ran) -> None:
    """At most one statement of a sync that finds nothing, and of a status, asks whether there are tables of Jira."""
    for said in ran.statements[1:]:
        assert len(said) > 10
        assert sum("'jira" in each or ".jira" in each for each in said) <= 1
    assert ran.modules == []


def test_without_jira_there_are_no_issues(ran: Ran) -> None:
    ended = ran.shell.run("explain", "ABC-2")
    assert ended.returncode == 2
    assert "There are no issues of Jira in this database" in ended.stderr
    published: Path = ran.shell.folder / "data" / "published"
    assert '"issues":null' in (published / "review_time_report.html").read_text(encoding="utf-8")
    assert "issue" not in ran.shell.run("explain", "octo/app#3").stdout


def test_who_uses_no_jira_asks_for_no_profiles(ran: Ran) -> None:
    assert ran.asked
    assert not [path for path in ran.asked if "/users/" in path]


def test_without_jira_nothing_of_it_is_there(ran: Ran) -> None:
    shown = (
        "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() WHERE NOT internal"
    )
    of_jira = f"FROM ({shown}) WHERE table_name LIKE '%jira%' OR table_name LIKE '%issue%'"
    assert ran.shell.published(of_jira) == [("compat_issue_metrics",)]  # of pull requests
    rows: list[Any] = ran.shell.published(
        f"FROM data_dictionary WHERE table_name IN (SELECT table_name {of_jira}) AND table_name <> 'compat_issue_metrics'"
    )
    assert rows == []


@pytest.mark.slow
def test_without_jira_dagster_has_no_asset_of_it(ran: Ran) -> None:
    assert _python(DEFINES, ran.shell.environment) == "[]"
