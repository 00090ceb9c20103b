"""Changelogs of any length, through a sync to the spans of statuses: each change once, in order, none lost at a page's end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import Issue, Quirks, World
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.issue_lab import IssueLab, issue_lab
from prpipeline_tests.support.jira_lab import assert_equal, let_pass
from prpipeline_tests.support.slow import some_slow

LENGTHS = (0, 1, 100, 101, 1_000)
STATUSES = ("3", "4", "1")


def _busy(world: World, issue: Issue, changes: int) -> None:
    for number in range(changes):
        let_pass(world, seconds=30)
        world.transition(issue, STATUSES[number % 3], author=world.bot if number % 2 else None)


@dataclass
class Busy:
    """A lab, synced and computed, and how many changes each of its issues had."""

    lab: IssueLab
    lengths: tuple[int, ...]


LONGEST = (4_001, 10_001)  # more than a page of changelogs, and than two


@pytest.fixture(
    scope="module",
    params=[
        ("cloud", LONGEST[0]),
        ("data-center", 102),  # which has no pages of changelogs
        pytest.param(("cloud", LONGEST[1]), marks=pytest.mark.slow),
        pytest.param(("data-center", LONGEST[1]), marks=pytest.mark.slow),
    ],
    ids=str,
)
def busy(request: pytest.FixtureRequest) -> Iterator[Busy]:
    edition, longest = request.param
    lengths = (*LENGTHS, longest)
    world = World(ManualClock())
    project = world.add_project("ABC")
    for length in lengths:
        _busy(world, world.create(project), length)
    let_pass(world, hours=1)
    with issue_lab(world, lasting_folder(), edition=edition) as lab:
        lab.compute()
        yield Busy(lab, lengths)


def test_every_change_is_stored(busy: Busy) -> None:
    assert_equal(busy.lab)
    stored = busy.lab.table(
        "SELECT issue_id, count(change_id) AS n, count(DISTINCT change_id) AS each, count(author_id) AS authors "
        "FROM raw.jira_issues LEFT JOIN raw.jira_changes USING (issue_id) GROUP BY ALL ORDER BY issue_id"
    )
    assert [(row["n"], row["each"], row["authors"]) for row in stored] == [
        (n, n, n // 2) for n in busy.lengths
    ]


def test_every_status_that_lasted_is_a_span(busy: Busy) -> None:
    spans = busy.lab.table(
        "SELECT count(*) AS n, count(hours) AS ended, sum(epoch(ended_at - started_at))::BIGINT AS seconds "
        "FROM metrics.issue_status_spans GROUP BY issue_id ORDER BY issue_id"
    )
    assert [(row["n"], row["ended"]) for row in spans] == [(n + 1, n) for n in busy.lengths]
    assert [row["seconds"] or 0 for row in spans] == [30 * n for n in busy.lengths]


def test_pages_hold_four_thousand_changes_at_most(busy: Busy) -> None:
    server = busy.lab.server
    paths = [request for request in server.requests if request.path.endswith("changelog/bulkfetch")]
    if server.edition == "cloud":
        assert len(paths) == -(-sum(busy.lengths) // 4_000)
        assert not any(path.endswith("/changelog") for path in server.paths())  # no chain was broken
    else:
        assert not paths


@pytest.mark.parametrize("page", some_slow([1, 7, 100], 7))
def test_an_issues_changes_may_be_spread_over_pages(tmp_path: Path, page: int) -> None:
    world = World(ManualClock())
    project = world.add_project("ABC")
    for length in (0, 6, 7, 8, 0, 15):
        _busy(world, world.create(project), length)
    let_pass(world, hours=1)
    with issue_lab(world, tmp_path, quirks=Quirks(changes_a_page=page)) as lab:
        assert_equal(lab)
        assert not any(path.endswith("/changelog") for path in lab.server.paths())


@pytest.mark.parametrize("lost", some_slow([100, 10], 100))
def test_sources_that_disagree_are_settled_by_the_issues_own(tmp_path: Path, lost: int) -> None:
    """The bulk endpoint lacks the oldest entries and one in between: the chain breaks, and the issue is read by itself."""
    world = World(ManualClock())
    issue = world.create(world.add_project("ABC"))
    _busy(world, issue, 131)
    let_pass(world, hours=1)
    quirks = Quirks(bulk_lacks={issue.id: lost}, bulk_skips={issue.id: 120})
    with issue_lab(world, tmp_path, quirks=quirks) as lab:
        assert_equal(lab)
        assert lab.server.paths().count(f"issue/{issue.id}/changelog") == 2  # 131 entries, 100 a page
