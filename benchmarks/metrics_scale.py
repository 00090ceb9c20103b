"""How long the metrics take over many made-up pull requests; prints a table, asserts nothing.

    python -m benchmarks.metrics_scale --pull-requests 10000000 --memory 3GB

The warehouse is a file of the storage version that the pipeline writes, in a temporary folder, or the file of --keep.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.made_up import AS_OF, FIRST_REPOSITORY, script
from benchmarks.product import MetricSettings, metrics, rebuilding, schema

PER_REPOSITORY = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the metrics over made-up pull requests.")
    parser.add_argument("--pull-requests", type=int, default=1_000_000)
    parser.add_argument("--memory", default="3GB", help="DuckDB's memory limit; the process needs some more")
    parser.add_argument("--keep", type=Path, help="the warehouse to make, or to use if it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.keep or Path(folder) / "warehouse.duckdb"
        if not path.exists():
            cost = measured(lambda: generate(path, options.pull_requests))
            print(f"made {options.pull_requests:,} pull requests in {cost.seconds:.1f} s")
        connection = duckdb.connect(str(path))
        connection.execute(f"SET memory_limit = '{options.memory}'")
        connection.execute("SET preserve_insertion_order = false")  # as the warehouse does
        metrics.renew_tables(connection)
        report(connection)
        connection.close()


def generate(path: Path, pull_requests: int) -> None:
    connection = duckdb.connect(str(path), config={"storage_compatibility_version": "v1.2.0"})
    schema.create(connection)
    connection.execute(script(pull_requests, PER_REPOSITORY))
    connection.close()


def report(connection: duckdb.DuckDBPyConnection) -> None:
    settings = MetricSettings(bots=("user-17",))
    by_table: dict[str, Cost] = {}
    fill = rebuilding._fill

    def timed_fill(connection: Any, name: str, values: dict[str, Any]) -> None:
        by_table[name] = by_table.get(name, Cost()) + measured(lambda: fill(connection, name, values))

    def transaction(work: Callable[[], object]) -> Cost:
        def run() -> None:
            connection.execute("BEGIN")
            work()
            connection.execute("COMMIT")

        return measured(run)

    # There is no public way to measure the single tables.
    rebuilding._fill = timed_fill
    whole = transaction(lambda: metrics.rebuild(connection, None, settings, AS_OF))
    aggregates = transaction(lambda: metrics.rebuild_aggregates(connection, settings, AS_OF))
    rebuilding._fill = fill
    checkpoint = measured(lambda: connection.execute("CHECKPOINT"))
    one = transaction(lambda: metrics.rebuild(connection, [FIRST_REPOSITORY + 1], settings, AS_OF))
    print(f"{'what':<48}{'seconds':>9}{'CPU-s':>9}")
    for what, cost in {
        "rebuild, all repositories": whole,
        "rebuild_aggregates": aggregates,
        "checkpoint": checkpoint,
        f"rebuild, one repository of {PER_REPOSITORY:,}": one,
        **{f"  {table}": cost for table, cost in by_table.items()},
    }.items():
        print(f"{what:<48}{cost.seconds:>9.2f}{cost.cpu_seconds:>9.2f}")
    print(f"{'peak memory, MB':<48}{peak_memory():>9,.0f}")


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds, and CPU seconds of all cores, which other processes on the machine disturb less."""

    seconds: float = 0
    cpu_seconds: float = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds)


def measured(work: Callable[[], object]) -> Cost:
    started, cpu_started = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - started, time.process_time() - cpu_started)


def peak_memory() -> float:
    try:
        import resource
    except ImportError:  # not on Windows
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
