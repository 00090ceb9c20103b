"""From a schedule's tick to the published file, by a running Dagster: many repositories in one run, and a run for each.

    python -m benchmarks.schedule_tick [--repositories 1000] [--single 10]

Everything is real but GitHub: the sandbox answers from this process. Nothing has changed on it since the histories
were read, and the last publication is a day old, so what is measured is what a quiet day costs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import product
from prpipeline.sandbox.github import Sandbox, generated_world
from prpipeline_tests.support.dagster_server import DagsterServer, wait_for


def main() -> None:
    options = _options()
    world = generated_world(options.repositories, options.pull_requests, 2)
    with Sandbox(world) as github, tempfile.TemporaryDirectory() as folder:
        server = DagsterServer(Path(folder), github.url)
        server.repositories_file.write_text("repositories: []\n", encoding="utf-8")
        names = [repository.full_name for repository in world.repositories.values()]
        started = time.monotonic()
        pipeline = product.open_pipeline(server.environment)
        product.track(pipeline, names)
        product.sync_and_derive(pipeline, names)
        pipeline.publish()
        print(f"histories of {len(names)} repositories, without Dagster: {time.monotonic() - started:.0f} s")
        with server.running():
            wait_for("All partitions", lambda: len(server.partitions()["all"]) == len(names), 300)
            server.wait_until_quiet(300)
            product.age_publications(pipeline)
            rows = [("one run of all", len(names), *_tick(server, github))]
            rows.append(
                ("a run of each", options.single, *_backfills(server, github, names[: options.single]))
            )
    _print(rows)


def _tick(server: DagsterServer, github: Sandbox) -> tuple[float, float, int]:
    github.reset_requests()
    started = time.time()
    for request in server.dry_run("daily_sync", started):
        server.launch("sync", request["runConfigYaml"])
    return _finish(server, github, started)


def _backfills(server: DagsterServer, github: Sandbox, names: Sequence[str]) -> tuple[float, float, int]:
    github.reset_requests()
    started = time.time()
    for name in names:
        server.launch("sync", {"ops": {"sync_and_publish": {"config": {"repositories": [name]}}}})
    return _finish(server, github, started)


def _finish(server: DagsterServer, github: Sandbox, started: float) -> tuple[float, float, int]:
    server.wait_until_quiet(1800)
    runs = [run for run in server.runs() if (run["startTime"] or 0) > started]
    working = sum(run["endTime"] - run["startTime"] for run in runs)
    return max(run["endTime"] for run in runs) - started, working, len(github.requests)


def _print(rows: Sequence[tuple[str, int, float, float, int]]) -> None:
    print(
        f"{'unchanged':<16}{'repositories':>13}{'tick to published s':>21}{'s in runs':>11}{'requests':>10}"
    )
    for name, repositories, seconds, working, requests in rows:
        print(f"{name:<16}{repositories:>13,}{seconds:>21.1f}{working:>11.1f}{requests:>10}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--pull-requests", type=int, default=10, help="of each")
    parser.add_argument("--single", type=int, default=10, help="how many runs of one repository each")
    return parser.parse_args()


if __name__ == "__main__":
    main()
