"""Benchmark of a publication, while another process reads."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import made_up, product
from benchmarks.report import show

READER = """
import sys, threading, time, duckdb
reads, slowest, answers = 0, 0.0, set()
connection = duckdb.connect(sys.argv[1], read_only=True)
print("reading", flush=True)
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set())).start()
while not stop.is_set():
    started = time.perf_counter()
    answers.add(connection.execute("SELECT count(*), max(created_at) FROM pull_requests").fetchone())
    slowest = max(slowest, time.perf_counter() - started)
    reads += 1
    time.sleep(0.02)
print(reads, len(answers) - 1, slowest)
"""


def publication(quick: bool) -> None:
    """Publish a large warehouse while another process reads the last publication."""
    wanted = 10_000_000 if quick else 1_000_000_000
    with tempfile.TemporaryDirectory() as folder:
        warehouse = product.open_warehouse(Path(folder))
        with warehouse.transaction():
            pass  # creates the file
        rows: list[list[Any]] = []
        pull_requests = wanted // 250  # about 250 bytes of published file each, with its reviews and metrics
        _fill(warehouse, pull_requests)
        days = {
            "first, whole": None,
            "a day later, 2 % of the pull requests of 5 % of the repositories changed": "repository_id % 20 = 7",
            "a day later, 2 % of the pull requests of all repositories changed": "true",
            "a day later, nothing changed": "false",
            "at once again": None,
        }
        for day, (what, repositories) in enumerate(days.items()):
            if repositories:
                _a_day_later(warehouse, day, repositories)
            with _Reader(warehouse) as reader:
                cpu = time.process_time()
                release = product.publish(warehouse)
            rows.append(
                [
                    what,
                    pull_requests,
                    release.size_bytes / 1e6,
                    release.seconds,
                    time.process_time() - cpu,
                    *reader.results,
                ]
            )
        show(
            "publish, with a reader at work",
            ["", "PRs", "MB", "seconds", "CPU s, reader's too", "reads", "wrong reads", "slowest read, s"],
            rows,
        )


def _fill(warehouse: product.Warehouse, pull_requests: int) -> None:
    """Write made-up rows directly into the warehouse, and compute their metrics."""
    with warehouse.transaction() as connection:
        connection.execute(made_up.script(pull_requests, 2_000))
        product.rebuild(connection, None, made_up.AS_OF)


def _a_day_later(warehouse: product.Warehouse, days: int, repositories: str) -> None:
    """Change what a day of syncs changes: 2 % of these repositories' pull requests, and all running clocks."""
    now = made_up.AS_OF + timedelta(days=days)
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE raw.pull_requests SET title = title || '!', synced_at = ? "
            f"WHERE number % 50 = 0 AND {repositories}",
            [now],
        )
        changed = connection.execute(
            f"UPDATE meta.repositories SET changed_at = ? WHERE {repositories} RETURNING repository_id", [now]
        ).fetchall()
        product.rebuild(connection, [row[0] for row in changed], now)


class _Reader:
    """A process that runs the same query on the published file again and again.

    `results` are then the reads, the wrong ones of them, and the seconds of the slowest.
    """

    def __init__(self, warehouse: product.Warehouse) -> None:
        self._file = warehouse.path.parent / "published" / "prpipeline.duckdb"
        self._process: subprocess.Popen[str] | None = None
        self.results: Sequence[Any] = ("", "", "")

    def __enter__(self) -> _Reader:
        if self._file.exists():
            self._process = subprocess.Popen(
                [sys.executable, "-c", READER, str(self._file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self._process.stdout is not None
            self._process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            out, _err = self._process.communicate()
            reads, wrong, slowest = out.split()
            self.results = (int(reads), int(wrong), float(slowest))
