"""A whole run: from the repositories file to the report, for the command line and for Python."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from prpipeline.app.audit import ReleaseBlocked
from prpipeline.app.pipeline import HistoryProgress, Pipeline, SyncOptions, SyncResult
from prpipeline.model.repository import RepositoryName
from prpipeline.model.tracking import Caller
from prpipeline.publish.release import Release
from prpipeline.settings import ConfigurationError
from prpipeline.warehouse import WarehouseError

if TYPE_CHECKING:
    from prpipeline.sync.jira_syncer import JiraResult

log = logging.getLogger("prpipeline")

Only = Literal["github", "jira"]

_SHARED_BY = 50  # results whose metrics are computed in one transaction


class NothingTracked(ValueError):
    """No repository was named, and none is tracked."""


class Watcher:
    """Follows a run; what is of no interest does nothing. ``history`` may be called from several threads."""

    def starts(self, repositories: int) -> None:
        """So many repositories are going to be synced."""

    def history(self, progress: HistoryProgress) -> None:
        """A history has come further."""

    def result(self, result: SyncResult) -> None:
        """A repository is done."""

    def publishing(self) -> None:
        """All repositories are done."""

    def starts_jira(self, projects: int) -> None:
        """So many projects of Jira are going to be synced."""

    def jira_result(self, result: JiraResult) -> None:
        """A project is done."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to; ``release`` is None where nothing was published, ``blocked`` says why if checks forbade it,
    ``not_uploaded`` why it is not in the bucket.

    ``jira`` is None where Jira was not to be asked.
    """

    results: tuple[SyncResult, ...]
    release: Release | None = None
    blocked: str | None = None
    not_uploaded: str | None = None
    jira: tuple[JiraResult, ...] | None = None


def run(
    pipeline: Pipeline,
    names: Sequence[RepositoryName],
    options: SyncOptions,
    watcher: Watcher | None = None,
    only: Only | None = None,
) -> RunResult:
    """Do a whole run, and put on record whether it got to its end, for alerts. See ``_run``."""
    asks_jira = _asks_jira(pipeline, only)
    try:
        with pipeline.warehouse.session():
            ran = _run(
                pipeline,
                names,
                options,
                watcher or Watcher(),
                asks_github=only != "jira",
                asks_jira=asks_jira,
            )
    except NothingTracked:
        raise  # bad input, not a run
    except Exception as error:
        with suppress(WarehouseError):  # then there is nowhere to note it
            pipeline.note_run(options.caller, error)
        raise
    pipeline.note_run(options.caller, None)
    return ran


def _asks_jira(pipeline: Pipeline, only: Only | None) -> bool:
    """Whether Jira is to be asked. Raises ConfigurationError where it cannot be, before anything is done."""
    asks_jira = only != "github" and pipeline.settings.uses_jira
    if only == "jira" and not asks_jira:
        raise ConfigurationError(
            f"No project of Jira is selected; list some in {pipeline.settings.repositories_file} under jira.projects."
        )
    if asks_jira:
        pipeline.settings.connected_jira()
    return asks_jira


def _run(
    pipeline: Pipeline,
    names: Sequence[RepositoryName],
    options: SyncOptions,
    watcher: Watcher,
    *,
    asks_github: bool,
    asks_jira: bool,
) -> RunResult:
    """Sync these repositories, or all tracked ones where none is named; derive their metrics; publish; report. Then do the
    same for the selected projects of Jira: whatever Jira does, it delays no pull request.

    Follows the repositories file, and tracks what is named and not tracked yet. A name that GitHub does not know is
    not kept. Publishes where that shows readers anything new, and once a day in any case; not where a check found an
    error, or where all failed and nothing was ever published.

    Raises NothingTracked, ConfigurationError, WarehouseError, and ApiFailure where the owners in the repositories file
    cannot be listed; what else GitHub and Jira refuse is in the results.
    """
    pipeline.follow_jira()
    ran = RunResult(())
    if asks_github:
        try:
            # Only the demo's Jira is never down, nor slow.
            publishes = not (asks_jira and pipeline.settings.is_demo)
            ran = _run_github(pipeline, names, options, watcher, publishes=publishes)
        except NothingTracked:
            if not asks_jira:
                raise
    if not asks_jira:
        return ran
    watcher.starts_jira(len(pipeline.settings.jira_options.entries))
    results: list[JiraResult] = []
    for result in pipeline.sync_jira(options):
        watcher.jira_result(result)
        log.log(logging.DEBUG if result.mode == "unchanged" else logging.INFO, jira_sentence(result))
        results.append(result)
    all_failed = all(result.failed for result in ran.results) and all(result.failed for result in results)
    again = _published(pipeline, options, watcher, all_failed=all_failed)
    return replace(
        ran,
        release=again.release or ran.release,
        blocked=again.blocked or ran.blocked,
        not_uploaded=again.not_uploaded,  # it tried whatever was left
        jira=tuple(results),
    )


def _run_github(
    pipeline: Pipeline,
    names: Sequence[RepositoryName],
    options: SyncOptions,
    watcher: Watcher,
    *,
    publishes: bool,
) -> RunResult:
    pipeline.follow_file()
    tracking, added = pipeline.tracking, []
    if names:
        added = tracking.track(names, tracked_by="cli", days_back=options.days_back, keep_options=True)
    chosen = [row.tracked_as for name in names if (row := tracking.find(name))] or tracking.tracked()
    if not chosen:
        raise NothingTracked(tracking.nothing_tracked())
    watcher.starts(len(chosen))
    results: list[SyncResult] = []
    for batch in in_batches(_each(pipeline.sync(chosen, options, on_progress=watcher.history), watcher)):
        pipeline.derive([result.tracked_as for result in batch if result.mode not in {"unchanged", "failed"}])
        results += batch
    # Not worth a failure every day.
    pipeline.untrack_never_found(results, added)
    ran = RunResult(())
    if publishes:
        ran = _published(pipeline, options, watcher, all_failed=all(result.failed for result in results))
    return replace(ran, results=tuple(results))


def _published(pipeline: Pipeline, options: SyncOptions, watcher: Watcher, *, all_failed: bool) -> RunResult:
    """Publish where that shows anything new, and write the report."""
    is_first = not pipeline.settings.published_path.exists()
    if (is_first and all_failed) or not pipeline.has_news():
        return RunResult((), not_uploaded=pipeline.upload())  # what an earlier run could not upload
    watcher.publishing()
    return publish_all(pipeline, options.caller)


def publish_all(pipeline: Pipeline, caller: Caller) -> RunResult:
    """Bring all tables up to date, publish them, write the report, and upload both; what came of that, without results."""
    pipeline.aggregate()
    try:
        release = pipeline.publish(caller=caller)
    except ReleaseBlocked as blocked:
        return RunResult((), blocked=str(blocked), not_uploaded=pipeline.upload())
    pipeline.report()
    return RunResult((), release, not_uploaded=pipeline.upload())


def in_batches(results: Iterable[SyncResult]) -> Iterator[list[SyncResult]]:
    """Results as they come, a few at a time, so that their metrics share a transaction."""
    batch: list[SyncResult] = []
    for result in results:
        log.log(logging.DEBUG if result.mode == "unchanged" else logging.INFO, sentence(result))
        batch.append(result)
        # A history took long enough to have a transaction of its own.
        if len(batch) >= _SHARED_BY or result.seconds > 1:
            yield batch
            batch = []
    if batch:
        yield batch


def sentence(result: SyncResult) -> str:
    """What a sync did, for the log."""
    if result.failed:
        return f"{result.tracked_as}: failed. {result.error}"
    if result.mode == "unchanged":
        return f"{result.tracked_as}: nothing new."
    removed = f", {_counted(result.removed, 'row')} gone from GitHub removed" if result.removed else ""
    return (
        f"{result.tracked_as}: {result.mode}, {_counted(result.pull_requests, 'pull request')} with "
        f"{_counted(result.reviews, 'review')} read{removed}, in {_counted(result.requests, 'request')} "
        f"and {result.seconds:.1f} s."
    )


def jira_sentence(result: JiraResult) -> str:
    """What the sync of a project did, for the log."""
    if result.failed:
        return f"{result.project}: failed. {result.error}"
    if result.mode == "unchanged":
        return f"{result.project}: nothing new."
    removed = (
        f", {_counted(result.removed, 'issue')} that Jira shows no more marked" if result.removed else ""
    )
    return (
        f"{result.project}: {result.mode}, {_counted(result.issues, 'issue')} read{removed}, in "
        f"{_counted(result.requests, 'request')} and {result.seconds:.1f} s."
    )


def _each(results: Iterable[SyncResult], watcher: Watcher) -> Iterator[SyncResult]:
    for result in results:
        watcher.result(result)
        yield result


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
