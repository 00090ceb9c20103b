"""The record of syncs and publications: numbered by commit, read from any number, and deleted after a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Sandbox
from prpipeline.warehouse import Warehouse, WarehouseError, activity, tracking
from prpipeline.warehouse.counters import KEPT_DAYS
from prpipeline_tests.support.stores import new_warehouse
from prpipeline_tests.support.sync_lab import SyncLab, small_world

NOW = datetime(2026, 6, 1, 12)
SYNC: dict[str, Any] = {"repository_id": 1, "mode": "increment", "started_at": NOW, "finished_at": NOW}
PUBLICATION: dict[str, Any] = {
    "is_whole": True,
    "size_bytes": 10,
    "seconds": 0.5,
    "row_counts": {"reviews": 3},
}


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return new_warehouse(tmp_path)


def test_syncs_are_read_from_the_last_one_seen(warehouse: Warehouse) -> None:
    for name in ("octo/app", "octo/lib", "octo/docs"):
        with warehouse.transaction() as connection:
            activity.record_sync(connection, tracked_as=name, caller="command_line", **SYNC)
    with warehouse.transaction() as connection:
        first = activity.syncs_since(connection, 0, 2)
        rest = activity.syncs_since(connection, first[-1].sync_id, 2)
        assert activity.syncs_since(connection, rest[-1].sync_id, 2) == []
    assert [(row.sync_id, row.tracked_as) for row in (*first, *rest)] == [
        (1, "octo/app"),
        (2, "octo/lib"),
        (3, "octo/docs"),
    ]
    assert {row.caller for row in first} == {"command_line"}


def test_the_number_of_a_failed_transaction_is_used_again(warehouse: Warehouse) -> None:
    def fail() -> None:
        with warehouse.transaction() as connection:
            activity.record_sync(connection, tracked_as="octo/app", **SYNC)
            connection.execute("FROM no_such_table")

    with pytest.raises(WarehouseError):
        fail()
    with warehouse.transaction() as connection:
        assert activity.record_sync(connection, tracked_as="octo/app", **SYNC) == 1


def test_numbers_of_deleted_rows_are_not_used_again(warehouse: Warehouse) -> None:
    name = RepositoryName("octo", "app")
    with warehouse.transaction() as connection:
        tracking.track(connection, name, tracked_by="cli", now=NOW)
        assert activity.record_sync(connection, tracked_as=str(name), **SYNC) == 1
        tracking.untrack(connection, name, delete_data=True)
        assert activity.syncs_since(connection, 0, 10) == []
        assert activity.record_sync(connection, tracked_as=str(name), **SYNC) == 2


def test_publications_have_their_own_numbers(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        activity.record_sync(connection, tracked_as="octo/app", **SYNC)
        for hours in range(3):
            at = NOW + timedelta(hours=hours)
            activity.record_publication(connection, published_at=at, caller="dagster", **PUBLICATION)
        found = activity.publications_since(connection, 1, 10)
    assert [(row.publication_id, row.published_at.hour) for row in found] == [(2, 13), (3, 14)]
    assert (found[0].row_counts, found[0].caller) == ({"reviews": 3}, "dagster")


def test_rows_older_than_the_limit_are_deleted(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        for days in (0, 1, KEPT_DAYS + 1):
            at = NOW + timedelta(days=days)
            activity.record_sync(connection, tracked_as="octo/app", **SYNC | {"finished_at": at})
            activity.record_publication(connection, published_at=at, **PUBLICATION)
        assert [row.sync_id for row in activity.syncs_since(connection, 0, 10)] == [2, 3]
        assert [row.publication_id for row in activity.publications_since(connection, 0, 10)] == [2, 3]


def test_a_sync_without_changes_updates_its_time_and_adds_no_row(tmp_path: Path) -> None:
    with Sandbox(small_world(3)) as server:
        lab = SyncLab(server.world, server, tmp_path)
        lab.live()
        lab.sync()
        before = lab.tracked().last_attempt_at
        assert before is not None
        assert [result.mode for result in lab.sync()] == ["unchanged"]
        after = lab.tracked().last_attempt_at
        assert after is not None
        assert after > before
        with lab.warehouse.transaction() as connection:
            assert [row.mode for row in activity.syncs_since(connection, 0, 10)] == ["history"]
