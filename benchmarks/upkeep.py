"""Benchmarks of start-up, and of how the files grow."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb

from benchmarks import product
from benchmarks.github import CHECKOUT, ours
from benchmarks.report import show
from prpipeline.sandbox.github import ManualClock, Sandbox, generated_world
from prpipeline_tests.support.dagster_lab import DagsterLab


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
    """What Dagster keeps of each day's sync and publication; a year of it is computed from a few days."""
    repositories, days = (20, 2) if quick else (1000, 5)
    rows = [_records(repositories, days, share) for share in (0, 20)]
    show(
        f"Dagster's records of runs, {repositories:,} repositories",
        ["changed a day", "MB after the histories", "MB a day", "MB with 90 days kept"],
        rows,
    )


def _records(repositories: int, days: int, share: int) -> list[object]:
    """Where one in ``share`` repositories changes a day, or none."""
    world = generated_world(repositories, 2, 2)
    names = [repository.full_name for repository in world.repositories.values()]
    with tempfile.TemporaryDirectory() as folder, Sandbox(world) as server:
        (home := Path(folder, "home")).mkdir()
        pipeline = product.open_pipeline(product.environment(server.url, Path(folder, "data")))
        with dg.DagsterInstance.local_temp(str(home)) as instance:
            lab = DagsterLab(pipeline, instance)
            lab.track(*names)
            sizes = []
            for day in range(days + 1):
                for name in names[day::share] if day and share else []:
                    world.review(
                        next(iter(world.repository(name).pull_requests.values())), "person-1", "COMMENTED"
                    )
                lab.run(repositories=names)
                request = lab.publish_tick()
                assert isinstance(request, dg.RunRequest), request
                lab.request(request, "publish")
                product.age_publications(pipeline)
                sizes.append(_folder_bytes(home) / 1e6)
    daily = (sizes[-1] - sizes[0]) / days
    return [repositories // share if share else 0, sizes[0], daily, sizes[0] + 90 * daily]


def _folder_bytes(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
