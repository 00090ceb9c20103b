"""People are numbers, logins are labels: all rows have the newest login, and former ones are remembered."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from prpipeline.model.pull_requests import Actor
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Sandbox, World
from prpipeline.sync import SyncOptions
from prpipeline.warehouse import people, tracking
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, small_world

RECONCILE = SyncOptions(reconcile=True)
APIS = ("graphql", "rest")
NOON = datetime(2026, 5, 1, 12)


def logins(lab: SyncLab, actor_id: int) -> list[str]:
    """All logins of an account, the newest first."""
    with lab.warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT login FROM raw.actor_logins WHERE actor_id = ? ORDER BY last_read_at DESC, first_read_at DESC",
            [actor_id],
        ).fetchall()
    return [login for (login,) in rows]


def age(lab: SyncLab) -> None:
    """Close what is open, and let so much time pass that reconciling no longer reads it for its age."""
    for name in lab.names:
        for pull_request in lab.world.repository(name).pull_requests.values():
            if pull_request.state == "OPEN":
                lab.world.close(pull_request)
    lab.wait(days=60)
    for name in lab.names:
        lab.world.close(lab.world.open_pull_request(name, "newcomer", "Recent"))
    lab.wait(hours=1)


def world_with_eve() -> World:
    """Eve is an author, a reviewer, an actor and a subject of events, and who merged; in two repositories."""
    world = small_world(4, ("octo/app", "octo/lib"))
    for name in ("octo/app", "octo/lib"):
        own = world.open_pull_request(name, "eve", "Hers")
        world.review(own, "grace", "COMMENTED")
        other = world.open_pull_request(name, "ada", "Another's")
        world.request_review(other, "eve")
        world.review(other, "eve", "APPROVED")
        world.merge(other, "eve")
    return world


@pytest.mark.parametrize("api", some_slow(APIS, "graphql"))
def test_a_new_login_is_on_all_rows_as_soon_as_one_is_read(tmp_path: Path, api: str) -> None:
    world = world_with_eve()
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, api)
        age(lab)
        lab.sync()
        lab.sync()
        eve = world.actor("eve")
        world.rename_user(eve, "evelyn")
        world.review(next(iter(world.repository("octo/app").pull_requests.values())), eve, "COMMENTED")
        lab.wait(hours=1)
        server.reset_requests()
        before = lab.tracked("octo/lib").changed_at
        read = [result.pull_requests for result in lab.sync()]
        assert read == [1, 0], "the other rows get it without a request"
        lab.assert_equal()
        assert logins(lab, eve.id) == ["evelyn", "eve"]
        assert (lab.tracked("octo/lib").changed_at or before) > before  # type: ignore[operator]


@pytest.mark.parametrize("api", APIS)
def test_reconciling_finds_the_login_of_an_author_without_reading_the_pull_request(
    tmp_path: Path, api: str
) -> None:
    world = world_with_eve()
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, api)
        age(lab)
        lab.sync()
        world.rename_user("eve", "evelyn")
        assert all(result.mode == "unchanged" for result in lab.sync())
        assert [result.pull_requests for result in lab.sync(RECONCILE)] == [1, 1], "the recent ones"
        lab.assert_equal()


def test_a_login_that_another_account_took_over(tmp_path: Path) -> None:
    world = world_with_eve()
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path, synced=True)
        world.rename_user("eve", "evelyn")
        impostor = world.add_user("eve")
        world.review(next(iter(world.repository("octo/app").pull_requests.values())), impostor, "COMMENTED")
        lab.wait(hours=1)
        lab.sync(RECONCILE)
        lab.assert_equal()
        assert logins(lab, impostor.id) == ["eve"]


def test_a_login_and_back_again(tmp_path: Path) -> None:
    world = world_with_eve()
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path)
        eve = world.actor("eve")
        for login in ("evelyn", "eve"):
            lab.sync()
            world.rename_user(eve, login)
            lab.wait(hours=1)
            lab.sync(RECONCILE)
            lab.assert_equal()
        assert logins(lab, eve.id) == ["eve", "evelyn"]


def test_what_was_read_later_counts_not_what_was_written_later(tmp_path: Path) -> None:
    """Two workers may write their answers in another order than they got them."""
    with Sandbox(small_world(1)) as server:
        lab = SyncLab(server.world, server, tmp_path)
        lab.sync()
        author = lab.held()["pull_requests"][0][6]
        hour = timedelta(hours=1)
        with lab.warehouse.transaction() as connection:
            later = datetime(2030, 1, 1)
            people.note(connection, [([Actor(author, "newest", False)], later)])
            people.note(connection, [([Actor(author, "between", False)], later - hour)])
        assert lab.held()["pull_requests"][0][7] == "newest"
        assert logins(lab, author)[:2] == ["newest", "between"]
        # The next answer of the older state does not bring the old login back either.
        lab.sync(SyncOptions(full=True))
        assert lab.held()["pull_requests"][0][7] == "newest"


def test_people_of_deleted_data_are_forgotten(tmp_path: Path) -> None:
    world = small_world(2, ("octo/app", "octo/lib"))
    only_here = world.actor("only-here")
    world.review(next(iter(world.repository("octo/lib").pull_requests.values())), only_here, "COMMENTED")
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path)
        lab.sync()
        assert logins(lab, only_here.id) == ["only-here"]
        with lab.warehouse.transaction() as connection:
            tracking.untrack(connection, RepositoryName("octo", "lib"), delete_data=True)
        assert logins(lab, only_here.id) == []
        assert logins(lab, world.actor("dev-1").id) == ["dev-1"]


def test_teams_are_no_people(tmp_path: Path) -> None:
    world = small_world(0)
    pull_request = world.open_pull_request("octo/app", "ada")
    world.request_review(pull_request, "octo/core")
    with Sandbox(world) as server:
        lab = SyncLab(world, server, tmp_path)
        lab.sync()
        with lab.warehouse.transaction() as connection:
            found = connection.execute("SELECT login FROM raw.actor_logins").fetchall()
        assert found == [("ada",)]
