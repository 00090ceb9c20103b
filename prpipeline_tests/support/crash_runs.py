"""Runs of the pipeline that can be killed at a chosen moment."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.sync_lab import TOKEN

SETTINGS = """
sync: {page_size: 5, overlap_minutes: 0}
repositories: []
"""
_LIMIT_SECONDS = 120.0


Page = tuple[str, str | None]
"""A page of a history: its repository and its cursor."""


@dataclass
class Killed:
    """A run that was killed (``was_killed``), or ended before."""

    was_killed: bool
    pages: list[Page] = field(default_factory=list)  # of histories, in the order of the requests


class Runs:
    """Starts runs against a sandbox, one at a time."""

    def __init__(self, server: Sandbox, folder: Path, batch_rows: int = 1) -> None:
        """``batch_rows``: how many rows a transaction should write, as ``Store`` says it."""
        self._server = server
        self._events: queue.SimpleQueue[str] = queue.SimpleQueue()
        server.before_request = lambda request: self._events.put("request")
        (folder / "repositories.yaml").write_text(SETTINGS, encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "GITHUB_API_URL": server.url,
            "GITHUB_TOKEN": TOKEN,
            "PRPIPELINE_DATA_DIR": str(folder),
            "PRPIPELINE_REPOSITORIES": str(folder / "repositories.yaml"),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "prpipeline_tests.support.crash_child", str(batch_rows)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(_LIMIT_SECONDS)
        self._reader.join()

    def whole(self) -> list[Page]:
        """Finish a run; returns the history pages that it asked for."""
        with self._one():
            self._await("ended 0", limit=_LIMIT_SECONDS)
        return self._pages()

    def killed(self, word: str, times: int, then_seconds: float) -> Killed:
        """Start a run, and kill it so long after it came to ``word`` ("request": asked GitHub) for the nth time."""
        with self._one() as pid:
            ended = False
            for _ in range(times):
                ended = ended or self._await(word, limit=_LIMIT_SECONDS).startswith("ended")
            if not ended:
                ended = self._await("ended", limit=then_seconds).startswith("ended")
            if not ended:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                was_killed = self._await("ended", limit=_LIMIT_SECONDS) == "ended -9"
                return Killed(was_killed, self._pages())
        return Killed(False, self._pages())

    def killed_after_commit(self, number: int) -> Killed:
        """Start a run that dies right after its nth commit; before its nth for -n."""
        with self._one(number):
            return Killed(self._await("ended", limit=_LIMIT_SECONDS) == "ended -9", self._pages())

    @contextmanager
    def _one(self, last_commit: int = 0) -> Iterator[int]:
        while not self._events.empty():
            self._events.get()
        self._server.reset_requests()
        assert self._process.stdin
        self._process.stdin.write(f"{last_commit}\n")
        self._process.stdin.flush()
        yield int(self._await("pid", limit=_LIMIT_SECONDS).split()[1])

    def _await(self, word: str, *, limit: float) -> str:
        """The next event of this kind, or the run's end if that comes first; "" if nothing does in time."""
        while True:
            try:
                event = self._events.get(timeout=limit)
            except queue.Empty:
                assert limit != _LIMIT_SECONDS, f"{word} never came"
                return ""
            if event.startswith(word):
                return event
            if event.startswith("ended"):
                assert event in ("ended 0", "ended -9"), event
                return event

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._events.put(line.strip())

    def _pages(self) -> list[Page]:
        return [
            (f"{r.variables['owner']}/{r.variables['name']}", r.variables["after"])
            for r in self._server.requests
            if r.operation == "History"
        ]
