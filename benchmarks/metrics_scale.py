"""How long the metrics take over many pull requests, made up in DuckDB; prints a table, asserts nothing.

    python benchmarks/metrics_scale.py --pull-requests 10000000 --memory 3GB

Two reviews a pull request, some by bots and the author; drafts, requests, dismissals; some sixty people a repository.
The warehouse is a file of the storage version that the pipeline writes, in a temporary folder, or where --keep says.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from prpipeline import metrics
from prpipeline.metrics import rebuilding
from prpipeline.settings import MetricSettings
from prpipeline.warehouse import schema

AS_OF = datetime(2026, 11, 1)
PER_REPOSITORY = 20_000
FIRST_REPOSITORY = 1_000

# p is a pull request; each repository has $per of them.
SCRIPT = """
CREATE OR REPLACE TEMP MACRO opened(p) AS
    TIMESTAMP '2016-01-04' + to_seconds(CAST((p % $per) * 16500 + hash(p) % 20000 AS BIGINT));
CREATE OR REPLACE TEMP MACRO person(p, salt) AS CAST((p // $per) * 60 + hash(p * 7 + salt) % 60 AS BIGINT);

INSERT INTO meta.repositories BY NAME
SELECT 'org/repository-' || r AS tracked_as, true AS is_tracked, TIMESTAMP '2026-01-01' AS tracked_at,
    'file' AS source, 'team-' || r % 20 AS team, $first + r AS repository_id, 'org/repository-' || r AS repository,
    'ok' AS status
FROM range(0, ($n + $per - 1) // $per) AS repositories(r);

INSERT INTO raw.pull_requests BY NAME
SELECT
    $first + p // $per AS repository_id,
    5000000 + p AS pull_request_id,
    'PR_' || p AS node_id,
    1 + p % $per AS number,
    CASE WHEN p % 97 = 0 THEN 'Revert "Change ' || p || '"' ELSE 'Change the thing number ' || p END AS title,
    CASE WHEN p % 10 < 7 THEN 'merged' WHEN is_open THEN 'open' ELSE 'closed' END AS state,
    CASE WHEN p % 211 <> 0 THEN person(p, 1) END AS author_id,
    CASE WHEN p % 211 <> 0 THEN 'user-' || person(p, 1) END AS author_login,
    person(p, 1) % 60 = 0 AS author_is_bot,
    p % 10 >= 7 AND hash(p + 7) % 9 = 0 AS is_draft,
    opened(p) AS created_at,
    opened(p) + INTERVAL 8 DAY AS updated_at,
    CASE WHEN NOT is_open THEN opened(p) + to_seconds(CAST(hash(p + 3) % 600000 AS BIGINT)) END AS closed_at,
    CASE WHEN p % 10 < 7 THEN closed_at END AS merged_at,
    10 AS additions, 5 AS deletions, 2 AS changed_files, 'main' AS base_ref,
    'https://github.com/org/repository-' || p // $per || '/pull/' || 1 + p % $per AS url,
    opened(p) + INTERVAL 8 DAY AS synced_at
FROM (SELECT p, p % 10 >= 7 AND hash(p) % 20 = 0 AS is_open FROM range(0, $n) AS numbers(p));

INSERT INTO raw.reviews BY NAME
SELECT
    $first + p // $per AS repository_id,
    5000000 + p AS pull_request_id,
    1 + p % $per AS number,
    9000000 + j AS review_id,
    'PRR_' || j AS node_id,
    CASE WHEN j % 300 <> 0 THEN person(p, j % 5) END AS reviewer_id,
    CASE WHEN j % 300 <> 0 THEN 'user-' || person(p, j % 5) END AS reviewer_login,
    person(p, j % 5) % 60 < 3 AS reviewer_is_bot,
    ['APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'COMMENTED', 'DISMISSED'][1 + CAST(hash(j + 5) % 5 AS BIGINT)]
        AS state,
    opened(p) + to_seconds(CAST(hash(j + 9) % 400000 AS BIGINT)) AS submitted_at
FROM (SELECT j, least($n - 1, (j // 20) * 10 + CAST(hash(j) % 10 AS BIGINT)) AS p FROM range(0, 2 * $n) AS numbers(j));

INSERT INTO raw.review_events BY NAME
SELECT
    $first + p // $per AS repository_id,
    5000000 + p AS pull_request_id,
    1 + p % $per AS number,
    'E_' || j AS event_id,
    ['ready_for_review', 'converted_to_draft', 'review_requested', 'review_requested', 'review_request_removed',
        'review_dismissed'][1 + j % 6] AS event,
    'user-1' AS actor_login,
    person(p, j % 5) AS subject_id,
    'user-' || person(p, j % 5) AS subject_login,
    false AS subject_is_team,
    CASE WHEN j % 6 = 5 THEN 9000000 + p * 2 END AS review_id,
    CASE WHEN j % 6 = 5 THEN 'APPROVED' END AS previous_state,
    opened(p) + to_seconds(CAST(hash(j + 11) % 400000 AS BIGINT)) AS created_at
FROM (SELECT j, j * 2 AS p FROM range(0, $n // 2) AS numbers(j));
"""


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
        metrics.create_tables(connection)
        report(connection)
        connection.close()


def generate(path: Path, pull_requests: int) -> None:
    connection = duckdb.connect(str(path), config={"storage_compatibility_version": "v1.2.0"})
    schema.create(connection)
    script = SCRIPT
    for name, value in {"$n": pull_requests, "$per": PER_REPOSITORY, "$first": FIRST_REPOSITORY}.items():
        script = script.replace(name, str(value))
    connection.execute(script)
    connection.close()


def report(connection: duckdb.DuckDBPyConnection) -> None:
    settings = MetricSettings(bots=("user-17",))
    by_table: dict[str, Cost] = {}
    fill = rebuilding._fill

    def timed_fill(connection: Any, name: str, values: dict[str, Any]) -> None:
        by_table[name] = by_table.get(name, Cost()) + measured(lambda: fill(connection, name, values))

    def transaction(work: Callable[[], None]) -> Cost:
        def run() -> None:
            connection.execute("BEGIN")
            work()
            connection.execute("COMMIT")

        return measured(run)

    # The tables' shares are not to be had from outside.
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
    """By the clock, and of all cores: what others on the machine do shows less in the latter."""

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
