"""The sandbox and the contenders in separate processes, so that a contender's cost excludes the sandbox's."""

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
    """The address of a sandbox with four reviews per pull request, and a rate limit that no benchmark reaches."""
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
    """Run a contender; the JSON that it printed. Raises RuntimeError with its last output if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {(done.stderr or done.stdout)[-1500:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result
