"""Exports, opened with other tools and compared row by row with the published file."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas
import pytest
import yaml
from filelock import FileLock

from prpipeline.publish import dictionary, workbook
from prpipeline_tests.support import bi_sandbox
from prpipeline_tests.support.bi_environments import dbt, run
from prpipeline_tests.support.disks import fill, small_disk
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import small_world

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A command line on published data with every kind of pull request, and texts of every kind."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "data").mkdir()
    world = small_world(10, ("octo/app", "octo/lib"))
    titles = ("=1+1", 'A "quoted", one', "Zwei\nZeilen", "NULL", "", "\u5b8c\u6210 \U0001f600", "@x", "1e5")
    for title, pull_request in zip(titles, world.repository("octo/app").pull_requests.values(), strict=False):
        pull_request.title = title
    with bi_sandbox.pipeline_of(world, folder / "data") as pipeline:
        bi_sandbox.run(pipeline, bi_sandbox.names(world))
    return Shell(folder, {"PRPIPELINE_DATA_DIR": str(folder / "data")})


@pytest.fixture(scope="module")
def published(shell: Shell) -> dict[str, Rows]:
    """All tables and views of the published file."""
    path = shell.folder / "data" / "published" / "prpipeline.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
        return {name: connection.execute(f'FROM "{name}"').fetchall() for name in names}


def of(shell: Shell, folder: Path, *options: str) -> dict[str, Any]:
    """Export; what export.json says."""
    done = shell.run("export", str(folder), *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(folder)
    content: dict[str, Any] = json.loads((folder / "export.json").read_text())
    assert sorted(file.name for file in folder.iterdir()) == sorted(["export.json", *content["files"]])
    return content


def same(found: Rows, expected: Rows) -> bool:
    return sorted(map(repr, found)) == sorted(map(repr, expected))


def test_parquet(shell: Shell, published: dict[str, Rows], tmp_path: Path) -> None:
    content = of(shell, tmp_path / "out", "--format", "parquet")
    assert content["tables"] == {name: len(rows) for name, rows in published.items()}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        for name, rows in published.items():
            file = f"'{tmp_path}/out/{name}.parquet'"
            found = connection.execute(f"FROM {file}").fetchall()
            naive = [
                tuple(v.astimezone(UTC).replace(tzinfo=None) if isinstance(v, datetime) else v for v in row)
                for row in found
            ]
            assert same(naive, rows), name
            kinds = {row[1] for row in connection.execute(f"DESCRIBE FROM {file}").fetchall()}
            assert "TIMESTAMP" not in kinds


def test_csv(shell: Shell, published: dict[str, Rows], tmp_path: Path) -> None:
    of(shell, tmp_path / "out", "--format", "csv")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        path = shell.folder / "data" / "published" / "prpipeline.duckdb"
        connection.execute(f"ATTACH '{path}' AS p (READ_ONLY)")
        for name, rows in published.items():
            kinds = {
                row[0]: row[1].replace("TIMESTAMP", "TIMESTAMPTZ")
                for row in connection.execute(f'DESCRIBE p."{name}"').fetchall()
            }
            # allow_quoted_nulls: whether "" is an empty text, and nothing is NULL
            found = connection.execute(
                f"FROM read_csv('{tmp_path}/out/{name}.csv', columns = {kinds}, header = true, allow_quoted_nulls = false)"
            ).fetchall()
            naive = [
                tuple(v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in row) for row in found
            ]
            assert same(naive, rows), name
    queue = pandas.read_csv(tmp_path / "out" / "review_queue.csv", parse_dates=["created_at"])
    assert len(queue) == len(published["review_queue"])
    assert str(queue["created_at"].dt.tz) == "UTC"


def test_workbook(shell: Shell, published: dict[str, Rows], tmp_path: Path) -> None:
    content = of(shell, tmp_path / "out", "--format", "xlsx")
    assert content["cut"] == []
    book = openpyxl.load_workbook(tmp_path / "out" / "prpipeline.xlsx", read_only=True)
    assert book.sheetnames == sorted(published)
    for name, rows in published.items():
        cells = list(book[name].iter_rows(min_row=2))
        assert not any(cell.data_type == "f" for row in cells for cell in row)
        # Views come in any order.
        found = sorted((tuple(cell.value for cell in row) for row in cells), key=in_order)
        for shown, row in zip(found, sorted(rows, key=in_order), strict=True):
            assert all(map(is_shown, shown, row)), (name, shown, row)


def in_order(row: tuple[Any, ...]) -> list[str]:
    """A key that is the same for a row and its cells."""
    return [
        f"{v + timedelta(seconds=0.5):%Y-%m-%d %H:%M:%S}"
        if isinstance(v, datetime)
        else f"{v} 00:00:00"
        if isinstance(v, date)
        else f"{float(v):.12g}"
        if isinstance(v, (int, float))
        else repr(v)
        for v in row
    ]


def is_shown(cell: Any, value: Any) -> bool:
    """Whether a cell of Excel says this: its dates are times, and its times have milliseconds."""
    if isinstance(value, datetime):
        return bool(abs((cell - value).total_seconds()) <= 0.001)
    if isinstance(value, date):
        return bool(cell == datetime(value.year, value.month, value.day))
    if isinstance(value, float):
        return bool(cell == pytest.approx(value, rel=1e-14))
    return bool(cell == value)


def test_what_excel_cannot_hold_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 4)
    rows: Rows = [("=1+1", 10**17, True), ("😀" * 20_000, 1.5, None), ("", date(1800, 1, 1), 0), ("d", 1, 1)]
    cut = workbook.write_workbook(tmp_path / "x.xlsx", [("t", ["a", "b", "c"], iter(rows))])
    assert cut == [
        "t: 1 rows are left out, a sheet has 4 at most.",
        "t: 1 texts are cut to 32,767 characters.",
    ]
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["t"]
    found = list(sheet.iter_rows(min_row=2, values_only=True))
    assert found[0] == ("=1+1", "100000000000000000", True)
    assert sheet["A2"].data_type == "s"
    assert found[1][0] == "😀" * 16_383
    assert found[2] == ("", "1800-01-01", 0)


def test_chosen_tables_come_with_the_dictionary(shell: Shell, tmp_path: Path) -> None:
    content = of(shell, tmp_path / "out", "--format", "csv", "--tables", "review_queue, teams")
    assert content["files"] == ["data_dictionary.csv", "review_queue.csv", "teams.csv"]


def test_an_export_is_replaced_whole(shell: Shell, tmp_path: Path) -> None:
    of(shell, tmp_path / "out", "--format", "csv", "--tables", "review_queue,repositories")
    of(shell, tmp_path / "out", "--tables", "teams")
    assert _beside(tmp_path) == ["out"]


def test_what_a_killed_export_left_is_put_right_by_the_next(shell: Shell, tmp_path: Path) -> None:
    of(shell, tmp_path / "out", "--tables", "teams")
    (tmp_path / "out").rename(tmp_path / ".out.last")  # killed between two renames
    (tmp_path / ".out.unfinished").mkdir()
    (tmp_path / ".out.unfinished" / "teams.parquet").write_bytes(b"half of it")
    failed = shell.run("export", str(tmp_path / "out"), "--tables", "teems")
    assert failed.returncode == 2
    with FileLock(tmp_path / ".out.lock"):
        busy = shell.run("export", str(tmp_path / "out"), "--tables", "teams")
    assert (busy.returncode, busy.stderr.count("\n")) == (2, 1)
    assert "under way" in busy.stderr
    of(shell, tmp_path / "out", "--tables", "teams")
    assert _beside(tmp_path) == ["out"]


def test_a_disk_that_is_full_leaves_the_last_export(shell: Shell, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        of(shell, disk / "out", "--tables", "teams")
        before = {file.name: file.read_bytes() for file in (disk / "out").iterdir()}
        fill(disk / "filler", 20_000)
        for style in ("parquet", "csv", "xlsx"):
            full = shell.run("export", str(disk / "out"), "--format", style)
            assert (full.returncode, full.stderr.count("\n")) == (1, 1), (style, full.stderr)
            assert "Traceback" not in full.stderr
        assert {file.name: file.read_bytes() for file in (disk / "out").iterdir()} == before
        (disk / "filler").unlink()
        assert _beside(disk) == ["out"]


def _beside(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.endswith(".lock"))


@pytest.mark.parametrize("marker", ["", '{"prpipeline_export": 1, "files": []}', "[]", None])
def test_other_folders_are_left_alone(shell: Shell, tmp_path: Path, marker: str | None) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    if marker is not None:
        (tmp_path / "export.json").write_text(marker)
    done = shell.run("export", str(tmp_path))
    assert done.returncode == 2
    assert "is not of an export" in done.stderr
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_what_cannot_be_exported_is_a_sentence(shell: Shell, tmp_path: Path) -> None:
    unknown = shell.run("export", str(tmp_path / "out"), "--tables", "teems")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "no table 'teems'" in unknown.stderr
    missing = shell.run("export", str(tmp_path / "out"), PRPIPELINE_DATA_DIR=str(tmp_path / "none"))
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "run 'prpipeline sync' first" in missing.stderr
    (tmp_path / "file").touch()
    below = shell.run("export", str(tmp_path / "file" / "out"))
    assert (below.returncode, below.stderr.count("\n")) == (1, 1)
    assert shell.run("export", str(tmp_path / "file")).returncode == 2
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_json_for_scripts(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("export", str(tmp_path / "out"), "--json", "--tables", "teams")
    assert json.loads(done.stdout)["tables"].keys() == {"data_dictionary", "teams"}


def test_copy_to_is_refused_with_the_way_that_works(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("sql", f"COPY teams TO '{tmp_path}/x.csv'")
    assert done.returncode == 2
    assert "prpipeline export DIR" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_keys_of_the_dictionary_are_keys(shell: Shell, published: dict[str, Rows]) -> None:
    keys = {table.name: table.key for table in dictionary.load().tables if table.key}
    assert len(keys) > 10
    path = shell.folder / "data" / "published" / "prpipeline.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        for name, key in keys.items():
            sql = f"SELECT count(*) = count(DISTINCT {key}) FROM {name}"
            assert connection.execute(sql).fetchall() == [(True,)], name


def test_sources_for_dbt_describe_each_column_as_it_is(
    shell: Shell, published: dict[str, Rows], tmp_path: Path
) -> None:
    assert of(shell, tmp_path / "out", "--format", "dbt")["files"] == ["sources.yml"]
    (source,) = yaml.load((tmp_path / "out" / "sources.yml").read_text(), yaml.CSafeLoader)["sources"]
    path = shell.folder / "data" / "published" / "prpipeline.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        found = {
            name: [(row[0], row[1].lower()) for row in connection.execute(f"DESCRIBE {name}").fetchall()]
            for name in published
        }
    assert {
        table["name"]: [(column["name"], column["data_type"]) for column in table["columns"]]
        for table in source["tables"]
    } == found
    assert all(column["description"] for table in source["tables"] for column in table["columns"])


@pytest.mark.slow
@pytest.mark.end_to_end
def test_dbt_itself_reads_the_sources(shell: Shell, tmp_path: Path) -> None:
    of(shell, tmp_path / "models" / "prpipeline", "--format", "dbt")
    (tmp_path / "dbt_project.yml").write_text("name: try\nversion: '1.0'\nprofile: prpipeline\n")
    head = (tmp_path / "models" / "prpipeline" / "sources.yml").read_text().split("version: 2")[0]
    profile = "\n".join(line[4:] for line in head.splitlines() if line.startswith("#   "))
    (tmp_path / "profiles.yml").write_text(profile)
    (tmp_path / "models" / "queue.sql").write_text("SELECT * FROM {{ source('prpipeline', 'review_queue') }}")
    environment = dbt()
    file = shell.folder / "data" / "published" / "prpipeline.duckdb"
    for command in ("parse --show-all-deprecations", "build", "source freshness"):
        ran = f"PRPIPELINE_FILE={file} dbt --no-use-colors {command} --profiles-dir ."
        out = run(["bash", "-euc", ran], tmp_path, environment.path)
        assert "deprecat" not in out.lower()
        assert "WARN" not in out.replace("WARN=0", "")


def test_the_dashboard_of_superset_leads_to_the_published_file(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("export", str(tmp_path / "board"), "--format", "superset")
    assert (done.returncode, done.stderr) == (0, "")
    with zipfile.ZipFile(tmp_path / "board" / "superset.zip") as zipped:
        (database,) = [name for name in zipped.namelist() if "/databases/" in name]
        uri = yaml.safe_load(zipped.read(database))["sqlalchemy_uri"]
    assert f"{shell.folder / 'data' / 'published' / 'prpipeline.duckdb'}?" in uri
