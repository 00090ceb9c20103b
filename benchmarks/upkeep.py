"""What the pipeline costs beside fetching and publishing: start-up, and the growth of its files."""

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


def start_up(quick: bool) -> None:
    """What the command line costs before it does anything."""
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
    """Many small increments: the warehouse's size against that of a fresh copy of it."""
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
    show("growth", ["increments", "MB before", "MB after", "MB if copied afresh", "ratio"], rows)


def records(quick: bool) -> None:
    """What Dagster keeps of each day, 5 % of the repositories changed; a year of it is computed from a week."""
    repositories, days = (20, 2) if quick else (1000, 7)
    clock = ManualClock()
    world = generated_world(repositories, 2, 2, clock=clock)
    with tempfile.TemporaryDirectory() as name, Sandbox(world) as server:
        home = Path(name) / "home"
        environment = {
            **os.environ,
            **product.environment(server.url, Path(name, "data")),
            "PRPIPELINE_REPOSITORIES": f"{name}/repositories.yaml",
            "DAGSTER_HOME": str(home),
        }
        listed = "".join(f"  - bulk/repository-{number + 1}\n" for number in range(repositories))
        Path(name, "repositories.yaml").write_text(f"repositories:\n{listed}", encoding="utf-8")
        sizes = []
        for day in range(days + 1):
            for number in range(day, repositories if day else 0, 20):
                pulls = world.repository(f"bulk/repository-{number + 1}").pull_requests
                world.review(next(iter(pulls.values())), "person-1", "COMMENTED")
            clock.advance(timedelta(days=1))
            command = [sys.executable, "-m", "prpipeline", "sync", "--json"]
            subprocess.run(command, env=environment, cwd=CHECKOUT, stdout=subprocess.DEVNULL, check=True)
            sizes.append(sum(file.stat().st_size for file in home.rglob("*") if file.is_file()) / 1e6)
    daily = (sizes[-1] - sizes[0]) / days
    show(
        f"Dagster's records, {repositories:,} repositories, 5 % of them changed a day",
        ["MB after the histories", "MB a day", "MB in 365 days, nothing forgotten", "MB with 90 days kept"],
        [[sizes[0], daily, sizes[0] + 365 * daily, sizes[0] + 90 * daily]],
    )


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
