"""What readers see of a publication: always a whole release, old or new, and nothing of how it is made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from prpipeline.model.repository import RepositoryName
from prpipeline.publish import dictionary
from prpipeline.publish.reader import open_published
from prpipeline.publish.release import publish
from prpipeline.warehouse import Warehouse, WarehouseError, tracking
from prpipeline_tests.support.bi_environments import environments
from prpipeline_tests.support.sync_lab import new_warehouse

LONG_AGO = datetime(2026, 1, 1).timestamp()


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return filled(tmp_path / "data")


def filled(folder: Path) -> Warehouse:
    warehouse = new_warehouse(folder)
    track(warehouse, "octo/app")
    return warehouse


def track(warehouse: Warehouse, name: str) -> None:
    with warehouse.transaction() as connection:
        tracking.track(connection, RepositoryName.parse(name), tracked_by="cli", now=datetime(2026, 1, 1))


def visible(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir() if not file.name.startswith(".")}


def shown(folder: Path) -> list[str]:
    with open_published(folder / "published" / "prpipeline.duckdb") as connection:
        found = connection.execute("SELECT tracked_as FROM repositories ORDER BY ALL").fetchall()
    return [name for (name,) in found]


def test_a_release_is_a_folder_and_published_a_link_to_it(warehouse: Warehouse) -> None:
    data = warehouse.path.parent
    first = publish(warehouse)
    assert first.path == data / "published" / "prpipeline.duckdb"
    assert (data / "published").is_symlink()
    assert not Path(os.readlink(data / "published")).is_absolute()  # the folder may be moved
    assert (data / "published").resolve() == first.folder.resolve()
    assert visible(first.folder) == {"prpipeline.duckdb"}
    track(warehouse, "octo/lib")
    assert shown(data) == ["octo/app"]
    second = publish(warehouse)
    assert shown(data) == ["octo/app", "octo/lib"]
    assert second.folder != first.folder
    assert first.folder.exists()


def test_a_reader_keeps_what_it_opened_and_blocks_nobody(warehouse: Warehouse) -> None:
    data = warehouse.path.parent
    publish(warehouse)
    with open_published(data / "published" / "prpipeline.duckdb") as reader:
        track(warehouse, "octo/lib")
        publish(warehouse)
        assert reader.execute("SELECT tracked_as FROM repositories").fetchall() == [("octo/app",)]
        # In another process: DuckDB before 1.5 opens nothing new beside what a process has open.
        assert shown_by_another_process(data) == "octo/app,octo/lib"


def test_old_releases_are_removed_but_never_the_newest(warehouse: Warehouse) -> None:
    releases = warehouse.path.parent / "releases"
    for name in (
        "20200101T000000-0000",
        "20200102T000000-0000",
        "29990101T000000-0000",
        "29990102T000000-0000",
    ):
        (releases / name).mkdir(parents=True)
        os.utime(releases / name, (LONG_AGO, LONG_AGO))
    (releases / "29990103T000000-0000").mkdir()  # a clock went wrong, some minutes ago
    newest = publish(warehouse).folder
    left = {folder.name for folder in releases.iterdir()}
    assert left == {"29990101T000000-0000", "29990102T000000-0000", "29990103T000000-0000", newest.name}
    assert shown(warehouse.path.parent) == ["octo/app"]


def test_a_recent_release_is_left_to_those_who_are_opening_it(warehouse: Warehouse) -> None:
    folders = {publish(warehouse).folder for _ in range(3)}
    assert len(folders) == 3
    assert all(folder.exists() for folder in folders)


def test_what_stands_beside_the_file_stays(warehouse: Warehouse) -> None:
    data = warehouse.path.parent
    publish(warehouse)
    (data / "published" / "report.html").write_text("a report")
    (data / "published" / "prpipeline.duckdb.wal").write_text("of somebody who opened it to write")
    (data / "published" / ".hidden").write_text("")
    publish(warehouse)
    assert visible(data / "published") == {"prpipeline.duckdb", "report.html"}
    assert (data / "published" / "report.html").read_text() == "a report"


def test_leftovers_of_killed_publications_are_removed(warehouse: Warehouse) -> None:
    data = warehouse.path.parent
    publish(warehouse)
    (data / "releases" / ".unfinished-20260101T000000-0000").mkdir()
    (data / "releases" / ".unfinished-20260101T000000-0000" / "prpipeline.duckdb").write_text("half")
    (data / ".published-77").symlink_to("releases/nowhere")
    publish(warehouse)
    assert not list(data.glob(".*"))
    assert not list((data / "releases").glob(".*"))


def test_where_the_link_leads_nowhere_it_is_set_right(warehouse: Warehouse) -> None:
    data = warehouse.path.parent
    publish(warehouse)
    shutil.rmtree(data / "releases")
    with pytest.raises(WarehouseError, match="run 'prpipeline sync' first"):
        shown(data)
    publish(warehouse)
    assert shown(data) == ["octo/app"]


def test_a_plain_folder_does_where_links_are_not_to_be_had(warehouse: Warehouse) -> None:
    data = warehouse.path.parent
    (data / "published").mkdir()
    publish(warehouse)
    (data / "published" / "report.html").write_text("a report")
    with open_published(data / "published" / "prpipeline.duckdb") as reader:
        track(warehouse, "octo/lib")
        publish(warehouse)
        assert reader.execute("SELECT tracked_as FROM repositories").fetchall() == [("octo/app",)]
    assert not (data / "published").is_symlink()
    assert visible(data / "published") == {"prpipeline.duckdb", "report.html"}
    assert shown_by_another_process(data) == "octo/app,octo/lib"


def shown_by_another_process(data: Path) -> str:
    """DuckDB holds a replaced file to be the one it has open still, within a process."""
    return query_with(sys.executable, data)


def query_with(python: str, data: Path) -> str:
    program = (
        "import duckdb, sys; "
        "c = duckdb.connect(sys.argv[1], read_only=True); "
        "print(c.execute(\"SELECT string_agg(tracked_as, ',' ORDER BY tracked_as) FROM repositories\").fetchone()[0])"
    )
    file = str(data / "published" / "prpipeline.duckdb")
    done = subprocess.run([python, "-c", program, file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "version",
    [pytest.param("1.2", marks=pytest.mark.slow), pytest.param("1.4", marks=pytest.mark.slow), "1.5"],
)
def test_earlier_duckdbs_open_it(warehouse: Warehouse, version: str) -> None:
    publish(warehouse)
    assert query_with(environments()[version].python, warehouse.path.parent) == "octo/app"


def test_each_table_and_column_is_explained_in_the_file(warehouse: Warehouse) -> None:
    publish(warehouse)
    with open_published(warehouse.path.parent / "published" / "prpipeline.duckdb") as connection:
        tables = connection.execute(
            "SELECT table_name, comment FROM duckdb_tables() "
            "UNION ALL SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"
        ).fetchall()
        columns = connection.execute(
            "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() "
            "WHERE NOT internal ORDER BY table_name, column_index"
        ).fetchall()
    described = sorted(dictionary.load().tables, key=lambda table: table.name)
    assert sorted(tables) == [(t.name, f"{t.description} One row per {t.grain}.") for t in described]
    assert columns == [(t.name, c.name, c.type, c.description) for t in described for c in t.columns]


@pytest.mark.parametrize(
    "name",
    ["it's; DROP TABLE x-- %20$HOME", pytest.param('say "hello", größe ✓ 数据', marks=pytest.mark.slow)],
)
def test_any_name_of_a_folder_will_do(tmp_path: Path, name: str) -> None:
    warehouse = filled(tmp_path / name)
    publish(warehouse)
    track(warehouse, "octo/lib")
    publish(warehouse)
    assert shown(tmp_path / name) == ["octo/app", "octo/lib"]


def test_a_reader_can_read_nothing_else(warehouse: Warehouse, tmp_path: Path) -> None:
    publish(warehouse)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with open_published(warehouse.path.parent / "published" / "prpipeline.duckdb") as connection:
        for sql in (
            f"FROM '{tmp_path}/secret.csv'",
            f"ATTACH '{warehouse.path}' AS w",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            "SET enable_external_access = true",
            "DELETE FROM repositories",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
