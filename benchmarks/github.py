"""The sandbox as a process of its own, so that what it costs to answer is not on the contenders' account."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
CONTENDERS = Path(__file__).parent / "contenders"


@contextmanager
def sandbox(repositories: int, pull_requests: int, latency: float) -> Iterator[str]:
    """Its address. Four reviews a pull request. Nobody waits for the next hour: no limit is measured here."""
    command = [sys.executable, "-m", "prpipeline.sandbox.github", "--port", "0", "--latency", str(latency)]
    command += ["--limit", "1000000"]
    command += ["--repositories", str(repositories), "--pull-requests", str(pull_requests)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def ours(url: str, folder: Path, repositories: int = 1) -> dict[str, Any]:
    return contender(
        [sys.executable, "-m", "benchmarks.contenders.ours", url, str(folder), str(repositories)]
    )


def contender(command: Sequence[str]) -> dict[str, Any]:
    """Run one; what it told. Raises RuntimeError with its last words."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {(done.stderr or done.stdout)[-1500:]}")
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told
