"""The commands ``sync`` and ``demo``: a whole run in this process, with its progress and its results."""

from __future__ import annotations

import json
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
    echo_for_scripts,
    isoformat,
    open_pipeline,
    parse_names,
    published_path,
)

if TYPE_CHECKING:
    from prpipeline.app.basics import RepositoryName
    from prpipeline.app.pipeline import Pipeline, SyncResult
    from prpipeline.app.run import RunResult


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
@click.option("--dry-run", is_flag=True, help="Ask GitHub only what a whole history would cost, and say it.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for scripts, and nothing else, on standard output."
)
def sync(
    repositories: Sequence[str],
    full: bool,
    days_back: int | None,
    reconcile: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring repositories up to date with GitHub, compute their review times, and publish.

    Tracks what is named and not yet tracked; without names, all tracked repositories are synced.

    \b
    Examples:
      prpipeline sync octo-org/widgets --days-back 90
      prpipeline sync --json | jq '.repositories[] | select(.mode == "failed")'
    """
    pipeline = open_pipeline()
    names = parse_names(repositories, pipeline.settings)
    if dry_run:
        _estimate(pipeline, names, days_back, as_json)
        return
    with telling(pipeline):
        ran = _run(pipeline, names, full=full, days_back=days_back, reconcile=reconcile)
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
    from prpipeline.cli.text_tables import results_table, review_times

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
        review_times(pipeline.latest(15))
    results_table(results, published_path(pipeline.settings))
    _end(ran)


COMMANDS = (sync, demo)


def _show(ran: RunResult, pipeline: Pipeline, *, as_json: bool) -> None:
    results = ran.results
    if as_json:
        echo_for_scripts(json.dumps(results_as_json(results, pipeline), default=isoformat))
    else:
        from prpipeline.cli.text_tables import results_table

        results_table(results, published_path(pipeline.settings))
    if pipeline.tracking.holds_samples():
        click.echo("What is published is still the sample data of the demo.", err=True)
    if as_json or not sys.stderr.isatty():  # at a terminal they stand below the table
        _print_reasons([(r.tracked_as, r.error or "") for r in results if r.failed])


def _run(
    pipeline: Pipeline,
    names: Sequence[RepositoryName],
    *,
    full: bool = False,
    days_back: int | None = None,
    reconcile: bool = False,
) -> RunResult:
    from prpipeline.app.pipeline import SyncOptions
    from prpipeline.app.run import NothingTracked, run
    from prpipeline.cli.progress import SyncProgress

    options = SyncOptions(full=full, days_back=days_back, reconcile=reconcile, caller="command_line")
    with SyncProgress() as progress:
        try:
            return run(pipeline, names, options, progress)
        except NothingTracked as error:
            raise BadInput(f"{error} Name one: prpipeline sync OWNER/NAME") from None


def _estimate(
    pipeline: Pipeline, names: Sequence[RepositoryName], days_back: int | None, as_json: bool
) -> None:
    """Print what the histories of these (or of all tracked) would cost; changes nothing."""
    from dataclasses import asdict

    from prpipeline.cli.text_tables import estimates_table

    chosen, notes = ([str(name) for name in names], []) if names else pipeline.to_be_tracked()
    for note in notes:
        click.echo(note, err=True)
    if not chosen:
        raise BadInput(
            f"{pipeline.tracking.nothing_tracked()} Name one: prpipeline sync --dry-run OWNER/NAME"
        )
    estimates = pipeline.estimate(chosen, days_back)
    if as_json:
        echo_for_scripts(json.dumps([asdict(e) for e in estimates]))
    else:
        estimates_table(estimates)
    if as_json or not sys.stderr.isatty():
        _print_reasons([(e.repository, e.error) for e in estimates if e.error])
    if any(e.error for e in estimates):
        sys.exit(EXIT_FAILED)


def _print_reasons(said: Sequence[tuple[str, str]]) -> None:
    """A plain line per cause of failure, for logs and scripts."""
    from prpipeline.app.basics import by_reason, listed

    for reason, names in by_reason(said).items():
        click.echo(" ".join(f"{listed(names)}: {reason}".split()), err=True)


def _end(ran: RunResult) -> None:
    if ran.blocked:
        click.echo(ran.blocked, err=True)
    sys.exit(_exit_code(ran.results) or (EXIT_FAILED if ran.blocked else 0))


def _exit_code(results: Sequence[SyncResult]) -> int:
    failed = [r for r in results if r.failed]
    if failed and all(r.failure == "BadCredentials" for r in results):
        return EXIT_BAD_INPUT
    return EXIT_FAILED if failed else 0


def results_as_json(results: Sequence[SyncResult], pipeline: Pipeline) -> dict[str, Any]:
    """The results as scripts get them."""
    return {
        "repositories": [
            {
                "repository": r.repository or r.tracked_as,
                # Scripts know four modes; a reconciliation is an increment that compared more.
                "mode": "increment" if r.mode == "reconcile" else r.mode,
                "pull_requests": r.pull_requests,
                "reviews": r.reviews,
                "errors": [r.error] if r.error else [],
                "requests": r.requests,
                "points": r.points,
                "seconds": r.seconds,
            }
            for r in results
        ],
        "requests": sum(r.requests for r in results),
        "points": sum(r.points for r in results),
        "seconds": round(sum(r.seconds for r in results), 3),
        "published": published_path(pipeline.settings),
    }
