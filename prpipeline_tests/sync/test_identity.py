"""GitHub's number identifies a repository: its rows stay with it when names change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Sandbox, World
from prpipeline.sync import SyncOptions
from prpipeline.warehouse import tracking
from prpipeline_tests.support.sync_lab import SyncLab, small_world


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world()) as server:
        yield server


def replace_repository(world: World) -> None:
    """Delete octo/app and add another repository under its name."""
    world.delete_repository("octo/app")
    world.open_pull_request(world.add_repository("octo/app"), "eve", "Impostor")


def test_a_renamed_repository_keeps_its_history_and_its_key(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path)
    lab.sync()
    number = lab.tracked().repository_id
    server.world.rename_repository("octo/app", "application")
    (result,) = lab.sync()
    assert (result.tracked_as, result.repository, result.repository_id) == (
        "octo/app",
        "octo/application",
        number,
    )
    assert result.failed is False
    lab.names = ["octo/app"]
    lab.assert_equal()


def test_a_transferred_repository_keeps_its_history(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path)
    lab.sync()
    server.world.transfer_repository("octo/app", "hexa")
    (result,) = lab.sync()
    assert (result.failed, result.repository) == (False, "hexa/app")
    lab.names = ["octo/app"]
    lab.assert_equal()


def test_another_repository_under_the_old_name_does_not_get_mixed_in(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path)
    lab.sync()
    before = lab.held()
    replace_repository(server.world)
    (result,) = lab.sync()
    assert result.failure == "NotFound"
    assert lab.held() == before
    assert lab.tracked().status == "gone"


def test_a_full_sync_refuses_another_repository_under_the_name(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path)
    lab.sync()
    before = lab.held()
    replace_repository(server.world)
    (result,) = lab.sync(SyncOptions(full=True))
    assert "is another repository on GitHub now" in str(result.error)
    assert lab.held() == before


def test_a_name_that_is_reused_between_two_pages(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path)

    def hook(_: object) -> None:
        if len(server.requests) == 2:
            server.before_request = None
            server.world.delete_repository("octo/app")
            impostor = server.world.add_repository("octo/app")
            for number in range(9):
                server.world.open_pull_request(impostor, "eve", f"Impostor {number}")

    server.before_request = hook
    (result,) = lab.sync()
    assert (result.failed, result.is_permanent) == (True, True)
    with lab.warehouse.transaction() as connection:
        found = connection.execute(
            "SELECT DISTINCT repository_id, author_login = 'eve' FROM raw.pull_requests"
        )
        assert len(found.fetchall()) < 2


def test_two_names_of_one_repository_are_refused(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path)
    lab.sync()
    server.world.rename_repository("octo/app", "new-name")
    lab.track(["octo/new-name"])
    lab.names = ["octo/app", "octo/new-name"]
    results = {r.tracked_as: r for r in lab.sync()}
    assert not results["octo/app"].failed
    assert "which is tracked as octo/app" in str(results["octo/new-name"].error)


def test_a_name_in_another_letter_case_is_the_same_repository(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path)
    lab.track(["OCTO/App"])
    with lab.warehouse.transaction() as connection:
        assert [t.tracked_as for t in tracking.all_tracked(connection)] == ["octo/app"]


def test_a_deleted_repository_keeps_its_data_and_says_so(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path)
    lab.sync()
    before = lab.held()
    server.world.delete_repository("octo/app")
    (result,) = lab.sync()
    assert "no longer shows octo/app" in str(result.error)
    assert result.is_permanent
    assert lab.held() == before


def test_a_blocked_repository_is_forbidden(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path, "rest")
    lab.sync()
    server.world.block_repository("octo/app", 451)
    (result,) = lab.sync()
    assert result.failure == "AccessDenied"
    assert lab.tracked().status == "forbidden"
