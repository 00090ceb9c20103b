"""Cases of REST alone: lists that shift while they are read, conditional requests, reused names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Fault, Sandbox, World
from prpipeline.sandbox.messages import Request
from prpipeline.settings import Settings, load_settings
from prpipeline.sync import SyncOptions, SyncResult
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import TOKEN, SyncLab, busy_pull_request, let_pass, small_world


@pytest.fixture
def world() -> World:
    return small_world(5)


@pytest.fixture
def here(world: World, server: Sandbox, tmp_path: Path) -> SyncLab:
    """Three pages of pull requests: of the history's requests 3 asks for the first, 10 for the second, 18 for the third."""
    return SyncLab(world, server, tmp_path, "rest", page_size=2)


def at_request(server: Sandbox, number: int, do: Callable[[], object]) -> None:
    def hook(request: Request) -> None:
        if len(server.requests) == number:
            do()

    server.before_request = hook


@pytest.mark.parametrize("number", some_slow([3, 5, 11, 14], 5, 11))
def test_a_pull_request_deleted_while_the_list_is_read(here: SyncLab, number: int) -> None:
    """Later pull requests move to the page before, which was already read."""
    pulls = here.world.repository("octo/app").pull_requests
    at_request(here.server, number, lambda: here.world.delete_pull_request(pulls[1]))
    assert here.sync()[0].error is None
    numbers = {row[3] for row in here.held()["pull_requests"]}
    assert numbers >= set(pulls)
    here.sync(SyncOptions(reconcile=True))
    here.assert_equal()


@pytest.mark.parametrize(
    ("number", "days_back"),
    some_slow([(number, days) for number in (3, 11, 14) for days in (None, 30)], (11, None), (3, 30)),
)
def test_changes_while_a_history_is_read(here: SyncLab, number: int, days_back: int | None) -> None:
    at_request(here.server, number, here.live)
    assert here.sync(SyncOptions(days_back=days_back))[0].error is None
    assert here.sync()[0].error is None
    here.assert_equal()


def test_children_that_move_to_another_page(here: SyncLab) -> None:
    pr = busy_pull_request(here.world)

    def hook(request: Request) -> None:
        if request.path.endswith("/reviews") and request.query.get("page") == "2" and len(pr.reviews) == 120:
            here.world.delete_review(pr.reviews[5])

    here.server.before_request = hook
    assert here.sync()[0].error is None
    here.assert_equal()


def test_an_unchanged_repository_costs_one_free_request(here: SyncLab) -> None:
    here.sync()
    here.sync()
    here.server.reset_requests()
    (result,) = here.sync()
    assert (result.mode, result.error) == ("unchanged", None)
    assert [(request.status, request.points) for request in here.server.requests] == [(304, 0)]


def test_an_unchanged_full_page_may_have_a_new_next_page(tmp_path: Path) -> None:
    world = small_world(100)
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, "rest", page_size=50)
        (repository, _) = here.source.repository(RepositoryName("octo", "app"))
        assert here.source.probe([repository]).probes[repository.repository_id].cursor is None
        again = here.source.probe([repository]).probes[repository.repository_id]
        assert server.requests[-1].status == 304
        assert again.cursor == "2"
        assert len(again.heads) == 100


def test_the_hundred_and_first_review_is_read(here: SyncLab) -> None:
    pr = busy_pull_request(here.world, children=100)
    here.sync()
    let_pass(here.world, timedelta(hours=1))
    here.world.review(pr, "late", "APPROVED")
    let_pass(here.world, timedelta(hours=1))
    assert here.sync()[0].mode == "increment"
    here.assert_equal()


def test_a_name_that_was_reused_for_another_repository(here: SyncLab) -> None:
    here.sync()
    before = here.held()["pull_requests"]
    world = here.world
    world.rename_repository("octo/app", "moved")
    other = world.add_repository("octo/app")
    world.open_pull_request(other, "mallory", "Not ours")
    (result,) = here.sync()
    assert (result.error, result.repository) == (None, "octo/moved")
    here.sync()
    assert [row[:4] for row in here.held()["pull_requests"]] == [row[:4] for row in before]


@pytest.mark.parametrize(("first", "second"), [("graphql", "rest"), ("rest", "graphql")])
def test_a_history_begun_by_the_other_api_starts_again(
    world: World, server: Sandbox, tmp_path: Path, first: str, second: str
) -> None:
    before = SyncLab(world, server, tmp_path, first, page_size=2)
    server.faults.add(Fault("status", after=1 if first == "graphql" else 11, times=None))
    assert before.sync()[0].failed
    assert before.tracked().history_cursor
    server.faults.clear()
    after = SyncLab(world, server, tmp_path, second, page_size=2, first_commit_by_rest=True)
    assert after.sync()[0].error is None
    after.assert_equal()


def test_repositories_of_an_owner(here: SyncLab) -> None:
    here.world.add_repository("octo/old", archived=True)
    here.world.add_repository("octo/fork", fork=True)
    found = {(r.full_name, r.is_archived, r.is_fork) for r in here.source.owner_repositories("octo")}
    assert found == {("octo/app", False, False), ("octo/old", True, False), ("octo/fork", False, True)}


def run_of_its_own(settings: Settings) -> list[SyncResult]:
    pipeline = Pipeline(settings)
    return list(pipeline.sync(pipeline.tracking.tracked(), SyncOptions()))


def test_the_next_run_uses_the_etags_of_the_last(tmp_path: Path) -> None:
    world = small_world(2)
    with Sandbox(world) as server:
        settings = load_settings(
            {
                "GITHUB_API_URL": server.url,
                "GITHUB_TOKEN": TOKEN,
                "PRPIPELINE_GITHUB_API": "rest",
                "PRPIPELINE_DATA_DIR": str(tmp_path),
            }
        )
        pipeline = Pipeline(settings)
        name = RepositoryName("octo", "app")
        pipeline.tracking.track([name], tracked_by="cli")
        for _ in range(2):  # the history does not probe
            assert [result.error for result in run_of_its_own(settings)] == [None]
        server.reset_requests()
        assert [result.mode for result in run_of_its_own(settings)] == ["unchanged"]
        assert [(request.status, request.points) for request in server.requests] == [(304, 0)]

        let_pass(world, timedelta(hours=1))
        world.review(next(iter(world.repository("octo/app").pull_requests.values())), "grace", "APPROVED")
        (result,) = run_of_its_own(settings)
        assert (result.mode, result.pull_requests) == ("increment", 1)

        pipeline.tracking.untrack([name], delete_data=True)
        with pipeline.warehouse.transaction() as connection:
            assert connection.execute("SELECT count(*) FROM meta.etags").fetchall() == [(0,)]
