"""The story of an issue, and the issues in the story of a pull request."""

from __future__ import annotations

import json

from prpipeline.sandbox.jira import World
from prpipeline_tests.support.jira_lab import SITE, let_pass
from prpipeline_tests.support.shell import Shell


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


def test_a_former_key_leads_to_the_issue(synced: Shell, world: World) -> None:
    """Also where nothing but Jira changed."""
    world.move(world.issues[10_002], world.add_project("NEW"))
    world.create(world.projects[10_000], "Later")
    let_pass(world, minutes=5)
    answer = synced.json("sync", "--only", "jira", "--reconcile", "--json")
    assert [(each["mode"], each["errors"]) for each in answer["jira"]] == [("increment", [])]
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
    page = (synced.folder / "data" / "published" / "review_time_report.html").read_text(encoding="utf-8")
    issues = json.loads(page.partition('id="content">')[2].partition("</script>")[0])["issues"]
    assert (issues["projects"], len(issues["linked"]), len(issues["steps"]["rows"])) == ("ABC", 1, 1)
    step = dict(zip(issues["steps"]["columns"], issues["steps"]["rows"][0], strict=True))
    assert step["row"] == issues["linked"][0]
