"""A lake with its catalog in a real Postgres: published from, tidied, copied, and what goes wrong with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline import metrics
from prpipeline.publish import dictionary
from prpipeline.publish.reader import open_published
from prpipeline.publish.release import publish
from prpipeline.settings import MetricSettings, place_of
from prpipeline.warehouse import Warehouse, WarehouseError
from prpipeline.warehouse.copying import copy
from prpipeline.warehouse.file_store import FileStore
from prpipeline.warehouse.stores import open_store
from prpipeline_tests.lake.conftest import Lake
from prpipeline_tests.support.metrics_lab import AS_OF
from prpipeline_tests.support.sync_lab import SyncLab

_TABLES = "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'warehouse' ORDER BY ALL"


def sums(warehouse: Warehouse) -> dict[str, Any]:
    """By table the number of its rows and the sum of their hashes."""
    with warehouse.transaction() as connection:
        return {
            name: connection.execute(
                f"SELECT count(*), sum(hash(COLUMNS(*)::VARCHAR)) FROM {name}"
            ).fetchone()
            for (name,) in connection.execute(_TABLES).fetchall()
        }


def derive(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        metrics.rebuild(connection, None, MetricSettings(), AS_OF)
        metrics.rebuild_aggregates(connection, MetricSettings(), AS_OF)


def published(folder: Path) -> dict[str, list[str]]:
    """The rows of each published table, but for times of the publication itself."""
    with open_published(folder / "published" / "prpipeline.duckdb") as connection:
        return {
            table.name: sorted(map(repr, connection.execute(f'FROM "{table.name}"').fetchall()))
            for table in dictionary.load().tables
            if table.name != "pipeline_status"
        }


def test_metrics_and_what_is_published_are_those_of_a_file(lab: SyncLab, lake: Lake, tmp_path: Path) -> None:
    lab.sync()
    lab.assert_equal()
    file = Warehouse(FileStore(tmp_path / "other" / "warehouse.duckdb"))
    file.path.parent.mkdir()
    done = copy(lab.warehouse.store, file.store)
    assert done.rows > 300
    for warehouse in (lab.warehouse, file):
        derive(warehouse)
    assert sums(file) == sums(lab.warehouse)
    for warehouse in (lab.warehouse, file):
        assert publish(warehouse).is_whole
    whole = published(tmp_path)
    assert whole == published(file.path.parent)
    # A second release from what changed alone.
    lab.live()
    lab.sync()
    derive(lab.warehouse)
    publish(lab.warehouse)
    changed = published(tmp_path)
    assert changed != whole
    again = Warehouse(FileStore(tmp_path / "again" / "warehouse.duckdb"))
    again.path.parent.mkdir()
    copy(lab.warehouse.store, again.store)
    publish(again)
    assert changed == published(again.path.parent)


def test_a_copy_goes_both_ways_and_never_over_another(lab: SyncLab, lake: Lake, tmp_path: Path) -> None:
    lab.sync()
    before = sums(lab.warehouse)
    file = FileStore(tmp_path / "backup.duckdb")
    copy(lab.warehouse.store, file)
    assert sums(Warehouse(file)) == before
    with pytest.raises(WarehouseError, match="is there already; nothing was copied"):
        copy(lab.warehouse.store, file)
    with pytest.raises(WarehouseError, match="is there already; nothing was copied"):
        copy(file, lab.warehouse.store)
    restored = Lake(lake.server, lake.server.new_database(), tmp_path / "restored").open()
    copy(file, restored.store)
    assert sums(restored) == before
    with pytest.raises(WarehouseError, match="is no warehouse yet"):
        copy(FileStore(tmp_path / "nothing.duckdb"), FileStore(tmp_path / "target.duckdb"))
    assert not (tmp_path / "target.duckdb").exists()


def test_a_copy_that_was_killed_leaves_nothing_that_counts(lab: SyncLab, lake: Lake, tmp_path: Path) -> None:
    lab.sync()
    target = Lake(lake.server, lake.server.new_database(), tmp_path / "copy")
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from prpipeline.settings import place_of\n"
        "from prpipeline.warehouse import copying\n"
        "from prpipeline.warehouse.stores import open_store\n"
        "done = copying._copy_tables\n"
        "copying._copy_tables = lambda connection: (done(connection), os.kill(os.getpid(), signal.SIGKILL))\n"
        "folder = Path(sys.argv[1])\n"
        "copying.copy(*(open_store(place_of(a, b, folder), folder) for a, b in zip(sys.argv[2::2], sys.argv[3::2])))\n"
    )
    places = [text for each in (lake, target) for text in each.variables.values()]
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), *places])
    assert done.returncode == -9
    copy(lab.warehouse.store, target.open().store)
    assert sums(target.open()) == sums(lab.warehouse)


def test_a_publication_neither_stops_writers_nor_shows_what_they_write(lab: SyncLab, lake: Lake) -> None:
    lab.sync()
    other = lake.open()
    with lab.warehouse.frozen() as snapshot, duckdb.connect() as reader:
        with other.transaction() as connection:
            connection.execute("UPDATE raw.pull_requests SET title = 'changed meanwhile'")
        snapshot.attach(reader)
        titles = reader.execute(
            "SELECT count(*) FROM warehouse.raw.pull_requests WHERE title LIKE 'changed%'"
        )
        assert titles.fetchone() == (0,)
    with lab.warehouse.frozen() as snapshot, duckdb.connect() as reader:
        snapshot.attach(reader)
        titles = reader.execute(
            "SELECT count(*) FROM warehouse.raw.pull_requests WHERE title LIKE 'changed%'"
        )
        assert titles.fetchone() == (90,)


def test_tidying_merges_files_and_loses_nothing(lab: SyncLab, lake: Lake) -> None:
    lab.sync()
    for _ in range(4):
        lab.live()
        lab.sync()
    before = sums(lab.warehouse)
    lab.warehouse.maintain()
    assert sums(lab.warehouse) == before
    inlined = lake.sql("SELECT table_name FROM prpipeline.ducklake_inlined_data_tables").split()
    left = [
        lake.sql(f"SELECT count(*) FROM prpipeline.{name} WHERE end_snapshot IS NULL").strip()
        for name in inlined
    ]
    assert set(left) <= {"0"}, "all rows are in files"
    lab.live()
    lab.sync()
    lab.assert_equal()


def test_a_writer_that_lost_its_lock_writes_nothing(lab: SyncLab, lake: Lake) -> None:
    def lose() -> None:
        with lab.warehouse.transaction() as connection:
            connection.execute("UPDATE meta.repositories SET team = 'lost'")
            lake.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                "(SELECT oid FROM pg_database WHERE datname = current_database())"
            )

    with pytest.raises(WarehouseError, match="nothing was written"):
        lose()
    with lab.warehouse.transaction() as connection:
        assert connection.execute("SELECT DISTINCT team FROM meta.repositories").fetchall() == [(None,)]


def test_no_message_holds_the_password(lake: Lake, tmp_path: Path) -> None:
    lake.open().exists()
    changes = (
        {"host=127.0.0.1": "host=127.0.0.1 sslmode=require"},
        {f"dbname={lake.database}": "dbname=nowhere"},
    )
    for change in changes:
        address = lake.address
        for old, new in change.items():
            address = address.replace(old, new)
        warehouse = Warehouse(open_store(place_of(address, str(tmp_path / "lake"), tmp_path), tmp_path))
        with pytest.raises(WarehouseError) as raised, warehouse.transaction():
            pass
        assert "the-secret" not in str(raised.value)
        assert "see whether its Postgres runs" in str(raised.value)


def test_data_elsewhere_than_the_lake_says_are_refused(lab: SyncLab, lake: Lake, tmp_path: Path) -> None:
    elsewhere = place_of(lake.address, str(tmp_path / "elsewhere"), tmp_path)
    with (
        pytest.raises(WarehouseError, match="set that to where they are"),
        Warehouse(open_store(elsewhere, tmp_path)).transaction(),
    ):
        pass
