"""What readers see of a publication: always a whole release, old or new, and nothing of how it is made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from prpipeline.model.repository import RepositoryName
from prpipeline.publish import dictionary
from prpipeline.publish.reader import open_published
from prpipeline.publish.release import Release, publish
from prpipeline.warehouse import Warehouse, WarehouseError, tracking
from prpipeline_tests.support.bi_environments import environments
from prpipeline_tests.support.stores import copy_warehouse, new_warehouse

LONG_AGO = datetime(2026, 1, 1).timestamp()


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


class Published(NamedTuple):
    """A folder in which a second release followed the first one."""

    data: Path
    first: Release
    second: Release
    shown_between: list[str]
    shown_to_a_reader: list[str]
    """To one who had opened the first release, after the second."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Tests only look. Its name shows that any name will do."""
    data = tmp_path_factory.mktemp("data") / "it's; DROP TABLE x-- %20$HOME"
    warehouse = filled(data)
    first = publish(warehouse)
    track(warehouse, "octo/lib")
    between = shown(data)
    with open_published(data / "published" / "prpipeline.duckdb") as reader:
        second = publish(warehouse)
        kept = [name for (name,) in reader.execute("SELECT tracked_as FROM repositories").fetchall()]
    return Published(data, first, second, between, kept)


@pytest.fixture
def data(published: Published, tmp_path: Path) -> Path:
    """A copy to work with, in which two releases of the last minute are."""
    data = tmp_path / "data"
    shutil.copytree(published.data / "releases", data / "releases")
    (data / "published").symlink_to(os.readlink(published.data / "published"))
    copy_warehouse(published.data, data)
    return data


def test_a_release_is_a_folder_and_published_a_link_to_it(published: Published) -> None:
    data, first, second, *_ = published
    assert first.path == data / "published" / "prpipeline.duckdb"
    assert (data / "published").is_symlink()
    assert not Path(os.readlink(data / "published")).is_absolute()  # the folder may be moved
    assert (data / "published").resolve() == second.folder.resolve()
    assert visible(first.folder) == {"prpipeline.duckdb"}
    assert published.shown_between == ["octo/app"]
    assert shown(data) == ["octo/app", "octo/lib"]
    assert second.folder != first.folder
    assert first.folder.exists()


def test_a_reader_keeps_what_it_opened_and_blocks_nobody(published: Published) -> None:
    assert published.shown_to_a_reader == ["octo/app"]
    # In another process: DuckDB before 1.5 opens nothing new beside what a process has open.
    assert shown_by_another_process(published.data) == "octo/app,octo/lib"


def test_old_releases_are_removed_but_never_the_newest(data: Path) -> None:
    releases = data / "releases"
    recent = {folder.name for folder in releases.iterdir()}
    for name in (
        "20200101T000000-0000",
        "20200102T000000-0000",
        "29990101T000000-0000",
        "29990102T000000-0000",
    ):
        (releases / name).mkdir(parents=True)
        os.utime(releases / name, (LONG_AGO, LONG_AGO))
    (releases / "29990103T000000-0000").mkdir()  # a clock went wrong, some minutes ago
    newest = publish(new_warehouse(data)).folder
    left = {folder.name for folder in releases.iterdir()} - recent
    assert left == {"29990101T000000-0000", "29990102T000000-0000", "29990103T000000-0000", newest.name}
    assert shown(data) == ["octo/app", "octo/lib"]


@pytest.mark.slow
def test_a_recent_release_is_left_to_those_who_are_opening_it(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    folders = {publish(warehouse).folder for _ in range(3)}
    assert len(folders) == 3
    assert all(folder.exists() for folder in folders)


def test_what_stands_beside_the_file_stays_and_leftovers_of_killed_publications_are_removed(
    data: Path,
) -> None:
    (data / "published" / "report.html").write_text("a report")
    (data / "published" / "prpipeline.duckdb.wal").write_text("of somebody who opened it to write")
    (data / "published" / ".hidden").write_text("")
    (data / "releases" / ".unfinished-20260101T000000-0000").mkdir()
    (data / "releases" / ".unfinished-20260101T000000-0000" / "prpipeline.duckdb").write_text("half")
    (data / ".published-77").symlink_to("releases/nowhere")
    publish(new_warehouse(data))
    assert visible(data / "published") == {"prpipeline.duckdb", "report.html"}
    assert (data / "published" / "report.html").read_text() == "a report"
    assert not list(data.glob(".*"))
    assert not list((data / "releases").glob(".*"))


def test_where_the_link_leads_nowhere_it_is_set_right(data: Path) -> None:
    shutil.rmtree(data / "releases")
    with pytest.raises(WarehouseError, match="run 'prpipeline sync' first"):
        shown(data)
    publish(new_warehouse(data))
    assert shown(data) == ["octo/app", "octo/lib"]


def test_a_plain_folder_does_where_links_are_not_to_be_had(tmp_path: Path) -> None:
    data = tmp_path / "data"
    warehouse = filled(data)
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
def test_earlier_duckdbs_open_it(published: Published, version: str) -> None:
    assert query_with(environments()[version].python, published.data) == "octo/app,octo/lib"


def test_each_table_and_column_is_explained_in_the_file(published: Published) -> None:
    with open_published(published.second.path) as connection:
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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["it's; DROP TABLE x-- %20$HOME", 'say "hello", größe ✓ 数据'])
def test_any_name_of_a_folder_will_do(tmp_path: Path, name: str) -> None:
    warehouse = filled(tmp_path / name)
    publish(warehouse)
    track(warehouse, "octo/lib")
    publish(warehouse)
    assert shown(tmp_path / name) == ["octo/app", "octo/lib"]


def test_a_reader_can_read_nothing_else(published: Published, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    shutil.copyfile(published.second.path, tmp_path / "other.duckdb")
    with open_published(published.second.path) as connection:
        for sql in (
            f"FROM '{tmp_path}/secret.csv'",
            f"ATTACH '{tmp_path}/other.duckdb' AS other",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            "SET enable_external_access = true",
            "DELETE FROM repositories",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
