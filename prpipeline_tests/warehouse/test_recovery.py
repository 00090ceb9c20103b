"""Files damaged by users, full disks or kills are recovered, or refused with a message."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from prpipeline.publish.release import publish
from prpipeline.sandbox.github import Sandbox
from prpipeline.warehouse import Warehouse, WarehouseError
from prpipeline_tests.support.disks import fill, program, read_only, resize, small_disk
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.stores import new_warehouse
from prpipeline_tests.support.sync_lab import SyncLab, small_world

HOLD = """
import sys, duckdb
with duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "True"):
    print("ready", flush=True)
    sys.stdin.read()
"""
# Leaves a .wal: the first transaction is committed, the second is not.
KILLED = """
import os, signal, sys
from pathlib import Path
from prpipeline.warehouse import Warehouse
warehouse = Warehouse(Path(sys.argv[1]))
with warehouse.session():
    with warehouse.transaction() as connection:
        connection.execute("INSERT INTO meta.removals VALUES (1, 'review', 'x', 1, now()::TIMESTAMP)")
    with warehouse.transaction() as connection:
        connection.execute("INSERT INTO meta.removals VALUES (2, 'review', 'x', 1, now()::TIMESTAMP)")
        os.kill(os.getpid(), signal.SIGKILL)
"""
REMOVALS = "SELECT repository_id FROM meta.removals ORDER BY ALL"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "data" / "warehouse.duckdb")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    environment = {
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "GITHUB_TOKEN": "none",
        "PRPIPELINE_DATA_DIR": str(tmp_path / "data"),
        "DAGSTER_HOME": str(tmp_path / "dagster"),
    }
    return Shell(tmp_path, environment)


def make(warehouse: Warehouse) -> bytes:
    with warehouse.transaction():
        pass
    return warehouse.path.read_bytes()


def refused(shell: Shell, *arguments: str) -> str:
    """The message of a failed command."""
    ended = shell.run(*(arguments or ("status",)))
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


# ── files that are not what they should be ───────────────────────────────────────────────────────────


def foreign(storage_version: str) -> Callable[[Path, bytes], None]:
    def write(path: Path, own: bytes) -> None:
        path.unlink()
        with duckdb.connect(
            str(path), config={"storage_compatibility_version": storage_version}
        ) as connection:
            connection.execute("CREATE TABLE mine AS SELECT range AS x FROM range(1000)")

    return write


def database_of_another_kind(path: Path, own: bytes) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (x INTEGER)")
    connection.commit()
    connection.close()


def a_folder(path: Path, own: bytes) -> None:
    path.unlink()
    path.mkdir()


def of_a_newer_duckdb(path: Path, own: bytes) -> None:
    header = bytearray(own[:4096])
    header[12:20] = struct.pack("<Q", 9999)
    if checksum(own[8:4096]) == struct.unpack("<Q", own[:8])[0]:
        header[:8] = struct.pack("<Q", checksum(bytes(header[8:])))
    path.write_bytes(bytes(header) + own[4096:])


def checksum(block: bytes) -> int:
    """DuckDB's checksum of a file's header."""
    found = 5381
    for (word,) in struct.iter_unpack("<Q", block):
        found ^= word * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    return found


BAD_FILES: dict[str, tuple[Callable[[Path, bytes], object], str]] = {
    "random bytes": (lambda path, own: path.write_bytes(os.urandom(20_000)), "damaged or no DuckDB file"),
    "a text": (lambda path, own: path.write_text("hello\n"), "damaged or no DuckDB file"),
    "nothing in it": (lambda path, own: path.write_bytes(b""), "damaged or no DuckDB file"),
    "cut after its header": (lambda path, own: path.write_bytes(own[:4096]), "damaged or no DuckDB file"),
    "cut in the middle": (
        lambda path, own: path.write_bytes(own[: len(own) // 3]),
        "damaged or no DuckDB file",
    ),
    "overwritten in the middle": (
        lambda path, own: path.write_bytes(own[:12288] + os.urandom(len(own) - 12288)),
        "damaged or no DuckDB file",
    ),
    "SQLite's": (database_of_another_kind, "damaged or no DuckDB file"),
    "another program's": (foreign("v1.2.0"), "is a DuckDB file, but not prpipeline's; move it away"),
    "another program's, new": (foreign("latest"), "is a DuckDB file, but not prpipeline's; move it away"),
    "of a newer DuckDB": (of_a_newer_duckdb, "was written by a newer DuckDB than this one"),
    "a folder": (a_folder, "is damaged or no DuckDB file"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_is_no_warehouse_is_refused_and_unchanged(
    warehouse: Warehouse, shell: Shell, kind: str
) -> None:
    spoil, sentence = BAD_FILES[kind]
    spoil(warehouse.path, new_warehouse(warehouse.path.parent).path.read_bytes())
    before = warehouse.path.read_bytes() if warehouse.path.is_file() else None
    assert sentence in refused(shell)
    with pytest.raises(WarehouseError, match=r"warehouse\.duckdb"):
        publish(warehouse)
    assert before == (warehouse.path.read_bytes() if warehouse.path.is_file() else None)
    assert not (warehouse.path.parent / "published").exists()


def test_after_moving_it_away_everything_starts_again(warehouse: Warehouse) -> None:
    make(warehouse)
    warehouse.path.write_text("hello")
    with pytest.raises(WarehouseError, match="move it away"):
        make(warehouse)
    warehouse.path.rename(warehouse.path.with_suffix(".broken"))
    assert make(warehouse)


# ── killed before ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a process that was killed in its second transaction."""
    warehouse = new_warehouse(tmp_path_factory.mktemp("killed") / "data")
    program_path = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", KILLED, str(warehouse.path)], env=program_path)
    assert done.returncode == -signal.SIGKILL
    assert warehouse.path.with_name("warehouse.duckdb.wal").stat().st_size > 0
    return warehouse.path.parent


@pytest.fixture
def wal(killed: Path, warehouse: Warehouse) -> Path:
    """Of a copy of that folder."""
    shutil.copytree(killed, warehouse.path.parent)
    return warehouse.path.with_name("warehouse.duckdb.wal")


def test_commits_of_a_killed_process_are_kept(warehouse: Warehouse, wal: Path) -> None:
    with warehouse.transaction() as connection:
        assert connection.execute(REMOVALS).fetchall() == [(1,)]
    assert not wal.exists()


def test_commits_of_a_killed_process_are_published(warehouse: Warehouse, wal: Path) -> None:
    publish(warehouse)
    assert not wal.exists()


def test_a_truncated_wal_loses_only_its_end(warehouse: Warehouse, wal: Path) -> None:
    with wal.open("ab") as file:
        file.write(os.urandom(5))
    with warehouse.transaction() as connection:
        assert connection.execute(REMOVALS).fetchall() == [(1,)]


def test_a_wal_without_its_file_is_put_aside(warehouse: Warehouse, wal: Path) -> None:
    content = wal.read_bytes()
    warehouse.path.unlink()
    with warehouse.transaction() as connection:
        assert connection.execute(REMOVALS).fetchall() == []
    assert wal.with_name("warehouse.duckdb.wal.old").read_bytes() == content


def test_an_unfinished_warehouse_is_created_again(warehouse: Warehouse) -> None:
    warehouse.path.parent.mkdir(parents=True)
    for name in (".warehouse.duckdb-unfinished", ".warehouse.duckdb-unfinished.wal"):
        (warehouse.path.parent / name).write_bytes(os.urandom(5000))
    make(warehouse)
    assert not list(warehouse.path.parent.glob(".*"))


# ── other programs, other disks ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("as_reader", some_slow([True, False], True))
def test_a_file_that_is_open_in_another_program(warehouse: Warehouse, shell: Shell, as_reader: bool) -> None:
    make(warehouse)
    with program(HOLD, warehouse.path, as_reader) as holder:
        said = refused(shell)
        assert "is open in another program" in said
        assert f"PID {holder.pid}" in said
        assert "published/prpipeline.duckdb" in said
    assert shell.run("status").returncode == 0


def test_a_read_only_folder(warehouse: Warehouse, shell: Shell) -> None:
    make(warehouse)
    publish(warehouse)
    with read_only(warehouse.path.parent):
        assert "cannot be written to (Read-only file system)" in refused(shell)
        assert "PRPIPELINE_DATA_DIR" in refused(shell, "track", "octo/app")
        readers = shell.run("sql", "SELECT count(*) AS n FROM pull_requests", "--format", "csv")
        assert (readers.returncode, readers.stdout) == (0, "n\n0\n")
    assert shell.run("status").returncode == 0


@contextmanager
def lab_on_a_small_disk(folder: Path, pull_requests: int) -> Iterator[SyncLab]:
    """With a release."""
    with small_disk(folder / "small", 64) as disk, Sandbox(small_world(pull_requests)) as server:
        lab = SyncLab(server.world, server, disk, page_size=25)
        publish(lab.warehouse)
        yield lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[SyncLab]:
    with lab_on_a_small_disk(tmp_path, 90) as lab:
        yield lab


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 300_000, 700_000])
def test_a_disk_that_fills_up_during_a_sync(lab: SyncLab, room: int) -> None:
    """Commits stay, and the next sync continues once there is room."""
    folder = lab.warehouse.path.parent
    filler = folder / "filler"
    fill(filler, room)
    with pytest.raises(WarehouseError, match=r"(full; free some space|No space left)"):
        live_on(lab)
    filler.unlink()
    lab.assert_no_row_twice()
    lab.sync()
    lab.assert_equal()
    assert publish(lab.warehouse).rows["pull_requests"] == len(lab.expected()["pull_requests"])


def test_a_disk_that_fills_up_during_a_publication(tmp_path: Path) -> None:
    with lab_on_a_small_disk(tmp_path, 14) as lab:
        lab.sync()
        folder = lab.warehouse.path.parent
        filler = folder / "filler"
        before = (folder / "published").resolve()
        fill(filler, 100_000)
        with pytest.raises(WarehouseError, match=r"Nothing was published|full"):
            publish(lab.warehouse)
        assert (folder / "published").resolve() == before
        assert not list((folder / "releases").glob(".*"))
        filler.unlink()
        assert publish(lab.warehouse).folder == (folder / "published").resolve()


def test_a_full_disk_on_the_command_line(tmp_path: Path, shell: Shell) -> None:
    with small_disk(tmp_path / "data", 1) as folder:
        fill(folder / "filler", 0)
        assert "data" in refused(shell, "track", "octo/app")
        resize(folder, 64)
        assert shell.run("track", "octo/app").returncode == 0


def live_on(lab: SyncLab) -> None:
    """Sync changes of the same rows many times: rewriting them needs room too."""
    for _ in range(20):
        lab.live()
        lab.sync()
