"""The story of an issue, and the issues in the story of a pull request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline.sandbox.jira import World
from prpipeline_tests.support.jira_lab import let_pass, small_world
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import small_world as github_world


@pytest.fixture
def github() -> Iterator[Sandbox]:
    world = github_world(2)
    first = world.open_pull_request("octo/app", "ann", "ABC-2: mend it", head="abc-2-ABC-99-mend")
    world.review(first, "bob", "APPROVED")
    world.merge(first, "bob")
    with Sandbox(world) as server:
        yield server


@pytest.fixture
def world() -> World:
    world, _ = small_world(4)
    issue = world.issues[10_002]
    for status in ("10", "3", "10"):
        let_pass(world, hours=2)
        world.transition(issue, status)
    return world


def test_the_life_of_an_issue(shell: Shell) -> None:
    shell.run("sync", "octo/app")
    said = shell.run("explain", "abc-2").stdout
    lines = said.splitlines()
    assert lines[0] == "ABC-2  Work 1"
    assert "It is Done (done)." in lines
    spans = [line.split()[0] for line in lines[lines.index("In which status it was (UTC)") + 1 :][:5]]
    assert spans == ["To", "In", "Done", "In", "Done"]
    (link,) = (line for line in lines if "octo/app#3" in line)
    assert "merged, reviewed after" in link
    assert "(in the title and branch)" in link
    assert any(line.split()[:2] == ["times_reopened", "1"] for line in lines)
    assert said == shell.run("explain", f"{shell.environment['JIRA_URL']}/browse/ABC-2?x=1").stdout


def test_a_pull_request_says_which_issues_it_is_about(shell: Shell) -> None:
    shell.run("sync", "octo/app")
    said = shell.run("explain", "octo/app#3").stdout
    assert "issue ABC-2 (in the title and branch): Work 1; Done (done)" in said
    assert "issue ABC-99 (in the branch), of which nothing is known" in said


def test_a_former_key_leads_to_the_issue(shell: Shell, world: World) -> None:
    shell.run("sync", "octo/app")
    world.move(world.issues[10_002], world.add_project("NEW"))
    let_pass(world, minutes=5)
    assert shell.run("sync", "--reconcile").returncode == 0
    said = shell.run("explain", "ABC-2").stdout
    assert "NEW-1  Work 1" in said
    assert "ABC-2 is a former key of it." in said
    assert "Its project, NEW, is not selected" in said


def test_an_issue_that_is_not_known_is_said_in_one_sentence(shell: Shell) -> None:
    shell.run("sync", "octo/app")
    ended = shell.run("explain", "ABC-77")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: There is no issue ABC-77 in this database")


def test_without_jira_there_are_no_issues(shell: Shell) -> None:
    (shell.folder / "repositories.yaml").write_text("repositories: []\n")
    shell.run("sync", "octo/app")
    ended = shell.run("explain", "ABC-2")
    assert ended.returncode == 2
    assert "There are no issues of Jira in this database" in ended.stderr
    page = (shell.folder / "data" / "published" / "review_time_report.html").read_text(encoding="utf-8")
    assert '"issues":null' in page
    assert "issue" not in shell.run("explain", "octo/app#3").stdout


def test_the_report_has_a_section_of_issues_only_with_jira(shell: Shell) -> None:
    def content() -> Any:
        page = (shell.folder / "data" / "published" / "review_time_report.html").read_text(encoding="utf-8")
        return json.loads(page.partition('id="content">')[2].partition("</script>")[0])

    shell.run("sync", "octo/app", "--only", "github")
    shell.run("sync")
    issues = content()["issues"]
    assert (issues["projects"], len(issues["linked"]), len(issues["steps"]["rows"])) == ("ABC", 1, 1)
    step = dict(zip(issues["steps"]["columns"], issues["steps"]["rows"][0], strict=True))
    assert step["row"] == issues["linked"][0]
