"""One warehouse file: atomic transactions, fair turns for all writers, a clean end."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from prpipeline.model.sql import Connection
from prpipeline.warehouse import Warehouse, WarehouseError
from prpipeline_tests.support.disks import program
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.stores import new_warehouse

INSERT = "INSERT INTO meta.removals VALUES (?, 'review', 'x', 1, now()::TIMESTAMP)"
HOLD = """
import sys
from pathlib import Path
from prpipeline.warehouse import Warehouse
with Warehouse(Path(sys.argv[1])).exclusive():
    print("ready", flush=True)
    sys.stdin.read()
"""
# Writes repeatedly in one session, like a history, and prints when it began.
BUSY = """
import sys, threading
from pathlib import Path
from prpipeline.warehouse import Warehouse
warehouse, over = Warehouse(Path(sys.argv[1])), threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
with warehouse.session():
    count = 0
    while not over.is_set():
        with warehouse.transaction() as connection:
            connection.execute("UPDATE meta.removals SET number = number + 1")
        count += 1
        if count == 3:
            print("ready", flush=True)
print(count, flush=True)
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return new_warehouse(tmp_path)


def rows(connection: Connection) -> list[int]:
    return [
        row[0]
        for row in connection.execute("SELECT repository_id FROM meta.removals ORDER BY ALL").fetchall()
    ]


def held(warehouse: Warehouse) -> list[int]:
    with Warehouse(warehouse.path).transaction() as connection:
        return rows(connection)


@pytest.mark.parametrize("in_session", [False, True])
def test_an_exception_rolls_back_and_releases_the_file(warehouse: Warehouse, in_session: bool) -> None:
    def fail() -> None:
        with warehouse.transaction() as connection:
            connection.execute(INSERT, [2])
            raise KeyError("something else")

    with warehouse.transaction() as connection:
        connection.execute(INSERT, [1])
    if in_session:
        with warehouse.session(), pytest.raises(KeyError):
            fail()
    else:
        with pytest.raises(KeyError):
            fail()
    assert held(warehouse) == [1]
    with warehouse.transaction() as connection:
        connection.execute(INSERT, [3])
    assert held(warehouse) == [1, 3]


def test_a_failed_query_rolls_back(warehouse: Warehouse) -> None:
    def fail() -> None:
        with warehouse.transaction() as connection:
            connection.execute(INSERT, [1])
            connection.execute("FROM no_such_table")

    with pytest.raises(WarehouseError, match="no_such_table"):
        fail()
    assert held(warehouse) == []


def test_a_closed_file_leaves_no_other_files(warehouse: Warehouse) -> None:
    with warehouse.session():
        for number in range(3):
            with warehouse.transaction() as connection:
                connection.execute("CREATE OR REPLACE TEMP TABLE heap AS SELECT 1")
                connection.execute(INSERT, [number])
    names = {file.name for file in warehouse.path.parent.iterdir()}
    assert names == {"warehouse.duckdb", "warehouse.lock", "warehouse.line.lock"}


def test_an_idle_session_lets_others_write(warehouse: Warehouse) -> None:
    with warehouse.session():
        with warehouse.transaction() as connection:
            connection.execute(INSERT, [1])
        assert held(warehouse) == [1]  # through a lock of its own, as another process would
        with warehouse.transaction() as connection:
            assert rows(connection) == [1]


def test_threads_share_it(warehouse: Warehouse) -> None:
    def work(worker: int) -> None:
        for number in range(10):
            with warehouse.session(), warehouse.transaction() as connection:
                connection.execute(INSERT, [worker * 100 + number])

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held(warehouse) == [worker * 100 + number for worker in range(4) for number in range(10)]


@pytest.mark.slow
def test_no_waiting_writer_starves(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        connection.execute(INSERT, [1])
    with program(BUSY, warehouse.path) as busy, program(BUSY, warehouse.path) as other:
        for _ in range(2):  # ends only because both others give way repeatedly
            with warehouse.transaction() as connection:
                connection.execute("UPDATE meta.removals SET number = number + 1")
        written = 2
        for process in (busy, other):
            assert process.stdin
            assert process.stdout
            process.stdin.close()
            written += int(process.stdout.readline())
            assert process.wait(60) == 0
    with warehouse.transaction() as connection:
        assert connection.execute("SELECT number FROM meta.removals").fetchall() == [(1 + written,)]


class OnWaiting(logging.Handler):
    """Ends another program as soon as our log says that we wait for it."""

    def __init__(self, holder: subprocess.Popen[str]) -> None:
        super().__init__()
        self.said: list[str] = []
        self._holder = holder

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        assert self._holder.stdin
        self._holder.stdin.close()


@pytest.mark.slow
def test_waiting_for_another_pipeline_is_logged(warehouse: Warehouse) -> None:
    logger = logging.getLogger("prpipeline")
    level = logger.level
    with program(HOLD, warehouse.path) as holder:
        handler = OnWaiting(holder)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            with warehouse.transaction() as connection:
                connection.execute(INSERT, [1])
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
    assert handler.said == [f"Waiting for another pipeline that is writing to {warehouse.path}."]
    assert held(warehouse) == [1]


def test_a_lock_file_left_behind_blocks_nothing(warehouse: Warehouse) -> None:
    for name in ("warehouse.lock", "warehouse.line.lock"):
        (warehouse.path.parent / name).write_text("pid 1, long dead")
    with warehouse.transaction() as connection:
        connection.execute(INSERT, [1])
    assert held(warehouse) == [1]


@pytest.mark.parametrize(
    "ending",
    some_slow(
        [
            "keep = builtins.keep = warehouse",
            "session = builtins.keep = warehouse.session(); session.__enter__(); write()",
            "session = warehouse.session(); session.__enter__(); write(); raise SystemExit(0)",
            "transaction = builtins.keep = warehouse.transaction(); transaction.__enter__()",
            "threading.Thread(target=write, daemon=True).start(); write()",
        ],
        "session = builtins.keep = warehouse.session(); session.__enter__(); write()",
        "transaction = builtins.keep = warehouse.transaction(); transaction.__enter__()",
    ),
)
def test_python_exits_without_output(warehouse: Warehouse, ending: str) -> None:
    text = f"""
import builtins, sys, threading
from pathlib import Path
from prpipeline.warehouse import Warehouse
warehouse = Warehouse(Path(sys.argv[1]))
def write():
    with warehouse.transaction() as connection:
        connection.execute({INSERT!r}, [1])
write()
{ending}
"""
    done = subprocess.run(
        [sys.executable, "-c", text, str(warehouse.path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert set(held(warehouse)) == {1}
