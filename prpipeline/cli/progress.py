"""What a person at a terminal sees while it runs, on standard error. What stands there at the end: tables.py."""

from __future__ import annotations

import logging
import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from prpipeline.app.pipeline import Pipeline
    from prpipeline.sync import SyncResult
    from prpipeline.sync.context import Progress as HistoryProgress


class SyncProgress:
    """Progress of a sync, for a person; silent when standard error is no terminal, but for warnings."""

    def __init__(self, pipeline: Pipeline, repositories: int) -> None:
        # Where it leads now: while a run works, Dagster leads standard error into a file.
        self._terminal = _another(sys.stderr)
        self._console = Console(file=self._terminal, stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._all = self._progress.add_task("repositories", total=repositories, rate="")
        self._tasks: dict[str, TaskID] = {}
        self._after = pipeline.on_result
        pipeline.on_result = self._result
        pipeline.on_progress = self._history
        self._handler = RichHandler(
            console=self._console,
            show_path=False,
            show_level=False,
            rich_tracebacks=False,
            log_time_format="%H:%M:%S",
        )
        self._handler.setLevel(logging.INFO if self._console.is_terminal else logging.WARNING)

    def __enter__(self) -> SyncProgress:
        logging.getLogger("prpipeline").addHandler(self._handler)
        logging.getLogger("prpipeline").setLevel(logging.INFO)
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        logging.getLogger("prpipeline").removeHandler(self._handler)
        if self._terminal:
            self._terminal.close()

    def say(self, text: str) -> None:
        """A word on what goes on."""
        if self._console.is_terminal:
            self._progress.update(self._all, description=text)

    def _result(self, result: SyncResult) -> None:
        self._after(result)
        if (task := self._tasks.pop(result.tracked_as, None)) is not None:
            self._progress.remove_task(task)
        self._progress.advance(self._all)

    def _history(self, progress: HistoryProgress) -> None:
        task = self._tasks.get(progress.repository)
        if task is None:
            task = self._progress.add_task(escape(progress.repository), total=progress.total, rate="")
            self._tasks[progress.repository] = task
        self._progress.update(task, completed=progress.pull_requests, total=progress.total)
        speed = self._progress.tasks[self._progress.task_ids.index(task)].speed
        if speed:
            self._progress.update(task, rate=f"{speed:,.0f}/s")


def _another(stream: TextIO) -> TextIO | None:
    """A stream of its own to where this one leads now; None where it is not a file."""
    try:
        return os.fdopen(os.dup(stream.fileno()), "w", encoding=stream.encoding, errors=stream.errors)
    except OSError:
        return None
