"""Where GitHub counts more or fewer rows than it lists, for a moment or for good: what there is is kept, and it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from prpipeline.metrics.checks import all_checks
from prpipeline.sandbox.github import Fault, Sandbox, World
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.pipelines import pipeline_on
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, small_world

RECONCILE = SyncOptions(reconcile=True)


def short(lab: SyncLab) -> list[tuple[int | None, int, int]]:
    """What is marked as short: the number of the pull request (None: the repository), GitHub's count, what it lists."""
    with lab.warehouse.transaction() as connection:
        return connection.execute(
            "SELECT number, counted, listed FROM meta.shortfalls ORDER BY number NULLS FIRST"
        ).fetchall()


def told(lab: SyncLab) -> tuple[list[str], int]:
    """What status says, and how many rows the check finds."""
    pipeline = pipeline_on(lab.settings, lab.warehouse)
    (row,) = pipeline.tracking.status()
    (check,) = [check for check in all_checks(None) if check.name == "lists_are_whole"]
    (found,) = pipeline.stored.check([check])
    assert check.severity == "warn"
    return row["short_lists"], found.count


@pytest.mark.parametrize(
    ("api", "pull_requests", "way"),
    some_slow(
        [(api, n, way) for api in ("graphql", "rest") for n in (1, 14, 80) for way in ("counted", "hidden")],
        ("graphql", 1, "hidden"),
        ("graphql", 14, "counted"),
        ("rest", 14, "hidden"),
    ),
)
def test_one_more_pull_request_is_counted_than_listed(
    tmp_path: Path, api: str, pull_requests: int, way: str
) -> None:
    world = small_world(pull_requests + (way == "hidden"))
    repository = world.repository("octo/app")
    if way == "counted":
        world.miscount(repository, +1)
    else:
        world.hide(repository.pull_requests[(pull_requests + 1) // 2])
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, api, page_size=25)
        (result,) = lab.sync()
        assert (result.mode, result.error, result.held) == ("history", None, pull_requests)
        assert short(lab) == [(None, pull_requests + 1, pull_requests)]
        assert told(lab) == (
            [f"GitHub counts {pull_requests + 1:,} pull requests, and lists {pull_requests:,}."],
            1,
        )

        lab.wait(hours=1)
        changed = next(pr for pr in repository.pull_requests.values() if not pr.is_hidden)
        world.review(changed, "late", "APPROVED")
        lab.wait(hours=1)
        (result,) = lab.sync()
        assert (result.mode, result.error) == ("increment", None)
        lab.wait(seconds=5)
        server.reset_requests()
        (result,) = lab.sync()
        assert (result.mode, result.error) == ("unchanged", None)
        assert len(server.requests) == 1, "it is known to be so"

        (result,) = lab.sync(RECONCILE)
        assert (result.error, len(short(lab))) == (None, 1)
        world.miscount(repository, 0)
        for pull_request in repository.pull_requests.values():
            pull_request.is_hidden = False
        repository.version += 1
        (result,) = lab.sync(RECONCILE)
        assert result.error is None
        assert told(lab) == ([], 0)
        lab.assert_equal()


def test_a_review_that_is_counted_and_never_given_holds_up_nobody_else(tmp_path: Path) -> None:
    world = small_world()
    pulls = world.repository("octo/app").pull_requests
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, synced=True)
        lab.wait(hours=1)
        world.miscount(pulls[2], +1)
        for number in (2, 5, 7):
            world.review(pulls[number], "late", "APPROVED")
        lab.wait(hours=1)
        before = lab.tracked().watermark_at
        (result,) = lab.sync()
        assert (result.mode, result.error) == ("increment", None)
        assert (lab.tracked().watermark_at or before) > before  # type: ignore[operator]
        lab.assert_equal()
        given = len(pulls[2].reviews)
        assert short(lab) == [(2, given + 1, given)]
        assert told(lab) == ([f"GitHub counts {given + 1} reviews of #2, and lists {given}."], 1)


def test_a_history_keeps_a_pull_request_that_lacks_a_review(tmp_path: Path) -> None:
    world = small_world()
    world.miscount(world.repository("octo/app").pull_requests[3], +2)
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path)
        (result,) = lab.sync()
        assert (result.mode, result.error) == ("history", None)
        lab.assert_equal()
        assert [number for number, *_ in short(lab)] == [3]


def test_a_review_that_was_only_late_is_read_by_the_next_sync(tmp_path: Path) -> None:
    """Its pull request is as new as the watermark by then, and no longer changes."""
    world = small_world()
    pull_request = world.repository("octo/app").pull_requests[2]
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, synced=True)
        lab.wait(hours=1)
        late = world.review(pull_request, "late", "APPROVED")
        pull_request.reviews.remove(late)
        world.miscount(pull_request, +1)
        lab.wait(hours=1)
        lab.sync()
        assert short(lab)
        pull_request.reviews.append(late)
        world.miscount(pull_request, 0)
        (result,) = lab.sync()
        assert result.mode == "increment"
        lab.assert_equal()
        assert short(lab) == []


def test_after_a_day_only_reconciling_asks_again(tmp_path: Path) -> None:
    world = small_world()
    world.miscount(world.repository("octo/app").pull_requests[3], +1)
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path)
        lab.wait(minutes=1)  # what is read in the very second of its change is read again
        lab.sync()
        lab.wait(hours=2)
        assert lab.sync()[0].pull_requests == 1
        lab.wait(hours=23)
        assert lab.sync()[0].pull_requests == 1
        lab.wait(hours=1)
        assert lab.sync()[0].mode == "unchanged"
        assert len(short(lab)) == 1
        world.miscount(world.repository("octo/app").pull_requests[3], 0)
        lab.sync(RECONCILE)
        assert short(lab) == []


@pytest.mark.parametrize("api", some_slow(["graphql", "rest"], "graphql"))
def test_fewer_are_counted_than_listed(tmp_path: Path, api: str) -> None:
    world = small_world()
    repository = world.repository("octo/app")
    world.miscount(repository, -1)
    world.miscount(repository.pull_requests[3], -1)
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, api)
        for options in (SyncOptions(), SyncOptions(), RECONCILE):
            (result,) = lab.sync(options)
            assert result.error is None
            lab.assert_equal()
            lab.live()
        assert short(lab) == []


def test_events_that_are_counted_and_never_given(tmp_path: Path) -> None:
    """GitHub does not document what pageCount counts: readings that agree are believed, and nothing is marked."""
    world = small_world()
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path)

        server.faults.add(
            Fault("more_events_counted", times=None, match=lambda request: request.operation != "Counts")
        )
        (result,) = lab.sync()
        assert result.error is None
        lab.assert_equal()
        assert short(lab) == []


def cut_off(world: World) -> None:
    world.miscount(world.repository("octo/app"), +9)


def most_lack_reviews(world: World) -> None:
    for pull_request in world.repository("octo/app").pull_requests.values():
        world.miscount(pull_request, +1)


@pytest.mark.parametrize("fault", [cut_off, most_lack_reviews])
def test_what_lacks_too_much_is_no_answer(tmp_path: Path, fault: Callable[[World], None]) -> None:
    """That so much is hidden is less likely than that GitHub is in trouble."""
    world = small_world()
    fault(world)
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path)
        (result,) = lab.sync()
        assert (result.mode, result.failure) == ("failed", "MalformedAnswer")
        assert "GitHub counts" in (result.error or "")
        assert lab.tracked().watermark_at is None
