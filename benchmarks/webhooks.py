"""What receiving and draining webhooks costs. ``python -m benchmarks.webhooks [SECONDS]``.

A thousand deliveries a minute, about 200 pull requests, while the warehouse is locked: the time of each answer, and the
receiver's memory. Then one drain: its requests. The receiver and the drain are processes of their own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

from prpipeline.sandbox.github import ManualClock, Sandbox, generated_world
from prpipeline.sandbox.github.hooks import Delivered
from prpipeline.warehouse import Warehouse

_DELIVERIES, _PULL_REQUESTS = 1_000, 200
_COMMAND = [sys.executable, "-m", "prpipeline"]


def main(seconds: float = 60) -> None:
    clock = ManualClock()
    world = generated_world(1, _PULL_REQUESTS, 1, clock=clock)
    (name,) = [repository.full_name for repository in world.repositories.values()]
    with Sandbox(world) as server, tempfile.TemporaryDirectory() as folder:
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "PRPIPELINE_"))
        } | {
            "GITHUB_API_URL": server.url,
            "GITHUB_TOKEN": "sandbox-token",
            "PRPIPELINE_DATA_DIR": folder,
            "PRPIPELINE_WEBHOOK_SECRETS": "a-secret-of-the-benchmark",
        }
        subprocess.run([*_COMMAND, "sync", name], env=environment, check=True, capture_output=True)
        server.hooks.is_sending = False
        server.hooks.add(name, "http://localhost/", "a-secret-of-the-benchmark", ["*"], content_type="json")
        clock.advance(timedelta(minutes=5))
        pulls = list(world.repository(name).pull_requests.values())
        taken = len(server.hooks.deliveries)
        for number in range(_DELIVERIES):
            world.edit_title(pulls[number % _PULL_REQUESTS], f"Title {number}")
        clock.advance(timedelta(minutes=1))
        deliveries = server.hooks.deliveries[taken:]
        receiver = subprocess.Popen(
            [*_COMMAND, "webhooks", "serve", "--port", "0"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert receiver.stdout is not None
        address = receiver.stdout.readline().split()[-1]
        before = _memory(receiver.pid)
        with Warehouse(Path(folder) / "warehouse.duckdb").exclusive():
            took = _send(deliveries, address, seconds)
        print(
            f"{len(deliveries):,} deliveries in {seconds:.0f} s, the warehouse locked: answered in "
            f"{statistics.median(took) * 1000:.1f} ms (median), {max(took) * 1000:.0f} ms (slowest); the receiver's "
            f"memory {before} MB before, {_memory(receiver.pid)} MB after"
        )
        receiver.terminate()
        receiver.wait(30)
        ended = subprocess.run(
            [*_COMMAND, "webhooks", "drain", "--wait", "--json"],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        done = json.loads(ended.stdout)
        print(
            f"a drain: {done['done']:,} deliveries of {_PULL_REQUESTS} pull requests, {done['requests']} requests"
        )


def _send(deliveries: list[Delivered], address: str, seconds: float) -> list[float]:
    took, begun = [], time.monotonic()
    for number, delivery in enumerate(deliveries):
        time.sleep(max(0.0, begun + number * seconds / len(deliveries) - time.monotonic()))
        request = urllib.request.Request(address, data=delivery.body, headers=delivery.headers, method="POST")
        started = time.monotonic()
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 202
        took.append(time.monotonic() - started)
    return took


def _memory(pid: int) -> int:
    """The resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
