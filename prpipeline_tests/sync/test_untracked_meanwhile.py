"""A repository that is untracked with its data during its sync is removed, and affects no other."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Sandbox
from prpipeline.sync import SyncOptions
from prpipeline.sync.workers import sync_with_workers
from prpipeline.warehouse import tracking
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, small_world


@pytest.mark.parametrize(
    ("what", "at", "tracks_again", "api"),
    some_slow(
        [
            (what, at, tracks_again, api)
            for what, at in (("history", 4), ("increment", 2), ("reconcile", 3))
            for tracks_again in (False, True)
            for api in ("graphql", "rest")
        ],
        ("history", 4, False, "graphql"),
        ("history", 4, True, "rest"),
        ("increment", 2, False, "rest"),
        ("reconcile", 3, True, "graphql"),
    ),
)
def test_untracked_while_it_is_synced(
    tmp_path: Path, what: str, at: int, tracks_again: bool, api: str
) -> None:
    world = small_world(8, ("octo/app", "octo/lib"))
    with Sandbox(world) as server:
        is_synced = what != "history"
        here = SyncLab(world, server, tmp_path, api, page_size=2, synced=is_synced)
        name = RepositoryName("octo", "app")
        if is_synced:
            here.live()
        server.reset_requests()

        def hook(_: object) -> None:
            if len(server.requests) == at:
                with here.warehouse.transaction() as connection:
                    tracking.untrack(connection, name, delete_data=True)
                    if tracks_again:
                        tracking.track(connection, name, tracked_by="cli", now=datetime(2026, 2, 2))

        server.before_request = hook
        app, lib = sorted(
            here.sync(SyncOptions(reconcile=what == "reconcile")), key=lambda result: result.tracked_as
        )
        assert lib.error is None
        if not tracks_again:
            assert "untracked while it was being synced" in (app.error or "")
        with here.warehouse.transaction() as connection:
            rows = connection.execute(
                "SELECT DISTINCT repository_id FROM raw.pull_requests UNION SELECT repository_id FROM raw.reviews"
            ).fetchall()
        assert rows == [(world.repository("octo/lib").id,)]
        server.before_request = None
        if tracks_again:
            here.sync()
            here.assert_equal()


@pytest.mark.parametrize("workers", [1, 2])
def test_untracked_before_its_turn(tmp_path: Path, workers: int) -> None:
    world = small_world(repositories=("octo/app", "octo/lib"))
    tokens = [f"token-{worker}" for worker in range(workers)]
    with Sandbox(world, tokens=tokens) as server:
        here = SyncLab(world, server, tmp_path, tokens=",".join(tokens))
        with here.warehouse.transaction() as connection:
            tracking.untrack(connection, RepositoryName("octo", "app"), delete_data=False)
        results = {
            result.tracked_as: result
            for result in sync_with_workers(here.sources, here.warehouse, here.sync_settings, here.names)
        }
    assert results["octo/app"].error == "Not tracked. Track it first, or correct its spelling."
    assert (results["octo/lib"].mode, results["octo/lib"].pull_requests) == ("history", 14)
