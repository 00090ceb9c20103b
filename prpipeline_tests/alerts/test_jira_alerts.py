"""What is wrong with projects of Jira is told as what is wrong with repositories is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prpipeline.sandbox.jira import Fault, JiraSandbox
from prpipeline_tests.alerts.conftest import TARGET, AlertLab
from prpipeline_tests.support.jira_lab import small_world

JIRA = "jira: {projects: [ABC, OPS]}"


@pytest.fixture
def jira(lab: AlertLab) -> Iterator[JiraSandbox]:
    world, _ = small_world(1)
    world.create(world.add_project("OPS"), "One")
    with JiraSandbox(world) as server:
        lab.shell.environment |= server.environment
        # Of a team, too: a project belongs to none.
        lab.configure(f"{{targets: {{ops: {{url: '{TARGET}', teams: [core]}}}}}}", "[]", JIRA)
        yield server


def test_a_forbidden_project_is_told_once_and_when_it_is_well_again(lab: AlertLab, jira: JiraSandbox) -> None:
    ops = next(project for project in jira.world.projects.values() if project.key == "OPS")
    ops.is_browsable = False
    (told,) = lab.read_and_tell()
    assert told["title"] == "prpipeline: Jira OPS failed"
    assert "\n- Jira OPS: " in told["message"]
    assert "may not browse it" in told["message"]
    assert lab.read_and_tell() == []
    ops.is_browsable = True
    (told,) = lab.read_and_tell()
    assert (told["title"], told["message"]) == ("prpipeline: Jira OPS well again", "Well again:\n- Jira OPS")


def test_all_of_jira_down_is_one_line_and_what_is_deselected_is_forgotten(
    lab: AlertLab, jira: JiraSandbox
) -> None:
    jira.faults.append(Fault("/rest/", 502, times=99))
    (told,) = lab.sync("--only", "jira")
    assert told["title"] == "prpipeline: 2 projects of Jira failed"
    assert "- Jira ABC, OPS: Jira answered 502: it was overloaded" in told["message"]
    jira.faults.clear()
    lab.configure(f"{{targets: {{ops: '{TARGET}'}}}}", "[]", "jira: {projects: [ABC]}")
    (told,) = lab.read_and_tell()
    assert told["message"] == "Well again:\n- Jira ABC"


def test_a_project_that_nobody_syncs_is_told(lab: AlertLab, jira: JiraSandbox) -> None:
    assert lab.read_and_tell() == []
    with lab.warehouse() as warehouse:
        warehouse.execute(
            "UPDATE meta.jira_projects SET last_sync_at = last_sync_at - INTERVAL 3 DAY WHERE entry = 'OPS'"
        )
    assert lab.shell.run("alerts").stdout == "Sent: 1 message to ops.\n"
    (told,) = lab.receiver.take()
    assert told["title"] == "prpipeline: Jira OPS not synced"
    assert "- Jira OPS: Not synced for more than 48 hours." in told["message"]
