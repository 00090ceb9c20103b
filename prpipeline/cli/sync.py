"""The commands ``sync`` and ``demo``: a whole run in this process, with its progress and its results."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from prpipeline.cli.alerts import telling
from prpipeline.cli.common import (
    EXIT_BAD_INPUT,
    EXIT_FAILED,
    BadInput,
    echo_json,
    open_pipeline,
    parse_names,
    published_path,
    published_to,
)

if TYPE_CHECKING:
    from prpipeline.app.basics import RepositoryName
    from prpipeline.app.jira import JiraEstimate, JiraResult
    from prpipeline.app.pipeline import Pipeline, SyncResult
    from prpipeline.app.run import Only, RunResult


@click.command()
@click.argument("repositories", metavar="[OWNER/NAME]...", nargs=-1)
@click.option("--full", is_flag=True, help="Read the whole history again from its start.")
@click.option(
    "--days-back", type=click.IntRange(1, 36_500), help="Days of history to read of new repositories."
)
@click.option(
    "--reconcile",
    is_flag=True,
    help="Also compare every pull request in outline: finds deletions, dismissals, deleted reviews and accounts, and "
    "vanished events, which move no time stamp. By REST only deletions, and what is open or was closed in the last "
    "30 days. docs/what-a-sync-sees.md says what is not found.",
)
@click.option(
    "--only",
    type=click.Choice(["github", "jira"]),
    help="Sync one of the two; without it both, where projects of Jira are selected.",
)
@click.option(
    "--dry-run", is_flag=True, help="Ask GitHub and Jira only what whole histories would cost, and say it."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for scripts, and nothing else, on standard output."
)
def sync(
    repositories: Sequence[str],
    full: bool,
    days_back: int | None,
    reconcile: bool,
    only: Only | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring repositories up to date with GitHub, compute their review times, and publish.

    Tracks what is named and not yet tracked; without names, all tracked repositories are synced. After that come the
    projects of Jira that the repositories file selects, if any.

    \b
    Examples:
      prpipeline sync octo-org/widgets --days-back 90
      prpipeline sync --json | jq '.repositories[] | select(.mode == "failed")'
    """
    pipeline = open_pipeline()
    names = parse_names(repositories, pipeline.settings)
    if only == "jira" and names:
        raise BadInput("--only jira syncs no repository; leave the names out.")
    if dry_run:
        _estimate(pipeline, names, days_back, as_json, only)
        return
    with pipeline.warehouse.session(), telling(pipeline):
        ran = _run(pipeline, names, full=full, days_back=days_back, reconcile=reconcile, only=only)
        _show(ran, pipeline, as_json=as_json)
    _end(ran)


@click.command()
@click.argument("repositories", metavar="[OWNER/NAME]...", nargs=-1)
def demo(repositories: Sequence[str]) -> None:
    """See it work: sync, and print review times.

    Without a GITHUB_TOKEN, on sample repositories behind a local stand-in for GitHub; with OWNER/NAME, on GitHub.
    """
    from prpipeline.app import demo as sample
    from prpipeline.app.basics import SAMPLE_DATA
    from prpipeline.app.pipeline import Pipeline
    from prpipeline.cli.text_tables import jira_results_table, results_table, review_times

    pipeline = open_pipeline()
    names = parse_names(repositories, pipeline.settings)
    real = len(names) + len(pipeline.tracking.tracked())
    with ExitStack() as stack:
        if sample.is_wanted(pipeline.settings, real):
            click.echo(
                f"No GITHUB_TOKEN is set. {SAMPLE_DATA}\n"
                'For real ones: GITHUB_TOKEN=… make run REPOS="owner/name …"\n'
            )
            settings, names = stack.enter_context(sample.running(pipeline.settings, anew=True))
            pipeline = Pipeline(settings)
            pipeline.tracking.forget_demo()
        ran = _run(pipeline, names)
    results = ran.results
    if any(not r.failed for r in results):
        review_times(pipeline.stored.latest(15))
    results_table(results, None if ran.jira else published_path(pipeline.settings))
    if ran.jira:
        click.echo()
        jira_results_table(ran.jira, published_path(pipeline.settings))
    _end(ran)


COMMANDS = (sync, demo)


def _show(ran: RunResult, pipeline: Pipeline, *, as_json: bool) -> None:
    results = ran.results
    if as_json:
        echo_json(results_as_json(results, pipeline, ran.jira))
    else:
        from prpipeline.cli.text_tables import jira_results_table, results_table

        if results or ran.jira is None:
            results_table(results, None if ran.jira else published_path(pipeline.settings))
        if ran.jira:
            if results:
                click.echo()
            jira_results_table(ran.jira, published_path(pipeline.settings))
    if pipeline.tracking.holds_samples():
        click.echo("What is published is still the sample data of the demo.", err=True)
    if as_json or not sys.stderr.isatty():  # at a terminal they stand below the table
        _print_reasons([(r.tracked_as, r.error or "") for r in results if r.failed])
        _print_jira_reasons([(r.project, r.error or "") for r in ran.jira or () if r.failed])


def _run(
    pipeline: Pipeline,
    names: Sequence[RepositoryName],
    *,
    full: bool = False,
    days_back: int | None = None,
    reconcile: bool = False,
    only: Only | None = None,
) -> RunResult:
    from prpipeline.app.pipeline import SyncOptions
    from prpipeline.app.run import NothingTracked, run
    from prpipeline.cli.progress import SyncProgress

    options = SyncOptions(full=full, days_back=days_back, reconcile=reconcile, caller="command_line")
    with SyncProgress() as progress:
        try:
            return run(pipeline, names, options, progress, only)
        except NothingTracked as error:
            raise BadInput(f"{error} Name one: prpipeline sync OWNER/NAME") from None


def _estimate(
    pipeline: Pipeline,
    names: Sequence[RepositoryName],
    days_back: int | None,
    as_json: bool,
    only: Only | None,
) -> None:
    """Print what the histories of these (or of all tracked) would cost, and those of Jira's projects; changes nothing."""
    from dataclasses import asdict

    from prpipeline.cli.text_tables import estimates_table, jira_estimates_table

    asks_jira = only != "github" and pipeline.settings.uses_jira
    of_jira = _jira_estimates(pipeline) if asks_jira or only == "jira" else []
    chosen: Sequence[str] = [str(name) for name in names]
    notes: Sequence[str] = []
    if not names and only != "jira":
        chosen, notes = pipeline.to_be_tracked()
    for note in notes:
        click.echo(note, err=True)
    if not chosen and not of_jira:
        raise BadInput(
            f"{pipeline.tracking.nothing_tracked()} Name one: prpipeline sync --dry-run OWNER/NAME"
        )
    estimates = pipeline.estimate(chosen, days_back) if chosen else []
    if as_json:
        echo_json([*map(asdict, estimates), *map(asdict, of_jira)])
    else:
        if estimates:
            estimates_table(estimates)
        if of_jira:
            jira_estimates_table(of_jira)
    if as_json or not sys.stderr.isatty():
        _print_reasons([(e.repository, e.error) for e in estimates if e.error])
        _print_jira_reasons([(e.project, e.error) for e in of_jira if e.error])
    if any(e.error for e in estimates) or any(e.error for e in of_jira):
        sys.exit(EXIT_FAILED)


def _jira_estimates(pipeline: Pipeline) -> Sequence[JiraEstimate]:
    from prpipeline.app import jira

    if not pipeline.settings.uses_jira:
        raise BadInput(
            "No project of Jira is selected; list some in the repositories file under jira.projects."
        )
    pipeline.settings.connected_jira()
    return jira.estimate(pipeline.settings)


def _print_reasons(said: Sequence[tuple[str, str]]) -> None:
    """A plain line per cause of failure, for logs and scripts."""
    from prpipeline.app.basics import by_reason, listed

    for reason, names in by_reason(said).items():
        click.echo(" ".join(f"{listed(names)}: {reason}".split()), err=True)


def _print_jira_reasons(said: Sequence[tuple[str, str]]) -> None:
    """The same of projects: those that share a reason share a line."""
    from prpipeline.app.basics import listed

    reasons: dict[str, list[str]] = {}
    for name, reason in said:
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        click.echo(" ".join(f"{listed(names)}: {reason}".split()), err=True)


def _end(ran: RunResult) -> None:
    for problem in (ran.blocked, ran.not_uploaded):
        if problem:
            click.echo(problem, err=True)
    stays_behind = ran.blocked or ran.not_uploaded
    sys.exit(_exit_code((*ran.results, *(ran.jira or ()))) or (EXIT_FAILED if stays_behind else 0))


def _exit_code(results: Sequence[SyncResult | JiraResult]) -> int:
    failed = [r for r in results if r.failed]
    if failed and all(r.failure == "BadCredentials" for r in results):
        return EXIT_BAD_INPUT
    return EXIT_FAILED if failed else 0


def results_as_json(
    results: Sequence[SyncResult], pipeline: Pipeline, of_jira: Sequence[JiraResult] | None = None
) -> dict[str, Any]:
    """The results as scripts get them; ``of_jira`` is None where Jira was not asked."""
    return {
        "repositories": [
            {
                "repository": r.repository or r.tracked_as,
                "mode": _mode(r),
                "pull_requests": r.pull_requests,
                "reviews": r.reviews,
                "errors": [r.error] if r.error else [],
                "requests": r.requests,
                "points": r.points,
                "seconds": r.seconds,
            }
            for r in results
        ],
        **({} if of_jira is None else {"jira": [_jira_as_json(r) for r in of_jira]}),
        "requests": sum(r.requests for r in results),
        "points": sum(r.points for r in results),
        "seconds": round(sum(r.seconds for r in results), 3),
        "published": published_path(pipeline.settings),
        **published_to(pipeline.settings),
    }


def _mode(result: SyncResult | JiraResult) -> str:
    """Scripts know four modes; a reconciliation is an increment that compared more."""
    return "increment" if result.mode == "reconcile" else result.mode


def _jira_as_json(result: JiraResult) -> dict[str, Any]:
    return {
        "project": result.project,
        "mode": _mode(result),
        "issues": result.issues,
        "removed": result.removed,
        "errors": [result.error] if result.error else [],
        "requests": result.requests,
        "seconds": result.seconds,
    }
