"""The command line: track, untrack, sync, status. Says what happened, to people or to scripts.

Imports what a command needs when it runs, so that help and status answer at once.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from prpipeline.model.version import __version__

if TYPE_CHECKING:
    from prpipeline.app.pipeline import Pipeline
    from prpipeline.model.repository import RepositoryName
    from prpipeline.settings import Settings
    from prpipeline.sync import SyncResult
    from prpipeline.warehouse.tracking import Tracked

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130  # as shells have it


class BadInput(click.ClickException):
    """Something that the person has to change; nothing was done."""

    exit_code = EXIT_BAD_INPUT


class Interrupted(click.ClickException):
    """Somebody pressed Ctrl-C, or ended the process kindly."""

    exit_code = EXIT_INTERRUPTED


class _Cli(click.Group):
    """Turns the failures we know into a sentence and an exit code; says in whole sentences what commands do."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        known = [
            (name, self.commands[name].get_short_help_str(limit=200)) for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(known)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise  # a command's help needs no names of failures
        except _what_people_can_mend() as error:
            raise BadInput(str(error)) from None
        except _what_failed() as error:
            raise click.ClickException(str(error)) from None
        except KeyboardInterrupt:
            raise Interrupted(
                "Interrupted. What was read is kept, and the next sync goes on from there."
            ) from None
        except OSError as error:
            if error.filename is not None or error.errno != errno.ENOSPC:
                raise
            # Python writes what is left once more when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.ClickException(
                "The output cannot be written: no space is left where it goes. What was synced is kept."
            ) from None


def _what_people_can_mend() -> tuple[type[Exception], ...]:
    from prpipeline.model.failures import BadCredentials
    from prpipeline.model.repository import InvalidRepositoryName
    from prpipeline.settings import ConfigurationError
    from prpipeline.warehouse.host import OtherHost

    return ConfigurationError, InvalidRepositoryName, BadCredentials, OtherHost


def _what_failed() -> tuple[type[Exception], ...]:
    from prpipeline.model.failures import ApiFailure
    from prpipeline.warehouse import WarehouseError

    return WarehouseError, ApiFailure


@click.group(
    cls=_Cli,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 all well; 1 some repositories failed, the others are done; 2 bad input or configuration; 130 interrupted.",
)
@click.version_option(__version__, prog_name="prpipeline")
def cli() -> None:
    """How long do pull requests wait for review? GitHub's answer in one DuckDB file.

    \b
    Examples:
      prpipeline sync octo-org/widgets            one repository, from GitHub to the published file
      prpipeline sync                             all tracked repositories: what changed since last time
      prpipeline status                           how far each repository has come
    """


@cli.command()
@click.argument("repositories", metavar="OWNER/NAME...", nargs=-1, required=True)
@click.option(
    "--days-back", type=click.IntRange(1, 36_500), help="How many days of history to read (default: all)."
)
def track(repositories: Sequence[str], days_back: int | None) -> None:
    """Track repositories: a running Dagster reads their history soon, 'prpipeline sync' does it now."""
    names = _names(repositories)
    pipeline = _pipeline()
    added = pipeline.track(names, tracked_by="cli", days_back=days_back)
    _match_partitions(pipeline)
    for name in names:
        click.echo(f"{name}: {'tracked.' if str(name) in added else 'was tracked already.'}")


@cli.command()
@click.argument("repositories", metavar="OWNER/NAME...", nargs=-1, required=True)
@click.option("--delete-data", is_flag=True, help="Also remove all their rows, everywhere.")
def untrack(repositories: Sequence[str], delete_data: bool) -> None:
    """Stop tracking repositories; their rows stay, unless --delete-data is given."""
    names = _names(repositories)
    pipeline = _pipeline()
    known = {name: _find(pipeline, name) for name in names}
    for name, row in known.items():
        if row is None or not (row.is_tracked or delete_data):
            raise BadInput(f"{name} is not tracked; 'prpipeline status' lists what is.")
    pipeline.untrack(names, delete_data=delete_data)
    _match_partitions(pipeline)
    if delete_data and pipeline.settings.published_path.exists():
        pipeline.publish_deletion()
    for name in names:
        click.echo(f"{name}: no longer tracked{', its rows are removed' if delete_data else ''}.")


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def status(as_json: bool) -> None:
    """Show each tracked repository: synced or not, how far, how complete, and what went wrong."""
    from prpipeline.app.tracking import TrackingService
    from prpipeline.settings import load_settings

    settings = load_settings()
    roster = TrackingService(settings)
    with roster.warehouse.session():
        rows = roster.status()
        if not rows and not settings.is_demo:
            rows = roster.of_demo().status()
            if rows:
                click.echo("These are the sample repositories of the demo.\n", err=True)
    from prpipeline.app.schedule_times import next_run

    coming = next_run(settings.schedule, datetime.now(UTC))
    if as_json:
        content = {"repositories": rows, "published": _published(settings), "next_run_at": coming}
        click.echo(json.dumps(content, default=_isoformat))
        return
    if not rows:
        click.echo("No repository is tracked yet. Try: prpipeline sync OWNER/NAME")
        return
    from prpipeline.cli.text_tables import status_table

    status_table(rows, _published(settings), coming)


@cli.command()
@click.argument("repositories", metavar="[OWNER/NAME]...", nargs=-1)
@click.option("--full", is_flag=True, help="Read the whole history again from its start.")
@click.option(
    "--days-back", type=click.IntRange(1, 36_500), help="Days of history to read of new repositories."
)
@click.option(
    "--reconcile", is_flag=True, help="Also find deletions and silent edits, which move no time stamp."
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
    pipeline = _pipeline()
    if dry_run:
        _estimate(pipeline, _names(repositories), days_back, as_json)
        return
    pipeline.follow_file()
    results = _sync(pipeline, _names(repositories), full=full, days_back=days_back, reconcile=reconcile)
    if as_json:
        click.echo(json.dumps(_sync_json(results, pipeline), default=_isoformat))
    else:
        from prpipeline.cli.text_tables import results_table

        results_table(results, _published(pipeline.settings))
    sys.exit(_exit_code(results))


@cli.command()
@click.argument("repositories", metavar="[OWNER/NAME]...", nargs=-1)
def demo(repositories: Sequence[str]) -> None:
    """See it work: sync, and print review times.

    Without a GITHUB_TOKEN, on sample repositories behind a local stand-in for GitHub; with OWNER/NAME, on GitHub.
    """
    from prpipeline.app import demo as sample
    from prpipeline.cli.text_tables import results_table, review_times

    names = _names(repositories)
    pipeline = _pipeline()
    real = len(names) + len(pipeline.tracked())
    with ExitStack() as stack:
        if sample.is_wanted(pipeline.settings, real):
            click.echo(
                "No GITHUB_TOKEN is set: these are made-up sample repositories, served by a local stand-in for GitHub.\n"
                'For real ones: GITHUB_TOKEN=… make run REPOS="owner/name …"\n'
            )
            settings, names = stack.enter_context(sample.running(pipeline.settings, anew=True))
            pipeline = _pipeline_of(settings)
            pipeline.forget_demo()
        else:
            pipeline.follow_file()
        results = _sync(pipeline, names)
    if any(not r.failed for r in results):
        review_times(pipeline.latest(15))
    results_table(results, _published(pipeline.settings))
    sys.exit(_exit_code(results))


@cli.command()
@click.option(
    "--port", type=click.IntRange(1, 65_535), default=3000, show_default=True, help="The UI's port."
)
def dev(port: int) -> None:
    """Open Dagster's UI with everything loaded, its schedules and sensors running, on this machine only.

    Without a token and anything to sync, it shows the sample repositories of 'prpipeline demo'.
    """
    from prpipeline.app import dagster_server as server
    from prpipeline.app import demo as sample

    pipeline = _pipeline()
    with ExitStack() as stack:
        if sample.is_wanted(pipeline.settings, len(pipeline.tracked())):
            click.echo(
                "No GITHUB_TOKEN is set: this shows made-up sample repositories. See README.md for real ones."
            )
            settings, names = stack.enter_context(sample.running(pipeline.settings, anew=False))
            pipeline = _pipeline_of(settings)
            pipeline.track(names, tracked_by="cli", keep_options=True)
            _match_partitions(pipeline)
        sys.exit(server.run(port, pipeline.settings))


@cli.command()
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
def report(open_it: bool) -> None:
    """Write the HTML report beside the published file: one page that needs no network."""
    info = _pipeline().report()
    click.echo(str(info.path))
    if open_it:
        click.launch(info.path.as_uri())


@cli.command()
@click.argument("pull_request", metavar="OWNER/NAME#NUMBER")
def explain(pull_request: str) -> None:
    """Tell the story of one pull request: what happened, which clock it started or stopped, and each number.

    \b
    Example:
      prpipeline explain octo-org/widgets#42
    """
    from prpipeline.app.explain import ExplainError, parse
    from prpipeline.app.explain import explain as story_of
    from prpipeline.publish.release import open_published
    from prpipeline.settings import load_settings

    try:
        parse(pull_request)
        with open_published(load_settings().published_path) as connection:
            lines = story_of(connection, pull_request).lines()
    except ExplainError as error:
        raise BadInput(str(error)) from None
    for line in lines:
        click.echo("".join(c for c in line if c.isprintable()))


@cli.command()
@click.argument("query", required=False)
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="A table for people, CSV or JSON for scripts.",
)
def sql(query: str | None, style: str) -> None:
    """Run a query on the published file, read-only; without one, read queries from standard input.

    \b
    Examples:
      prpipeline sql "SELECT repository, median(review_time_hours) FROM review_time_hours GROUP BY ALL"
      prpipeline sql --format csv "FROM review_queue" > queue.csv
    """
    from prpipeline.cli.sql_shell import run, run_interactively
    from prpipeline.publish.query import QueryError
    from prpipeline.publish.release import open_published
    from prpipeline.settings import load_settings

    with open_published(load_settings().published_path) as connection:
        try:
            if query is None and sys.stdin.isatty():
                run_interactively(connection, style)
            else:
                run(connection, query if query is not None else sys.stdin.read(), style)
        except QueryError as error:
            raise BadInput(str(error)) from None


@cli.command()
def doctor() -> None:
    """Look at the token, its permissions and limits, folders, versions and schedules: what is wrong, what to do."""
    from prpipeline.app.doctor import examine
    from prpipeline.settings import load_settings

    marks = {"ok": click.style("ok     ", fg="green"), "note": click.style("note   ", fg="yellow")}
    problems = 0
    for finding in examine(load_settings()):
        problems += finding.level == "problem"
        mark = marks.get(finding.level, click.style("problem", fg="red"))
        click.echo(f"{mark}  {finding.what}: {finding.says}")
    sys.exit(EXIT_FAILED if problems else 0)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands and options in your shell.

    \b
    Example:
      prpipeline completion bash >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(cli, {}, "prpipeline", "_PRPIPELINE_COMPLETE").source())


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────────


def _names(texts: Sequence[str]) -> list[RepositoryName]:
    from prpipeline.model.repository import RepositoryName

    names: dict[str, RepositoryName] = {}
    for text in texts:
        name = RepositoryName.parse(text)
        names.setdefault(name.key, name)
    return list(names.values())


def _pipeline() -> Pipeline:
    from prpipeline.settings import load_settings

    return _pipeline_of(load_settings())


def _pipeline_of(settings: Settings) -> Pipeline:
    from prpipeline.app.pipeline import Pipeline

    return Pipeline(settings)


def _sync(
    pipeline: Pipeline,
    names: Sequence[RepositoryName],
    *,
    full: bool = False,
    days_back: int | None = None,
    reconcile: bool = False,
) -> list[SyncResult]:
    """Track what is new of ``names``, sync them (or all), publish. Raises ClickException where that is impossible."""
    added = pipeline.track(names, tracked_by="cli", days_back=days_back, keep_options=True)
    chosen = [row.tracked_as for name in names if (row := _find(pipeline, name))] or pipeline.tracked()
    if not chosen:
        raise BadInput("No repository is tracked yet. Name one: prpipeline sync OWNER/NAME")

    from prpipeline.cli.progress import SyncProgress
    from prpipeline.defs.local import LocalDagster
    from prpipeline.sync import SyncOptions

    results: list[SyncResult] = []
    pipeline.on_result = results.append
    with LocalDagster(pipeline) as dagster, SyncProgress(pipeline, len(chosen)) as screen:
        dagster.match_partitions(pipeline.tracked())
        run = dagster.sync(chosen, SyncOptions(full=full, days_back=days_back, reconcile=reconcile))
        never_found = [r for r in results if r.failure == "NotFound" and r.repository_id is None]
        unknown = [r.tracked_as for r in never_found if r.tracked_as in added]
        if unknown:  # most likely a typing error, not worth a failure every day
            pipeline.untrack(_names(unknown), delete_data=True)
            dagster.match_partitions(pipeline.tracked())
        if run.problem and (run.is_unexpected or len(results) < len(chosen)):
            raise click.ClickException(run.problem)
        if any(not r.failed for r in results) or pipeline.settings.published_path.exists():
            screen.say("Publishing …")
            published = dagster.publish()
            if published.problem:
                raise click.ClickException(published.problem)
    return results


def _estimate(
    pipeline: Pipeline, names: Sequence[RepositoryName], days_back: int | None, as_json: bool
) -> None:
    """Say what the histories of these (or of all tracked) would cost; changes nothing."""
    from dataclasses import asdict

    from prpipeline.app.estimate import estimate_history
    from prpipeline.cli.text_tables import estimates_table
    from prpipeline.github.sources import open_sources

    chosen = [str(name) for name in names] or pipeline.tracked()
    if not chosen:
        raise BadInput("No repository is tracked yet. Name one: prpipeline sync --dry-run OWNER/NAME")
    source = open_sources(pipeline.settings)[0]
    estimates = estimate_history(source, chosen, days_back)
    source.client.close()
    if as_json:
        click.echo(json.dumps([asdict(e) for e in estimates]))
    else:
        estimates_table(estimates)
    if any(e.error for e in estimates):
        sys.exit(EXIT_FAILED)


def _exit_code(results: Sequence[SyncResult]) -> int:
    failed = [r for r in results if r.failed]
    if failed and all(r.failure == "BadCredentials" for r in results):
        return EXIT_BAD_INPUT
    return EXIT_FAILED if failed else 0


def _find(pipeline: Pipeline, name: RepositoryName) -> Tracked | None:
    for row in pipeline.known_rows():
        if name.key in {row.tracked_as.lower(), (row.repository or "").lower()}:
            return row
    return None


def _match_partitions(pipeline: Pipeline) -> None:
    from prpipeline.defs.local import LocalDagster

    with LocalDagster(pipeline) as dagster:
        dagster.match_partitions(pipeline.tracked())


def _published(settings: Settings) -> str | None:
    path = settings.published_path
    return str(path) if path.exists() else None


def _sync_json(results: Sequence[SyncResult], pipeline: Pipeline) -> dict[str, Any]:
    return {
        "repositories": [
            {
                "repository": r.repository or r.tracked_as,
                # Scripts know four modes; a reconciliation is an increment that looked closer.
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
        "published": _published(pipeline.settings),
    }


def _isoformat(value: Any) -> str:
    return f"{value.replace(tzinfo=None).isoformat()}Z" if isinstance(value, datetime) else str(value)


def _open_streams() -> None:
    """Stand in for standard streams that were closed: the next file to be opened would get what is printed there."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w"))


def main() -> None:
    """The console script."""
    # Imports make objects and no garbage; to look for it takes a twentieth of a short command.
    gc.set_threshold(50_000)
    _open_streams()
    cli.main(prog_name="prpipeline")
