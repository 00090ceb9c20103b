"""A file against a lake, paired: the same work on both in turns, as ratios of CPU time.

    python -m benchmarks.stores [--pull-requests 1000000] [--history 2000] [--rounds 3] [--memory 2GB]

Needs extra ``lake`` and Postgres's programs: the lake's catalog is in a Postgres that is started for it. CPU time is
this process's, with DuckDB's threads; Postgres's own comes on top and is listed apart.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median

from benchmarks import made_up, product
from benchmarks.github import sandbox
from benchmarks.metrics_scale import Cost, measured
from benchmarks.report import say, show
from prpipeline.sandbox.github import ManualClock, Sandbox, generated_world
from prpipeline_tests.support import postgres
from prpipeline_tests.support.postgres import Postgres

REPOSITORIES, PER_REPOSITORY = 1_000, 20_000


@dataclass
class Contest:
    """Costs by what was done and by store."""

    server: Postgres
    rows: dict[str, dict[str, list[Cost]]] = field(default_factory=dict)
    postgres_seconds: dict[str, float] = field(default_factory=dict)

    def run(self, what: str, store: str, work: Callable[[], object]) -> None:
        before = _cpu_of(self.server)
        self.rows.setdefault(what, {}).setdefault(store, []).append(measured(work))
        if store == "lake":
            spent = _cpu_of(self.server) - before
            self.postgres_seconds[what] = self.postgres_seconds.get(what, 0.0) + spent

    def show(self) -> None:
        table = []
        for what, costs in self.rows.items():
            file, lake = (median(cost.cpu_seconds for cost in costs[store]) for store in ("file", "lake"))
            ratios = [
                b.cpu_seconds / a.cpu_seconds for a, b in zip(costs["file"], costs["lake"], strict=True)
            ]
            theirs = self.postgres_seconds[what] / len(costs["lake"])
            table.append([what, len(ratios), file, lake, median(ratios), theirs])
        show(
            "a file and a lake, in turns",
            ["", "pairs", "file, CPU s", "lake, CPU s", "lake : file", "Postgres's CPU s"],
            table,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stores", description="A file against a lake.")
    parser.add_argument(
        "--pull-requests", type=int, default=1_000_000, help="for the metrics and the publication"
    )
    parser.add_argument("--history", type=int, default=2_000, help="pull requests of a history")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of histories and increments")
    parser.add_argument("--memory", default="2GB", help="DuckDB's memory limit for the metrics")
    parser.add_argument("--only", action="append", choices=["history", "increment", "metrics"])
    options = parser.parse_args()
    chosen = options.only or ["history", "increment", "metrics"]
    with postgres.running() as server, tempfile.TemporaryDirectory() as folder:
        contest = Contest(server)
        for number in range(options.rounds if "history" in chosen else 0):
            histories(contest, Path(folder) / str(number), options.history, number)
        if "increment" in chosen:
            increments(contest, Path(folder) / "increments", options.rounds)
        if "metrics" in chosen:
            metrics(contest, Path(folder) / "metrics", options.pull_requests, options.memory)
        contest.show()
        say(
            f"  a history of {options.history:,}, an increment of 1,000 repositories with 50 changed, "
            f"{options.pull_requests:,} pull requests"
        )


def histories(contest: Contest, folder: Path, pull_requests: int, number: int) -> None:
    """The history of one repository, from a sandbox in a process of its own."""
    with sandbox(1, pull_requests, 0.0) as url:
        for store in _turns(number):
            variables = _variables(contest.server, folder / f"history-{store}", store, url)
            sync = product.prepare_sync(variables, ["bulk/repository-1"])
            contest.run("history, page by page", store, lambda sync=sync: _all_well(sync()))  # type: ignore[misc]


def increments(contest: Contest, folder: Path, rounds: int) -> None:
    """1,000 repositories of which 50 changed; the sandbox runs in this process, and costs both the same."""
    clock = ManualClock()
    world = generated_world(REPOSITORIES, 2, 2, clock=clock)
    names = [f"bulk/repository-{n}" for n in range(1, REPOSITORIES + 1)]
    with Sandbox(world) as server:
        where = {store: _variables(contest.server, folder / store, store, server.url) for store in _turns(0)}
        syncs = {"file": product.prepare_sync(where["file"], names)}
        _all_well(syncs["file"]())
        product.copy_warehouse(where["file"], where["lake"])
        syncs["lake"] = product.prepare_sync(where["lake"], names, is_tracked=True)
        for number in range(rounds):
            clock.advance(timedelta(hours=2))
            for name in names[number::20]:
                pull_request = next(iter(world.repository(name).pull_requests.values()))
                world.review(pull_request, "person-1", "COMMENTED")
            clock.advance(timedelta(hours=2))
            for store in _turns(number):
                contest.run(
                    f"increment of {REPOSITORIES:,}",
                    store,
                    lambda store=store: _all_well(syncs[store]()),  # type: ignore[misc]
                )


def metrics(contest: Contest, folder: Path, pull_requests: int, memory: str) -> None:
    """All metrics of made-up pull requests, and a whole publication of them."""
    for store in _turns(0):
        variables = _variables(contest.server, folder / store, store, "http://127.0.0.1:1")
        warehouse = product.open_pipeline(variables).warehouse

        def fill(warehouse: product.Warehouse = warehouse) -> None:
            with warehouse.transaction() as connection:
                connection.execute(f"SET memory_limit = '{memory}'")
                connection.execute(made_up.script(pull_requests, PER_REPOSITORY))

        def rebuild(warehouse: product.Warehouse = warehouse) -> None:
            with warehouse.transaction() as connection:
                connection.execute(f"SET memory_limit = '{memory}'")
                product.rebuild(connection, None, made_up.AS_OF)

        contest.run("rows written at once", store, fill)
        contest.run("all metrics", store, rebuild)
        contest.run("publication, whole", store, lambda warehouse=warehouse: product.publish(warehouse))  # type: ignore[misc]


def _turns(number: int) -> tuple[str, str]:
    return ("file", "lake") if number % 2 == 0 else ("lake", "file")


def _variables(server: Postgres, folder: Path, store: str, url: str) -> dict[str, str]:
    """The settings of a new store in this folder; a lake's catalog is in a database of its own."""
    folder.mkdir(parents=True)
    variables = product.environment(url, folder)
    if store == "lake":
        address = f"host={server.host} port={server.port} user={server.user} dbname={server.new_database()}"
        variables["PRPIPELINE_WAREHOUSE"] = f"ducklake:postgres:{address}"
        variables["PRPIPELINE_LAKE_DATA"] = str(folder / "lake")
    return variables


def _all_well(results: Iterator[product.SyncResult]) -> None:
    if failed := [result.error for result in results if result.failed]:
        raise SystemExit(f"{len(failed)} failed: {failed[0]}")


def _cpu_of(server: Postgres) -> float:
    """CPU seconds that the server with its sessions took so far, by Linux's /proc; 0 elsewhere."""
    processes: dict[
        int, tuple[int, list[int]]
    ] = {}  # by number: its parent; its own times, its ended children's
    parent = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
            command = (entry.parent / "cmdline").read_text()
        except OSError:
            continue  # it has just ended
        number = int(entry.parent.name)
        processes[number] = int(fields[1]), [int(field) for field in fields[11:15]]
        if f"port={server.port}" in command and "postgres" in command.partition("\0")[0]:
            parent = number
    ticks = sum(sum(times) for number, (of, times) in processes.items() if parent in (number, of))
    return ticks / os.sysconf("SC_CLK_TCK") if parent else 0.0


if __name__ == "__main__":
    main()
