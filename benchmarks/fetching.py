"""Benchmarks of fetching: a history compared with other ways to fetch it, increments, and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.github import CONTENDERS, contender, ours, sandbox
from benchmarks.report import say, show
from prpipeline.sandbox.github import ManualClock, Sandbox, generated_world

MEASURES = ("requests", "points", "seconds", "cpu", "memory")
HEADINGS = ("requests", "points", "seconds", "CPU s", "MB above imports")


def history(quick: bool) -> None:
    """The same 1,000 pull requests and 4,000 reviews, fetched by prpipeline and by other programs."""
    latencies = (0.0, 0.1)
    dlt_python = _dlt_environment()
    for latency in latencies:
        # One request per pull request takes minutes; in a quick run the other programs fetch fewer.
        count = 50 if quick else 1000
        with sandbox(1, 1000, latency) as url, _another(url, count, latency) as smaller:
            with tempfile.TemporaryDirectory() as folder:
                mine = ours(url, Path(folder))
            rows = [("prpipeline", 1000, mine)]
            reference = mine
            if count != 1000:
                with tempfile.TemporaryDirectory() as folder:
                    reference = ours(smaller, Path(folder))
                rows.append(("prpipeline", count, reference))
            others: list[tuple[str, list[str]]] = [
                ("requests, a call per PR", [sys.executable, str(CONTENDERS / "naive.py")]),
                ("… and its detail", [sys.executable, str(CONTENDERS / "naive.py")]),
            ]
            if dlt_python:
                others.append(("dlt rest_api", [dlt_python, str(CONTENDERS / "dlt_source.py")]))
            for name, command in others:
                with tempfile.TemporaryDirectory() as folder:
                    extra = ["--detail"] if name.startswith("…") else []
                    rows.append((name, count, contender([*command, smaller, folder, *extra])))
        table = [
            [
                name,
                size,
                *_measures(result),
                "yes" if (result["pull_requests"], result["reviews"]) == (size, 4 * size) else "NO",
                "" if size != count else f"{result['requests'] / reference['requests']:.1f} ×",
                "" if size != count else f"{result['seconds'] / reference['seconds']:.1f} ×",
            ]
            for name, size, result in rows
        ]
        show(
            f"history at {latency * 1000:.0f} ms a request",
            ["", "PRs", *HEADINGS, "rows equal", "requests", "time"],
            table,
        )
        bound = 1.15 * mine["requests"] * latency + 1 if latency else 2.0
        say(f"  1,000 pull requests: {mine['seconds']:.2f} s; aim: {bound:.2f} s")


def increment(quick: bool) -> None:
    """One repository with ten of 1,000 pull requests changed, then none; many repositories, 5 % changed, then none."""
    rows = []
    for repositories, pull_requests in ((1, 1000), (40 if quick else 1000, 3)):
        changed = 10 if repositories == 1 else repositories // 20
        clock = ManualClock()
        world = generated_world(repositories, pull_requests, 2, clock=clock)
        with tempfile.TemporaryDirectory() as folder, Sandbox(world) as server:
            first = ours(server.url, Path(folder), repositories)
            rows.append(
                [f"{repositories:,} × {pull_requests:,} PRs, history", first["changed"], *_measures(first)]
            )
            clock.advance(timedelta(hours=2))
            for number in range(changed):
                repository = world.repository(
                    f"bulk/repository-{1 if repositories == 1 else 20 * number + 1}"
                )
                pull = list(repository.pull_requests.values())[number if repositories == 1 else 0]
                world.review(pull, "person-1", "COMMENTED")
            clock.advance(timedelta(hours=2))
            for what in (f"{changed} changed", "none changed"):
                result = ours(server.url, Path(folder), repositories)
                rows.append(
                    [
                        f"{repositories:,} × {pull_requests:,} PRs, {what}",
                        result["changed"],
                        *_measures(result),
                    ]
                )
                clock.advance(timedelta(hours=2))
    show(
        "increments, no latency (the sandbox runs here, beside them)",
        ["repositories × pull requests", "repositories changed", *HEADINGS],
        rows,
    )


def memory(quick: bool) -> None:
    """Histories of growing length: the memory for each further pull request."""
    sizes = (1_000, 3_000) if quick else (5_000, 50_000, 200_000)
    rows: list[list[Any]] = []
    for size in sizes:
        with sandbox(1, size, 0.0) as url, tempfile.TemporaryDirectory() as folder:
            result = ours(url, Path(folder))
        rows.append([f"history of {size:,} pull requests", *_measures(result)])
    slope = (rows[-1][-1] - rows[0][-1]) / (sizes[-1] - sizes[0])
    show("memory", ["", *HEADINGS], rows)
    say(f"  {slope * 1024:.2f} KB a pull request; aim: 250 MB above the imports for 200,000")


@contextmanager
def _another(url: str, pull_requests: int, latency: float) -> Iterator[str]:
    if pull_requests == 1000:
        yield url
        return
    with sandbox(1, pull_requests, latency) as smaller:
        yield smaller


def _measures(result: dict[str, Any]) -> list[Any]:
    return [result[measure] for measure in MEASURES]


def _dlt_environment() -> str | None:
    """The Python of an environment with dlt and a DuckDB of its own, made once; None if it cannot be installed."""
    folder = Path(tempfile.gettempdir()) / "prpipeline-bench-dlt"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "ready").exists():
        uv = str(Path(sys.executable).with_name("uv"))
        try:
            subprocess.run([uv, "venv", "--quiet", "--clear", str(folder)], check=True, capture_output=True)
            install = [uv, "pip", "install", "--quiet", "--python", str(python), "dlt[duckdb]"]
            subprocess.run(install, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            say(f"dlt cannot be installed here, so it is left out: {error}")
            return None
        (folder / "ready").touch()
    return str(python)
