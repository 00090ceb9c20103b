"""The commands that only read: ``status``, ``explain``, ``report``, ``sql``."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import click

from prpipeline.cli.common import BadInput, isoformat, open_pipeline, published_path


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def status(as_json: bool) -> None:
    """Show each tracked repository: synced or not, how far, how complete, and what went wrong."""
    from prpipeline.app.basics import load_settings
    from prpipeline.app.schedule_times import next_run
    from prpipeline.app.tracking import TrackingService

    settings = load_settings()
    tracking = TrackingService(settings)
    with tracking.warehouse.session():
        rows = tracking.shown().status()
        is_sample_data = tracking.holds_samples()
    coming = next_run(settings.schedule, datetime.now(UTC))
    if as_json:
        content = {
            "repositories": rows,
            "published": published_path(settings),
            "next_run_at": coming,
            "is_sample_data": is_sample_data,
        }
        click.echo(json.dumps(content, default=isoformat))
        return
    if not rows:
        click.echo("No repository is tracked yet. Try: prpipeline sync OWNER/NAME")
        return
    from prpipeline.app.basics import filling_up
    from prpipeline.cli.text_tables import status_table

    lacking = sum(row["pull_requests_lacking_fields"] for row in rows)
    status_table(
        rows,
        published_path(settings),
        coming,
        is_sample_data=is_sample_data,
        filling_up=filling_up(lacking, settings.sync.fill_up_per_run) if lacking else None,
    )


@click.command()
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
def report(open_it: bool) -> None:
    """Write the HTML report beside the published file: one page that needs no network."""
    from prpipeline.app.basics import SAMPLE_DATA

    info = open_pipeline().report()
    click.echo(str(info.path))
    if info.is_sample_data:
        click.echo(SAMPLE_DATA, err=True)
    if open_it:
        click.launch(info.path.as_uri())


@click.command()
@click.argument("pull_request", metavar="OWNER/NAME#NUMBER")
def explain(pull_request: str) -> None:
    """Tell the story of one pull request: what happened, which clock it started or stopped, and each number.

    \b
    Example:
      prpipeline explain octo-org/widgets#42
    """
    from prpipeline.app.basics import SAMPLE_DATA, load_settings
    from prpipeline.app.explain import ExplainError, parse
    from prpipeline.app.explain import explain as story_of
    from prpipeline.app.published import is_sample_data, open_published

    try:
        parse(pull_request)
        with open_published(load_settings().published_path) as connection:
            lines = story_of(connection, pull_request).lines()
            if is_sample_data(connection):
                lines = [SAMPLE_DATA, "", *lines]
    except ExplainError as error:
        raise BadInput(str(error)) from None
    for line in lines:
        click.echo("".join(c for c in line if c.isprintable()))


@click.command()
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
    from prpipeline.app.basics import load_settings
    from prpipeline.app.published import QueryError, is_sample_data, open_published
    from prpipeline.cli.sql_shell import run, run_interactively

    with open_published(load_settings().published_path) as connection:
        try:
            if query is None and sys.stdin.isatty():
                run_interactively(connection, style, is_sample_data=is_sample_data(connection))
            else:
                run(connection, query if query is not None else sys.stdin.read(), style)
        except QueryError as error:
            raise BadInput(str(error)) from None


COMMANDS = (status, explain, report, sql)
