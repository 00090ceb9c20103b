"""Lists of Jira page by page: short pages, empty ones, tokens that expire or repeat, issues that are left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from prpipeline.sandbox.jira import Fault, Quirks, World
from prpipeline.sandbox.messages import Request
from prpipeline_tests.support.jira_lab import assert_equal, jira_lab, let_pass, small_world, synced_lab
from prpipeline_tests.support.slow import some_slow

EDITIONS = ["cloud", "data-center"]


def _short_pages() -> Quirks:
    return Quirks(ids_a_page=3, rows_a_page=2, changes_a_page=2)


@pytest.mark.parametrize(
    ("edition", "quirks"),
    [
        ("cloud", _short_pages()),
        ("data-center", _short_pages()),
        ("cloud", Quirks(empty_page_first=True)),
        pytest.param("cloud", Quirks(ids_a_page=1, rows_a_page=1), marks=pytest.mark.slow),
    ],
)
def test_pages_may_be_shorter_than_asked(tmp_path: Path, edition: str, quirks: Quirks) -> None:
    world, _ = small_world(5)
    with jira_lab(tmp_path, world, edition=edition, quirks=quirks) as it:
        it.sync_well()
        assert_equal(it)
        for issue in list(world.issues.values())[:3]:
            world.transition(issue, "4")
        let_pass(world, minutes=1)
        assert it.sync_well(reconcile=True)["ABC"].issues == 3
        assert_equal(it)


def test_a_page_token_that_repeats_is_an_error(tmp_path: Path) -> None:
    world, _ = small_world()
    with jira_lab(tmp_path, world, quirks=Quirks(ids_a_page=2, repeats_token=True)) as it:
        result = it.sync()["ABC"]
        assert "leads in a circle" in (result.error or "")
        assert it.watermark() is None


def test_a_page_token_that_expires_on_the_way_starts_the_walk_over(tmp_path: Path) -> None:
    world, _ = small_world()
    with jira_lab(tmp_path, world, quirks=Quirks(ids_a_page=3)) as it:
        asked: list[str] = []

        def forget(request: Request) -> None:
            if request.path.endswith("/search/jql"):
                asked.append(request.path)
                if len(asked) == 3:
                    it.server.forget_page_tokens()

        it.server.before_request = forget
        it.sync_well()
        assert_equal(it)
        bulk = [request for request in it.server.requests if request.path.endswith("/issue/bulkfetch")]
        ids = [i for request in bulk for i in request.json["issueIdsOrKeys"]]
        assert len(ids) == len(set(ids)) == 12


def test_a_history_that_failed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    world, _ = small_world()
    with jira_lab(tmp_path, world, quirks=Quirks(ids_a_page=3), attempts=1) as it:
        it.server.faults.append(Fault("issue/bulkfetch", 500, after=2))
        assert it.sync()["ABC"].failed
        assert len(it.held_keys()) == 6
        it.server.requests.clear()
        it.sync_well()
        assert_equal(it)
        assert it.server.paths().count("issue/bulkfetch") == 2


def test_bulkfetch_that_leaves_one_out_is_asked_for_it_alone(tmp_path: Path) -> None:
    world, _ = small_world()
    with jira_lab(tmp_path, world, quirks=Quirks(bulk_omits={10_003})) as it:
        it.sync_well()
        assert_equal(it)


def test_a_changelog_whose_beginning_is_missing_is_read_by_itself(tmp_path: Path) -> None:
    world, project = small_world(1)
    issue = world.create(project, "Busy")
    for number in range(131):
        let_pass(world, minutes=1)
        world.transition(issue, ("3", "4", "1")[number % 3])
    world.transition(issue, "11")
    with jira_lab(tmp_path, world, quirks=Quirks(bulk_lacks={issue.id: 100})) as it:
        it.sync_well()
        # The stand-in leaves out the oldest, which no break in the chain shows; the entry before the first does.
        world.transition(issue, "3")
        del issue.histories[-2]
        let_pass(world, minutes=1)
        it.sync_well()
        (flag,) = it.rows(f"SELECT has_broken_changes FROM raw.jira_issues WHERE issue_id = {issue.id}")
        assert flag == (True,)
        assert len(it.rows("FROM raw.jira_changes WHERE field = 'status'")) == len(issue.histories)


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("count", some_slow([0, 1, 2, 3, 4, 6], 3))
def test_a_list_that_ends_where_a_page_ends(tmp_path: Path, edition: str, count: int) -> None:
    world, _ = small_world(count)
    with jira_lab(tmp_path, world, edition=edition, quirks=Quirks(ids_a_page=3, rows_a_page=3)) as it:
        assert it.sync_well()["ABC"].issues == count
        assert_equal(it)


@pytest.mark.slow
@pytest.mark.parametrize("edition", EDITIONS)
def test_thirty_seven_of_a_hundred_rows_are_no_end(tmp_path: Path, edition: str) -> None:
    world, _ = small_world(101)
    with jira_lab(tmp_path, world, edition=edition, quirks=Quirks(rows_a_page=37)) as it:
        it.sync_well()
        let_pass(world, hours=1)
        for issue in world.issues.values():
            world.set_points(issue, 3)
        let_pass(world, minutes=1)
        assert it.sync_well()["ABC"].issues == 101
        assert_equal(it)


@pytest.mark.parametrize("count", some_slow([5_000, 5_001], 5_001))
def test_five_thousand_ids_are_a_page(tmp_path: Path, count: int) -> None:
    world = World(small_world(0)[0].clock)
    project = world.add_project("ABC")
    for _ in range(count):
        world.create(project)
    with jira_lab(tmp_path, world) as it:
        source = it.open()
        pages = [len(page.issue_ids) for page in source.walk(project.id, None)]
        assert pages == ([5_000] if count == 5_000 else [5_000, 1])
        assert len(source.all_ids(project.id)) == count
        source.close()


def test_empty_pages_without_end_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prpipeline.jira.cloud._MOST_EMPTY_PAGES", 5)
    world, _ = small_world()
    with jira_lab(tmp_path, world, attempts=1) as it:
        it.server.faults += [
            Fault("search/jql", 200, {"issues": [], "nextPageToken": f"another-{n}"}) for n in range(10)
        ]
        assert "one empty page after the other" in (it.sync()["ABC"].error or "")
        assert sum(fault.times == 0 for fault in it.server.faults) == 6
        assert it.watermark() is None


@pytest.mark.parametrize(("forgotten", "fails"), [(1, False), (99, True)])
def test_a_page_token_that_expires_in_an_increment(tmp_path: Path, forgotten: int, fails: bool) -> None:
    with synced_lab(tmp_path, quirks=Quirks(rows_a_page=3)) as it:
        world = it.world
        before = it.watermark()
        let_pass(world, hours=1)
        for issue in list(world.issues.values())[:4]:
            world.set_points(issue, 5)
        let_pass(world, minutes=1)
        times = [forgotten]

        def forget(request: Request) -> None:
            if b"nextPageToken" in request.body and times[0] > 0:
                times[0] -= 1
                it.server.forget_page_tokens()

        it.server.before_request = forget
        result = it.sync()["ABC"]
        assert result.failed is fails
        it.server.before_request = None
        if fails:
            assert it.watermark() == before
            it.sync_well()
        assert_equal(it)


@pytest.mark.parametrize("left", some_slow([10_003, 10_100], 10_100))
def test_ninety_nine_of_a_hundred(tmp_path: Path, left: int) -> None:
    world, _ = small_world(100)
    with jira_lab(tmp_path, world, quirks=Quirks(bulk_omits={left})) as it:
        assert it.sync_well()["ABC"].issues == 100
        assert it.server.paths().count(f"issue/{left}") == 1
        assert_equal(it)
