"""Benchmarks of start-up, and of how the files grow."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import duckdb

from benchmarks import product
from benchmarks.github import CHECKOUT, ours
from benchmarks.report import show
from prpipeline.sandbox.github import ManualClock, Sandbox, generated_world
from prpipeline_tests.support.dagster_server import DagsterServer, wait_for


def start_up(quick: bool) -> None:
    """The CPU time of starting the command line, and whether it imports Dagster."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PRPIPELINE_DATA_DIR": folder}
        for arguments in (["--help"], ["status"], ["sync", "--help"]):
            best, imported = float("inf"), True
            for _ in range(3):
                before = _children_cpu()
                command = [sys.executable, "-X", "importtime", "-m", "prpipeline", *arguments]
                done = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True)
                best = min(best, _children_cpu() - before)
                imported = any(line.endswith(" dagster") for line in done.stderr.splitlines())
            rows.append(["prpipeline " + " ".join(arguments), best, "yes" if imported else "no"])
    show("start-up, best of three", ["", "CPU s", "imports dagster"], rows)


def growth(quick: bool) -> None:
    """The warehouse's size after many small increments, compared with a fresh copy of it."""
    rounds = 10 if quick else 1000
    clock = ManualClock()
    world = generated_world(1, 200, 2, clock=clock)
    with tempfile.TemporaryDirectory() as folder, Sandbox(world) as server:
        ours(server.url, Path(folder))
        path = Path(folder) / "warehouse.duckdb"
        before = path.stat().st_size
        pulls = list(world.repository("bulk/repository-1").pull_requests.values())
        pipeline = product.open_pipeline(product.environment(server.url, Path(folder)))
        for number in range(rounds):
            world.review(pulls[number % len(pulls)], "person-1", "COMMENTED")
            clock.advance(timedelta(hours=1))
            product.sync_and_derive(pipeline, ["bulk/repository-1"])
        ideal = Path(folder) / "ideal.duckdb"
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{path}' AS held (READ_ONLY)")
            connection.execute(f"ATTACH '{ideal}' AS ideal (STORAGE_VERSION 'v1.2.0')")
            connection.execute("COPY FROM DATABASE held TO ideal")
        rows = [[rounds, before / 1e6, path.stat().st_size / 1e6, ideal.stat().st_size / 1e6]]
        rows[0].append(path.stat().st_size / ideal.stat().st_size)
    show("growth", ["increments", "MB before", "MB after", "MB of a fresh copy", "ratio"], rows)


def records(quick: bool) -> None:
    """Dagster's records of daily runs in which 5 % of the repositories changed; a year is computed from a week."""
    repositories, days = (20, 2) if quick else (1000, 7)
    clock = ManualClock()
    world = generated_world(repositories, 2, 2, clock=clock)
    with tempfile.TemporaryDirectory() as folder, Sandbox(world) as github:
        server = DagsterServer(Path(folder), github.url)
        listed = "".join(f"  - {repository.full_name}\n" for repository in world.repositories.values())
        server.repositories_file.write_text(f"repositories:\n{listed}", encoding="utf-8")
        with server.running():  # its sensor starts the histories
            wait_for("All partitions", lambda: len(server.partitions()["all"]) == repositories, 600)
            sizes = [_size_when_quiet(server)]
            for day in range(days):
                for repository in list(world.repositories.values())[day::20]:
                    world.review(next(iter(repository.pull_requests.values())), "person-1", "COMMENTED")
                clock.advance(timedelta(days=1))
                server.launch("sync")
                sizes.append(_size_when_quiet(server))
    daily = (sizes[-1] - sizes[0]) / days
    show(
        f"Dagster's records, {repositories:,} repositories, 5 % of them changed a day",
        ["MB after the histories", "MB a day", "MB in 365 days, none deleted", "MB with 90 days kept"],
        [[sizes[0], daily, sizes[0] + 365 * daily, sizes[0] + 90 * daily]],
    )


def _size_when_quiet(server: DagsterServer) -> float:
    """The megabytes in Dagster's folder once all runs have ended and are published."""
    server.wait_until_quiet(1800)
    home = Path(server.environment["DAGSTER_HOME"])
    return sum(file.stat().st_size for file in home.rglob("*") if file.is_file()) / 1e6


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
