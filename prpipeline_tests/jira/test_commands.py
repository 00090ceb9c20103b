"""The command line with Jira, as people and scripts use it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline.sandbox.jira import Fault, JiraSandbox, Token, World
from prpipeline_tests.jira.conftest import FirstSync, age_of_issues, github_world, new_shell, select
from prpipeline_tests.support.jira_lab import SITE, let_pass
from prpipeline_tests.support.shell import Shell


def test_a_sync_reads_both_and_publishes(synced: Shell, first_sync: FirstSync) -> None:
    (project,) = first_sync.said["jira"]
    assert (project["project"], project["mode"], project["issues"], project["errors"]) == (
        "ABC",
        "history",
        12,
        [],
    )
    assert project["requests"] > 0
    assert len(first_sync.said["repositories"]) == 1
    assert synced.published("SELECT count(*) FROM issues") == [(12,)]
    again = synced.json("sync", "--json")
    assert [p["mode"] for p in again["jira"]] == ["unchanged"]
    assert [p["project"] for p in synced.json("status", "--json")["jira"]] == ["ABC"]
    assert "projects of Jira" not in synced.run("sync").stdout
    assert "ABC" in synced.run("status").stdout


def test_only_github(synced: Shell, jira: JiraSandbox) -> None:
    ended = synced.json("sync", "--only", "github", "octo/app", "--json")
    assert len(ended["repositories"]) == 1
    assert "jira" not in ended
    assert jira.requests == []


def test_only_jira_names_no_repository(shell: Shell) -> None:
    assert shell.run("sync", "--only", "jira", "octo/app").returncode == 2


def test_projects_without_an_address(synced: Shell) -> None:
    del synced.environment["JIRA_URL"]
    synced.environment["PRPIPELINE_DATA_DIR"] = nowhere = str(synced.folder / "nothing yet")
    ended = synced.run("sync", "octo/app")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "selects projects of Jira, but JIRA_URL is not set" in ended.stderr
    assert not Path(nowhere).exists()
    synced.environment["PRPIPELINE_DATA_DIR"] = str(synced.folder / "data")
    assert synced.run("sync", "octo/app", "--only", "github").returncode == 0


def test_only_jira_without_projects(shell: Shell) -> None:
    (shell.folder / "repositories.yaml").write_text("repositories: []\n")
    for more in ([], ["--dry-run"]):
        ended = shell.run("sync", "--only", "jira", *more)
        assert ended.returncode == 2
        assert "No project of Jira is selected" in ended.stderr
    assert "nothing of Jira is read" in shell.run("doctor").stdout


@pytest.mark.slow
def test_jira_down_leaves_pull_requests_published(shell: Shell, jira: JiraSandbox) -> None:
    jira.faults.append(Fault("/rest/", 500, times=99))
    ended = shell.run("sync", "octo/app", "--json")
    assert ended.returncode == 1
    assert '"mode": "failed"' in ended.stdout
    assert "ABC: Jira answered 500." in ended.stderr
    assert shell.published("SELECT count(*) FROM pull_requests") == [(3,)]


def test_one_unknown_project_is_said_and_the_other_read(shell: Shell) -> None:
    """Also without any repository."""
    select(shell.folder, "[ABC, NOPE]")
    ended = shell.run("sync", "--json")
    assert ended.returncode == 1
    assert "NOPE: Jira shows no project NOPE to this account" in ended.stderr
    found = json.loads(ended.stdout)
    assert found["repositories"] == []
    assert {project["project"]: project["issues"] for project in found["jira"]} == {"ABC": 12, "NOPE": 0}
    assert shell.published("SELECT count(*) FROM issues") == [(12,)]


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


# ── how old issues are ───────────────────────────────────────────────────────────────────────────────


def _content(shell: Shell) -> Any:
    """What the report shows."""
    page = (shell.folder / "data" / "published" / "review_time_report.html").read_text(encoding="utf-8")
    return json.loads(page.partition('id="content">')[2].partition("</script>")[0])


def test_how_old_issues_are_is_shown_while_jira_is_down(
    tmp_path: Path, first_sync: FirstSync, jira: JiraSandbox
) -> None:
    """And a pull request that was opened meanwhile is published."""
    world = github_world()
    world.open_pull_request("octo/app", "ann", "Meanwhile")
    with Sandbox(world) as github:
        shell = new_shell(tmp_path, github, jira)
        shell.go_on_from(first_sync.data)
        failed, synced_at = age_of_issues(shell)
        assert failed == 0
        assert synced_at is not None

        jira.faults.append(Fault("/rest/", 500, times=99))
        with duckdb.connect(str(shell.folder / "data" / "warehouse.duckdb")) as warehouse:  # three days pass
            warehouse.execute("UPDATE meta.jira_projects SET last_sync_at = last_sync_at - INTERVAL 3 DAY")
        synced_at -= timedelta(days=3)
        moment = f"{synced_at:%Y-%m-%dT%H:%M:%SZ}"
        ended = shell.run("sync", "--json")
        assert ended.returncode == 1
        assert '"mode": "failed"' in ended.stdout
        assert "ABC: Jira answered 500." in ended.stderr
        assert shell.published("SELECT count(*) FROM pull_requests") == [(4,)]
        assert age_of_issues(shell) == (1, synced_at)
        assert shell.published("SELECT newest_sync_at > oldest_jira_sync_at FROM pipeline_status") == [
            (True,)
        ]
        status = _content(shell)["status"]
        assert (status["jira_projects_failed"], status["oldest_jira_sync_at"]) == (1, moment)
        (project,) = shell.json("status", "--json")["jira"]
        assert (project["status"], project["last_sync_at"][:19]) == ("failed", synced_at.isoformat()[:19])
        said = " ".join(shell.run("status").stdout.split())
        assert "ABC failed 3 days ago" in said
        assert "ABC: Jira answered 500." in said

        select(shell.folder, "[]")
        shell.environment = {k: v for k, v in shell.environment.items() if not k.startswith("JIRA_")}
        pipeline = shell.pipeline()
        pipeline.follow_jira()
        assert pipeline.has_news()
        pipeline.publish()
        assert age_of_issues(shell) == (None, None), "nothing is selected any more"


def test_issues_that_are_selected_and_not_synced_yet_have_no_age(first_sync: FirstSync) -> None:
    assert first_sync.age_before == (0, None)


# ── the story of an issue, and the issues in the story of a pull request ─────────────────────────────


def test_the_life_of_an_issue(synced: Shell) -> None:
    said = synced.run("explain", "abc-2").stdout
    lines = said.splitlines()
    assert lines[0] == "ABC-2  Work 1"
    assert "It is Done (done)." in lines
    spans = [line.split()[0] for line in lines[lines.index("In which status it was (UTC)") + 1 :][:5]]
    assert spans == ["To", "In", "Done", "In", "Done"]
    (link,) = (line for line in lines if "octo/app#3" in line)
    assert "merged, reviewed after" in link
    assert "(in the title and branch)" in link
    assert any(line.split()[:2] == ["times_reopened", "1"] for line in lines)
    assert said == synced.run("explain", f"{SITE}/browse/ABC-2?x=1").stdout


def test_a_pull_request_says_which_issues_it_is_about(synced: Shell) -> None:
    said = synced.run("explain", "octo/app#3").stdout
    assert "issue ABC-2 (in the title and branch): Work 1; Done (done)" in said
    assert "issue ABC-99 (in the branch), of which nothing is known" in said


@pytest.mark.slow
def test_a_former_key_leads_to_the_issue(synced: Shell, world: World) -> None:
    """Also where nothing but Jira changed."""
    world.move(world.issues[10_002], world.add_project("NEW"))
    world.create(world.projects[10_000], "Later")
    let_pass(world, minutes=5)
    assert synced.run("sync", "--only", "jira", "--reconcile").returncode == 0
    said = synced.run("explain", "ABC-2").stdout
    assert "NEW-1  Work 1" in said
    assert "ABC-2 is a former key of it." in said
    assert "Its project, NEW, is not selected" in said
    assert "ABC-13  Later" in synced.run("explain", "ABC-13").stdout


def test_an_issue_that_is_not_known_is_said_in_one_sentence(synced: Shell) -> None:
    ended = synced.run("explain", "ABC-77")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: There is no issue ABC-77 in this database")


def test_the_report_has_a_section_of_issues(synced: Shell) -> None:
    issues = _content(synced)["issues"]
    assert (issues["projects"], len(issues["linked"]), len(issues["steps"]["rows"])) == ("ABC", 1, 1)
    step = dict(zip(issues["steps"]["columns"], issues["steps"]["rows"][0], strict=True))
    assert step["row"] == issues["linked"][0]


# ── deleting what is stored of projects that are no longer selected ──────────────────────────────────


def test_the_last_project_goes_with_all_that_there_is_of_jira(synced: Shell, jira: JiraSandbox) -> None:
    for name, says in {
        "abc": "ABC is selected, so that the next sync would read it again: take it out",
        "NOPE": "Nothing is stored of a project NOPE; stored are: ABC.",
    }.items():
        refused = synced.run("jira", "delete-data", name)
        assert refused.returncode == 2
        assert says in refused.stderr
    assert synced.published("SELECT count(*) FROM issues") == [(12,)]
    select(synced.folder, "[]")
    ended = synced.run("jira", "delete-data", "abc")
    assert (ended.returncode, ended.stdout) == (0, "ABC: its rows are removed.\n")
    tables = synced.published(
        "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()"
    )
    assert not {"issues", "pull_request_issues"} & {name for (name,) in tables}
    assert synced.published("SELECT count(*) FROM review_time_hours") != [(0,)]
    releases = synced.folder / "data" / "releases"
    assert [release.name for release in releases.iterdir()] == [
        (synced.folder / "data" / "published").resolve().name
    ]
    assert "Nothing is stored of a project abc" in synced.run("jira", "delete-data", "abc").stderr
    assert jira.requests == []


def test_nothing_is_stored_yet(shell: Shell) -> None:
    select(shell.folder, "[]")
    ended = shell.run("jira", "delete-data", "ABC")
    assert (ended.returncode, ended.stderr) == (2, "Error: Nothing is stored yet.\n")
    assert not (shell.folder / "data" / "warehouse.duckdb").exists()
