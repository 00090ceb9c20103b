"""Sites with more projects than a page, or a request, holds."""

from __future__ import annotations

from pathlib import Path

from prpipeline.model.failures import NotFound
from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import World
from prpipeline_tests.support.jira_lab import jira_lab

COUNT = 103


def test_more_projects_than_a_page_holds(tmp_path: Path) -> None:
    """Listed whole, and found by key or number in as few requests as the server's page of fifty allows."""
    world = World(ManualClock())
    projects = [world.add_project(f"P{number:03}") for number in range(COUNT)]
    with jira_lab(tmp_path, world) as lab:
        source = lab.open()
        assert {project.project_key for project in source.projects()} == {p.key for p in projects}
        lab.server.requests.clear()
        by_key, by_number = [p.key for p in projects[::2]], [str(p.id) for p in projects[1::2]]
        found = source.find_projects([*by_key, *by_number, "NOPE"])
        source.close()
    assert isinstance(found.pop("NOPE"), NotFound)
    assert {entry: p.project_key for entry, p in found.items()} == {  # type: ignore[union-attr]
        entry: project.key
        for project in projects
        for entry in (project.key, str(project.id))
        if entry in found
    }
    assert len(found) == COUNT
    assert len(lab.server.requests) == 2 + 2 + 1
