"""A Redis of the tests' own, where the system has its program."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from prpipeline_tests.support.dagster_server import free_port, wait_for


@contextmanager
def running() -> Iterator[str]:
    """Its address. Skips the test where there is none to start."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no Redis here: install redis-server")
    port = free_port()
    with subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for("The start of Redis", lambda: _listens(port), 30)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
