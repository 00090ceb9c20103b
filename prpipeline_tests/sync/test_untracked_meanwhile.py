"""Somebody untracks a repository, with its data, while it is being synced: it is gone, and harms no other."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from prpipeline.repository import RepositoryName
from prpipeline.sandbox import Sandbox
from prpipeline.sync import SyncOptions
from prpipeline.warehouse import tracking
from prpipeline_tests.github.lab import Lab, small_world


@pytest.mark.parametrize("api", ["graphql", "rest"])
@pytest.mark.parametrize("tracks_again", [False, True])
@pytest.mark.parametrize(("what", "at"), [("history", 4), ("increment", 2), ("reconcile", 3)])
def test_untracked_while_it_is_synced(
    tmp_path: Path, what: str, at: int, tracks_again: bool, api: str
) -> None:
    world = small_world(repositories=("octo/app", "octo/lib"))
    with Sandbox(world) as server:
        here, name = Lab(world, server, tmp_path, api, page_size=2), RepositoryName("octo", "app")
        if what != "history":
            here.sync()
            here.live()
        server.reset_requests()

        def hook(_: object) -> None:
            if len(server.requests) == at:
                with here.warehouse.transaction() as connection:
                    tracking.untrack(connection, name, delete_data=True)
                    if tracks_again:
                        tracking.track(connection, name, source="cli", now=datetime(2026, 2, 2))

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
