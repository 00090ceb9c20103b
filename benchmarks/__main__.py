"""Run the benchmarks against the sandbox and print tables: ``python -m benchmarks [--quick]``.

Seconds are of this machine, now; ratios within one run are what to compare.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.github import CHECKOUT, CONTENDERS, contender, ours, sandbox
from benchmarks.report import say, show
from prpipeline.publish.release import publish
from prpipeline.sandbox.github import ManualClock, Sandbox, generated_world
from prpipeline.warehouse import Warehouse

MEASURES = ("requests", "points", "seconds", "cpu", "memory")
HEADINGS = ("requests", "points", "seconds", "CPU s", "MB above imports")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under three minutes: less of everything")
    parser.add_argument("--only", action="append", choices=[s.__name__ for s in SCENARIOS])
    options = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    say(
        f"{os.cpu_count()} processors, load {load:.1f}, Python {sys.version.split()[0]}, DuckDB {duckdb.__version__}"
    )
    for scenario in SCENARIOS:
        if not options.only or scenario.__name__ in options.only:
            started = time.monotonic()
            scenario(options.quick)
            say(f"[dim]{scenario.__name__}: {time.monotonic() - started:.0f} s[/dim]\n")


def history(quick: bool) -> None:
    """The same 1,000 pull requests and 4,000 reviews, fetched in the ways people fetch them."""
    latencies = (0.0, 0.1)
    dlt_python = _dlt_environment()
    for latency in latencies:
        # One request a pull request takes minutes; the quick run leaves the others fewer to fetch.
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
                *(told[measure] for measure in MEASURES),
                "yes" if (told["pull_requests"], told["reviews"]) == (size, 4 * size) else "NO",
                "" if size != count else f"{told['requests'] / reference['requests']:.1f} ×",
                "" if size != count else f"{told['seconds'] / reference['seconds']:.1f} ×",
            ]
            for name, size, told in rows
        ]
        show(
            f"history at {latency * 1000:.0f} ms a request",
            ["", "PRs", *HEADINGS, "rows equal", "requests", "time"],
            table,
        )
        bound = 1.15 * mine["requests"] * latency + 1 if latency else 2.0
        say(f"  1,000 pull requests: {mine['seconds']:.2f} s; aim: {bound:.2f} s")


def increment(quick: bool) -> None:
    """Ten of 1,000 pull requests changed; then none. Many repositories, 5 % of them changed; then none."""
    rows = []
    for repositories, pull_requests in ((1, 1000), (40 if quick else 1000, 3)):
        changed = 10 if repositories == 1 else repositories // 20
        world = generated_world(repositories, pull_requests, 2, clock=_clock())
        with tempfile.TemporaryDirectory() as folder, Sandbox(world) as server:
            first = ours(server.url, Path(folder), repositories)
            rows.append([f"{repositories:,} × {pull_requests:,} PRs, history", first["changed"], *_of(first)])
            world.clock.advance(timedelta(hours=2))
            for number in range(changed):
                repository = world.repository(
                    f"bulk/repository-{1 if repositories == 1 else 20 * number + 1}"
                )
                pull = list(repository.pull_requests.values())[number if repositories == 1 else 0]
                world.review(pull, "person-1", "COMMENTED")
            world.clock.advance(timedelta(hours=2))
            for what in (f"{changed} changed", "none changed"):
                told = ours(server.url, Path(folder), repositories)
                rows.append(
                    [f"{repositories:,} × {pull_requests:,} PRs, {what}", told["changed"], *_of(told)]
                )
                world.clock.advance(timedelta(hours=2))
    show(
        "increments, no latency (the sandbox runs here, beside them)",
        ["repositories × pull requests", "repositories changed", *HEADINGS],
        rows,
    )


def publication(quick: bool) -> None:
    """Publish a large warehouse while somebody reads the last publication."""
    wanted = 10_000_000 if quick else 1_000_000_000
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "warehouse.duckdb")
        with warehouse.transaction():
            pass  # creates the file
        rows: list[list[Any]] = []
        size = 0
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
            with _reader(warehouse) as reads:
                cpu = time.process_time()
                release = publish(warehouse)
            size = release.size_bytes
            rows.append(
                [what, pull_requests, size / 1e6, release.seconds, time.process_time() - cpu, *reads.told()]
            )
        show(
            "publish, with a reader at work",
            ["", "PRs", "MB", "seconds", "CPU s, reader's too", "reads", "wrong reads", "slowest read, s"],
            rows,
        )


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


def memory(quick: bool) -> None:
    """Histories of growing length: what a pull request more costs in memory."""
    sizes = (1_000, 3_000) if quick else (5_000, 50_000, 200_000)
    rows: list[list[Any]] = []
    for size in sizes:
        with sandbox(1, size, 0.0) as url, tempfile.TemporaryDirectory() as folder:
            told = ours(url, Path(folder))
        rows.append([f"history of {size:,} pull requests", *_of(told)])
    slope = (rows[-1][-1] - rows[0][-1]) / (sizes[-1] - sizes[0])
    show("memory", ["", *HEADINGS], rows)
    say(f"  {slope * 1024:.2f} KB a pull request; aim: 250 MB above the imports for 200,000")


def growth(quick: bool) -> None:
    """Many small increments: the warehouse's size against that of a fresh copy of it."""
    rounds = 10 if quick else 1000
    world = generated_world(1, 200, 2, clock=_clock())
    with tempfile.TemporaryDirectory() as folder, Sandbox(world) as server:
        ours(server.url, Path(folder))
        path = Path(folder) / "warehouse.duckdb"
        before = path.stat().st_size
        pulls = list(world.repository("bulk/repository-1").pull_requests.values())
        from prpipeline.app.pipeline import Pipeline
        from prpipeline.settings import load_settings
        from prpipeline.sync import SyncOptions

        environment = {
            "GITHUB_API_URL": server.url,
            "GITHUB_TOKEN": "sandbox-token",
            "PRPIPELINE_DATA_DIR": folder,
        }
        pipeline = Pipeline(load_settings(environment))
        for number in range(rounds):
            world.review(pulls[number % len(pulls)], "person-1", "COMMENTED")
            world.clock.advance(timedelta(hours=1))
            for _ in pipeline.sync(["bulk/repository-1"], SyncOptions()):
                pass
            pipeline.derive(["bulk/repository-1"])
            pipeline.aggregate()
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
    world = generated_world(repositories, 2, 2, clock=_clock())
    with tempfile.TemporaryDirectory() as name, Sandbox(world) as server:
        home = Path(name) / "home"
        environment = {
            **os.environ,
            "GITHUB_API_URL": server.url,
            "GITHUB_TOKEN": "sandbox-token",
            "PRPIPELINE_DATA_DIR": f"{name}/data",
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
            world.clock.advance(timedelta(days=1))
            command = [sys.executable, "-m", "prpipeline", "sync", "--json"]
            subprocess.run(command, env=environment, cwd=CHECKOUT, stdout=subprocess.DEVNULL, check=True)
            sizes.append(sum(file.stat().st_size for file in home.rglob("*") if file.is_file()) / 1e6)
    daily = (sizes[-1] - sizes[0]) / days
    show(
        f"Dagster's records, {repositories:,} repositories, 5 % of them changed a day",
        ["MB after the histories", "MB a day", "MB in 365 days, nothing forgotten", "MB with 90 days kept"],
        [[sizes[0], daily, sizes[0] + 365 * daily, sizes[0] + 90 * daily]],
    )


SCENARIOS: tuple[Callable[[bool], None], ...] = (
    history,
    increment,
    publication,
    start_up,
    memory,
    growth,
    records,
)


@contextmanager
def _another(url: str, pull_requests: int, latency: float) -> Iterator[str]:
    if pull_requests == 1000:
        yield url
        return
    with sandbox(1, pull_requests, latency) as smaller:
        yield smaller


def _clock() -> ManualClock:
    return ManualClock()


def _of(told: dict[str, Any]) -> list[Any]:
    return [told[measure] for measure in MEASURES]


def _children_cpu() -> float:
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _dlt_environment() -> str | None:
    """Python of an environment that has dlt, whose DuckDB is its own business; made once."""
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


def _fill(warehouse: Warehouse, pull_requests: int) -> None:
    """Made-up rows, straight into the warehouse; metrics by the pipeline's own SQL."""
    from benchmarks import metrics_scale
    from prpipeline import metrics
    from prpipeline.settings import MetricSettings

    script = metrics_scale.SCRIPT
    for name, value in {"$n": pull_requests, "$per": 2_000, "$first": 1_000}.items():
        script = script.replace(name, str(value))
    with warehouse.transaction() as connection:
        connection.execute(script)
        metrics.rebuild(connection, None, MetricSettings(), metrics_scale.AS_OF)
        metrics.rebuild_aggregates(connection, MetricSettings(), metrics_scale.AS_OF)


def _a_day_later(warehouse: Warehouse, days: int, repositories: str) -> None:
    """What a sync and the derived tables leave: a fiftieth of these repositories' pull requests changed, and of all
    others the clocks went on."""
    from benchmarks import metrics_scale
    from prpipeline import metrics
    from prpipeline.settings import MetricSettings

    now = metrics_scale.AS_OF + timedelta(days=days)
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE raw.pull_requests SET title = title || '!', synced_at = ? "
            f"WHERE number % 50 = 0 AND {repositories}",
            [now],
        )
        changed = connection.execute(
            f"UPDATE meta.repositories SET changed_at = ? WHERE {repositories} RETURNING repository_id", [now]
        ).fetchall()
        metrics.rebuild(connection, [row[0] for row in changed], MetricSettings(), now)
        metrics.rebuild_aggregates(connection, MetricSettings(), now)


class _reader:  # noqa: N801 - used as a function
    """Somebody who asks the published file the same question again and again."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._file = warehouse.path.parent / "published" / "prpipeline.duckdb"
        self._script = (
            "import sys, time, duckdb\n"
            "n = wrong = 0; slowest = 0.0; answers = set()\n"
            "c = duckdb.connect(sys.argv[1], read_only=True)\n"
            "print('reading', flush=True)\n"
            "import threading\n"
            "stop = threading.Event(); threading.Thread(target=lambda: (sys.stdin.read(), stop.set())).start()\n"
            "while not stop.is_set():\n"
            "    t = time.perf_counter()\n"
            "    answers.add(c.execute('SELECT count(*), max(created_at) FROM pull_requests').fetchone())\n"
            "    slowest = max(slowest, time.perf_counter() - t); n += 1; time.sleep(0.02)\n"
            "print(n, len(answers) - 1, slowest)\n"
        )
        self._process: subprocess.Popen[str] | None = None
        self._told: Sequence[Any] = ("", "", "")

    def __enter__(self) -> _reader:
        if self._file.exists():
            self._process = subprocess.Popen(
                [sys.executable, "-c", self._script, str(self._file)],
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
            self._told = (int(reads), int(wrong), float(slowest))

    def told(self) -> Sequence[Any]:
        return self._told


if __name__ == "__main__":
    main()
