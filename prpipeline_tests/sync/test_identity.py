"""GitHub's number identifies a repository: its rows stay with it when names change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.app.tracking import TrackingService
from prpipeline.metrics.checks import all_checks
from prpipeline.model.repository import RepositoryName
from prpipeline.publish.reader import open_published
from prpipeline.sandbox.github import Credential, Sandbox, World
from prpipeline.sync import SyncOptions
from prpipeline.warehouse import activity, tracking
from prpipeline.warehouse.tracking import Tracked
from prpipeline_tests.support.pipelines import pipeline_on
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, small_world

APIS = ("graphql", "rest")


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world()) as server:
        yield server


def service_of(lab: SyncLab) -> TrackingService:
    return pipeline_on(lab.settings, lab.warehouse).tracking


def replace_repository(world: World) -> None:
    """Delete octo/app and add another repository under its name."""
    world.delete_repository("octo/app")
    world.open_pull_request(world.add_repository("octo/app"), "eve", "Impostor")


def test_a_renamed_repository_keeps_its_history_and_its_key(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path, synced=True)
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
    lab = SyncLab(server.world, server, tmp_path, synced=True)
    server.world.transfer_repository("octo/app", "hexa")
    (result,) = lab.sync()
    assert (result.failed, result.repository) == (False, "hexa/app")
    lab.names = ["octo/app"]
    lab.assert_equal()


def test_another_repository_under_the_old_name_does_not_get_mixed_in(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path, synced=True)
    before = lab.held()
    replace_repository(server.world)
    (result,) = lab.sync()
    assert result.failure == "NotFound"
    assert lab.held() == before
    assert lab.tracked().status == "gone"


def again(lab: SyncLab, name: str) -> None:
    """What ``prpipeline untrack`` and then ``prpipeline track`` do."""
    service = service_of(lab)
    service.untrack([RepositoryName.parse(name)], delete_data=False)
    service.track([RepositoryName.parse(name)], tracked_by="cli")


@pytest.mark.parametrize("api", APIS)
def test_another_repository_under_the_name_is_started_beside_the_old_one(
    server: Sandbox, tmp_path: Path, api: str
) -> None:
    lab = SyncLab(server.world, server, tmp_path, api, synced=True)
    old = lab.tracked()
    before = lab.held()
    replace_repository(server.world)
    new = server.world.repository("octo/app")
    for _ in range(2):
        (result,) = lab.sync()
        assert f"octo/app is another repository now (GitHub's number {new.id})" in (result.error or "")
        assert "prpipeline untrack octo/app, then prpipeline track octo/app" in (result.error or "")
        assert (result.failure, result.is_permanent, lab.tracked().status) == ("NotFound", True, "gone")
    assert lab.held() == before

    again(lab, "octo/app")
    (result,) = lab.sync()
    assert (result.mode, result.error, result.pull_requests) == ("history", None, 1)
    assert lab.tracked().repository_id == new.id
    assert [row for row in lab.held()["pull_requests"] if row[0] == old.repository_id] == before[
        "pull_requests"
    ]
    assert lab.sync()[0].error is None

    former = f"octo/app.until-{old.last_sync_at:%Y-%m-%d}"
    if api == "graphql":
        assert_both_are_published(lab, old, new.id, former)

    service = service_of(lab)
    service.untrack([RepositoryName.parse(former)], delete_data=True)
    assert {row[0] for row in lab.held()["pull_requests"]} == {new.id}
    lab.sync(SyncOptions(full=True, reconcile=True))
    lab.assert_equal()


def assert_both_are_published(lab: SyncLab, old: Tracked, new_id: int, former: str) -> None:
    """Under names of their own; what is published does not depend on the API."""
    pipeline = pipeline_on(lab.settings, lab.warehouse)
    pipeline.derive(["octo/app"])
    pipeline.aggregate()
    pipeline.publish()
    with open_published(lab.settings.published_path) as connection:
        rows = connection.execute(
            "SELECT tracked_as, repository, repository_id, status, pull_requests FROM repositories ORDER BY ALL"
        ).fetchall()
        assert rows == [
            ("octo/app", "octo/app", new_id, "ok", 1),
            (former, former, old.repository_id, "untracked", 14),
        ]
        for table in (
            "pull_requests",
            "reviews",
            "review_time_hours",
            "review_evidence",
            "review_time_weekly",
        ):
            named = connection.execute(f"SELECT DISTINCT repository, repository_id FROM {table}").fetchall()
            assert set(named) <= {("octo/app", new_id), (former, old.repository_id)}, table
            assert len(dict(named)) == len(named) > 0, table
        (counted,) = connection.execute("SELECT repositories FROM pipeline_status").fetchone() or (0,)
        assert counted == 1
        (late,) = connection.execute(
            "SELECT max(as_of) FROM repositories WHERE status = 'untracked'"
        ).fetchone() or (None,)
        assert late == old.last_sync_at, "what waited in it waits no longer"
    assert not [found for found in pipeline.stored.check(all_checks(None)) if found.count]


def test_deleting_the_new_one_leaves_the_old_one(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path, synced=True)
    before = lab.held()
    replace_repository(server.world)
    again(lab, "octo/app")
    lab.sync()
    service_of(lab).untrack([RepositoryName("octo", "app")], delete_data=True)
    assert lab.held() == before
    with lab.warehouse.transaction() as connection:
        assert len(activity.syncs_since(connection, 0, 9)) == 1


def test_a_name_that_went_through_several_repositories(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path, synced=True)
    for _ in range(3):
        replace_repository(server.world)
        again(lab, "octo/app")
        assert lab.sync()[0].error is None
    names = sorted(row.tracked_as for row in service_of(lab).known_rows())
    day = lab.tracked().last_sync_at
    assert names == ["octo/app", *(f"octo/app.until-{day:%Y-%m-%d}{n}" for n in ("", "-2", "-3"))]


@pytest.mark.parametrize("api", APIS)
def test_tracked_again_and_still_the_same(server: Sandbox, tmp_path: Path, api: str) -> None:
    lab = SyncLab(server.world, server, tmp_path, api, synced=True)
    number = lab.tracked().repository_id
    for change in (
        lambda: None,
        lambda: server.world.rename_repository("octo/app", "application"),
        lambda: server.world.transfer_repository("octo/application", "hexa"),
        lambda: server.world.transfer_repository("hexa/application", "octo"),
        lambda: server.world.rename_repository("octo/application", "app"),
    ):
        change()
        again(lab, "octo/app")
        lab.live() if "octo/app" in {r.full_name for r in server.world.repositories.values()} else None
        (result,) = lab.sync()
        assert (result.error, result.repository_id) == (None, number)
    lab.assert_equal()


@pytest.mark.parametrize("api", some_slow(APIS, "graphql"))
def test_a_rename_into_a_name_that_was_another_ones(server: Sandbox, tmp_path: Path, api: str) -> None:
    """octo/app moves on, and octo/lib, which is tracked as well, takes its name."""
    world = server.world
    world.open_pull_request(world.add_repository("octo/lib"), "eve", "Of the library")
    lab = SyncLab(world, server, tmp_path, api, synced=True)
    app, lib = world.repository("octo/app").id, world.repository("octo/lib").id
    world.rename_repository("octo/app", "old-app")
    world.rename_repository("octo/lib", "app")
    lab.names = ["octo/app", "octo/lib"]
    results = {result.tracked_as: result for result in lab.sync()}
    assert {name: (r.error, r.repository, r.repository_id) for name, r in results.items()} == {
        "octo/app": (None, "octo/old-app", app),
        "octo/lib": (None, "octo/app", lib),
    }
    again(lab, "octo/app")
    results = {result.tracked_as: result for result in lab.sync()}
    assert "octo/app is octo/app on GitHub, which is tracked as octo/lib" in (results["octo/app"].error or "")
    assert results["octo/lib"].error is None
    lab.assert_equal()


@pytest.mark.parametrize("api", some_slow(APIS, "rest"))
def test_private_for_a_while(server: Sandbox, tmp_path: Path, api: str) -> None:
    server.add_token(Credential("outsider", repositories=()))
    lab = SyncLab(server.world, server, tmp_path, api, tokens="outsider", synced=True)
    server.world.set_private("octo/app")
    lab.live()
    (result,) = lab.sync()
    assert (result.failure, lab.tracked().status) == ("NotFound", "gone")
    assert "no longer shows octo/app" in (result.error or "")
    again(lab, "octo/app")  # which does not matter
    assert "no longer shows octo/app" in (lab.sync()[0].error or "")
    server.world.set_private("octo/app", False)
    (result,) = lab.sync()
    assert (result.mode, result.error) == ("increment", None)
    lab.assert_equal()


def test_a_full_sync_refuses_another_repository_under_the_name(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path, synced=True)
    before = lab.held()
    replace_repository(server.world)
    (result,) = lab.sync(SyncOptions(full=True))
    assert "octo/app is another repository now" in str(result.error)
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
    lab = SyncLab(server.world, server, tmp_path, synced=True)
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
    lab = SyncLab(server.world, server, tmp_path, synced=True)
    before = lab.held()
    server.world.delete_repository("octo/app")
    (result,) = lab.sync()
    assert "no longer shows octo/app" in str(result.error)
    assert result.is_permanent
    assert lab.held() == before


def test_a_blocked_repository_is_forbidden(server: Sandbox, tmp_path: Path) -> None:
    lab = SyncLab(server.world, server, tmp_path, "rest", synced=True)
    server.world.block_repository("octo/app", 451)
    (result,) = lab.sync()
    assert result.failure == "AccessDenied"
    assert lab.tracked().status == "forbidden"
