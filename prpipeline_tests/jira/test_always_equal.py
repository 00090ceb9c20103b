"""Whatever happens to issues, in whatever order syncs and reconciliations come: in the end the warehouse has what Jira has."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import Issue, JiraSandbox, Quirks, World
from prpipeline_tests.support.jira_lab import JiraLab, expected, let_pass
from prpipeline_tests.support.slow import some_slow

VANISHED = 5  # of a project; more at once would be taken for a lost permission

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.integers(0, 1)),
        st.tuples(
            st.sampled_from(
                ["transition", "points", "move", "move out", "hide", "show", "delete", "archive"]
            ),
            st.integers(0, 10_000),
        ),
        st.tuples(st.just("rename"), st.integers(0, 1)),
        st.tuples(st.sampled_from(["sync", "reconcile", "full", "wait", "restart"]), st.integers(0, 90)),
    ),
    min_size=5,
    max_size=40,
)


class Lives:
    """A world of two selected projects and one that is not."""

    def __init__(self, lab: JiraLab) -> None:
        self.lab, self.world = lab, lab.world
        self.projects = list(self.world.projects.values())
        self.seen: set[int] = set()
        self.hidden: set[int] = set()
        self.vanished = 0
        self.names = 0

    def do(self, what: str, number: int) -> None:
        world = self.world
        let_pass(world, seconds=1 + number % 50)
        if what in {"sync", "reconcile", "full"}:
            self.lab.sync_well(full=what == "full", reconcile=what == "reconcile")
            self.seen |= self.lab.stored().keys()
        elif what == "wait":
            let_pass(world, minutes=number)
        elif what == "restart":
            self.lab.server.forget_page_tokens()
        elif what == "create":
            world.create(self.projects[number], f"Created {number}")
        elif what == "rename":
            self.names += 1
            world.rename_project(self.projects[number], f"N{self.names}")
        else:
            issues = [issue for issue in world.issues.values() if not issue.is_deleted]
            self.change(what, issues[number % len(issues)], number)

    def change(self, what: str, issue: Issue, number: int) -> None:
        world = self.world
        if what == "show":
            issue.is_hidden = False
        elif what in {"hide", "delete"}:
            self.vanished += 1
            if self.vanished > VANISHED:
                return
            issue.is_hidden = issue.is_hidden or what == "hide"
            self.hidden.add(issue.id)
            if what == "delete":
                world.delete(issue)
        elif not issue.is_hidden:
            if what == "transition":
                world.transition(issue, ("1", "3", "4", "10", "11", "99")[number % 6])
            elif what == "points":
                world.set_points(issue, number % 8)
            elif what == "archive":
                issue.is_archived = True
            else:
                target = self.projects[2 if what == "move out" else number % 2]
                if target is not issue.project:
                    world.move(issue, target)

    def check(self) -> None:
        """After all has reached the index, and one reconciliation."""
        let_pass(self.world, hours=2)
        self.lab.sync_well(reconcile=True)
        stored = self.lab.stored()
        for issue in self.world.issues.values():
            is_gone = issue.is_hidden or issue.is_deleted
            if issue.id in self.seen and is_gone:
                assert stored[issue.id][7], issue.key
            elif issue.id in self.seen and issue.is_archived and issue.id in stored:
                assert not stored[issue.id][7]
            elif issue.id in stored and stored[issue.id][7]:
                # Hidden when it was asked for last, and moved since.
                assert issue.id in self.hidden, issue.key
                assert issue.project is self.projects[2]
            elif issue.id in stored:
                assert stored[issue.id] == expected(issue)
            else:
                assert is_gone or issue.is_archived or issue.project is self.projects[2], issue.key
        assert self.lab.rows("SELECT issue_id FROM raw.jira_issues GROUP BY ALL HAVING count(*) > 1") == []
        assert (
            self.lab.rows("SELECT 1 FROM raw.jira_changes GROUP BY issue_id, change_key HAVING count(*) > 1")
            == []
        )
        assert self.lab.rows("SELECT issue_key FROM raw.jira_keys GROUP BY ALL HAVING count(*) > 1") == []
        current = dict(self.lab.rows("SELECT issue_key, issue_id FROM raw.jira_keys WHERE is_current"))
        assert current == {values[0]: issue_id for issue_id, values in stored.items()}


@pytest.mark.examples
@pytest.mark.parametrize("edition", some_slow(["cloud", "data-center"], "cloud"))
@given(steps=STEPS, lag=st.sampled_from([0, 45, 180]), rows=st.sampled_from([2, 5, 100]))
def test_the_warehouse_has_what_jira_has(edition: str, steps: list[Any], lag: int, rows: int) -> None:
    world = World(ManualClock(), lag=timedelta(seconds=lag))
    for key in ("ABC", "XYZ", "OUT"):
        project = world.add_project(key)
        for number in range(6):
            let_pass(world, seconds=40)
            world.create(project, f"Stable {number}")
    let_pass(world, minutes=20)
    quirks = Quirks(ids_a_page=rows, rows_a_page=rows, changes_a_page=3)
    with (
        tempfile.TemporaryDirectory() as folder,
        JiraSandbox(world, edition=edition, quirks=quirks) as server,
    ):
        ids = [str(project.id) for project in list(world.projects.values())[:2]]
        lives = Lives(JiraLab(server, Path(folder), entries=ids))
        for what, number in steps:
            lives.do(what, number)
        lives.check()
