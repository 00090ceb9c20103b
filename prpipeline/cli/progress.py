"""What a person at a terminal sees while a sync runs, on standard error. What stands there at the end: text_tables.py."""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from prpipeline.app.run import Watcher

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from prpipeline.app.jira import JiraResult
    from prpipeline.app.pipeline import HistoryProgress, SyncResult

log = logging.getLogger("prpipeline")


class SyncProgress(Watcher):
    """Bars and log lines on a terminal; elsewhere warnings alone."""

    def __init__(self) -> None:
        self._bars = _Bars() if sys.stderr.isatty() else None
        self._handler = self._bars.handler() if self._bars else logging.StreamHandler(sys.stderr)
        self._handler.setLevel(logging.INFO if self._bars else logging.WARNING)

    def __enter__(self) -> Self:
        log.addHandler(self._handler)
        log.setLevel(logging.INFO)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.progress.stop()
        log.removeHandler(self._handler)

    def starts(self, repositories: int) -> None:
        if self._bars:
            self._bars.start(repositories)

    def history(self, progress: HistoryProgress) -> None:
        if self._bars:
            self._bars.history(progress)

    def result(self, result: SyncResult) -> None:
        if self._bars:
            self._bars.result(result)

    def publishing(self) -> None:
        if self._bars:
            self._bars.publishing()

    def starts_jira(self, projects: int) -> None:
        if self._bars:
            self._bars.start(projects, "projects of Jira")

    def jira_result(self, result: JiraResult) -> None:
        if self._bars:
            self._bars.advance()


class _Bars:
    """A bar for all repositories, and one for each history that is being read."""

    def __init__(self) -> None:
        # Here: scripts have no use for rich, and importing it takes a tenth of a small sync.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True)
        self.progress: Progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
        )
        self._all: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}

    def handler(self) -> logging.Handler:
        """Writes log lines above the bars."""
        from rich.logging import RichHandler

        return RichHandler(
            console=self._console,
            show_path=False,
            show_level=False,
            rich_tracebacks=False,
            log_time_format="%H:%M:%S",
        )

    def start(self, number: int, what: str = "repositories") -> None:
        if self._all is not None:
            self.progress.remove_task(self._all)
        self._all = self.progress.add_task(what, total=number, rate="")
        self.progress.start()

    def advance(self) -> None:
        if self._all is not None:
            self.progress.advance(self._all)

    def publishing(self) -> None:
        if self._all is not None:
            self.progress.update(self._all, description="Publishing …")

    def result(self, result: SyncResult) -> None:
        if (task := self._tasks.pop(result.tracked_as, None)) is not None:
            self.progress.remove_task(task)
        self.advance()

    def history(self, progress: HistoryProgress) -> None:
        from rich.markup import escape

        task = self._tasks.get(progress.repository)
        if task is None:
            task = self.progress.add_task(escape(progress.repository), total=progress.total, rate="")
            self._tasks[progress.repository] = task
        self.progress.update(task, completed=progress.pull_requests, total=progress.total)
        speed = self.progress.tasks[self.progress.task_ids.index(task)].speed
        if speed:
            self.progress.update(task, rate=f"{speed:,.0f}/s")
