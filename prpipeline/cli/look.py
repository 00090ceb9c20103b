"""The commands that only read: ``status``, ``explain``, ``report``, ``sql``."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime

import click

from prpipeline.cli.common import (
    BadInput,
    as_people_count,
    echo_json,
    open_pipeline,
    published_path,
    published_to,
    published_to_in_words,
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def status(as_json: bool) -> None:
    """Show each tracked repository: synced or not, how far, how complete, and what went wrong."""
    from prpipeline.app import teams
    from prpipeline.app.basics import load_settings
    from prpipeline.app.repositories_file import unmatched_by_tracked
    from prpipeline.app.schedule_times import next_run
    from prpipeline.app.tracking import TrackingService

    settings = load_settings()
    tracking = TrackingService(settings)
    with tracking.warehouse.session():
        shown = tracking.shown()
        rows = shown.status()
        is_sample_data = tracking.holds_samples()
        names = [row[key] for row in rows for key in ("tracked_as", "repository") if row[key]]
        notes = unmatched_by_tracked(settings.file, names)
        notes += teams.notes(settings, tracking.warehouse, [] if is_sample_data else names)
        of_jira = shown.jira_status()
    rows.sort(key=lambda row: as_people_count(row["tracked_as"]))
    elsewhere = published_to(settings)
    coming = next_run(settings.schedule, datetime.now(UTC))
    if as_json:
        content = {
            "repositories": rows,
            **({"jira": of_jira} if of_jira else {}),
            "published": published_path(settings),
            **elsewhere,
            "next_run_at": coming,
            "is_sample_data": is_sample_data,
            "notes": notes,
        }
        echo_json(content)
        return
    if not rows and not of_jira:
        click.echo(
            f"{tracking.nothing_tracked()} Try: prpipeline sync{'' if settings.file.repositories else ' OWNER/NAME'}"
        )
        return
    from prpipeline.app.basics import filling_up
    from prpipeline.cli.text_tables import jira_status_table, status_table

    lacking = sum(row["pull_requests_lacking_fields"] for row in rows)
    if rows:
        status_table(
            rows,
            published_path(settings),
            coming,
            is_sample_data=is_sample_data,
            filling_up=filling_up(lacking, settings.sync.fill_up_per_run, with_bodies=settings.reads_bodies)
            if lacking
            else None,
        )
    if of_jira:
        jira_status_table(of_jira)
    if elsewhere:
        click.echo(published_to_in_words(settings))
    for note in notes:
        click.echo(note)


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
@click.argument("subject", metavar="OWNER/NAME#NUMBER | ABC-123")
def explain(subject: str) -> None:
    """Tell the story of one pull request: what happened, which clock it started or stopped, and each number.

    With Jira also that of an issue: its statuses, the pull requests about it, and its times.

    \b
    Examples:
      prpipeline explain octo-org/widgets#42
      prpipeline explain https://github.com/octo-org/widgets/pull/42
      prpipeline explain ABC-123
    """
    from prpipeline.app.basics import SAMPLE_DATA, load_settings
    from prpipeline.app.explain import ExplainError, asked, told
    from prpipeline.app.published import is_sample_data, open_published

    settings = load_settings()
    try:
        name = asked(subject, settings.github)
        with open_published(settings.published_path) as connection:
            lines = told(connection, name)
            if is_sample_data(connection):
                lines = [SAMPLE_DATA, "", *lines]
    except ExplainError as error:
        raise BadInput(str(error)) from None
    for line in lines:
        click.echo("".join(c for c in line if c.isprintable()))


class _SqlCommand(click.Command):
    """Takes an argument that begins with an SQL comment for the query, not for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        comments = [arg for arg in args if re.match(r"--(\s|\S*\n)", arg)]
        if comments:
            args = [*(arg for arg in args if arg not in (*comments, "--")), "--", *comments]
        return super().parse_args(ctx, args)


@click.command(cls=_SqlCommand)
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
    """Run queries on the published file, read-only; without any, read them from standard input. Times are UTC.

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
                run(connection, _text_of(query), style)
        except QueryError as error:
            raise BadInput(str(error)) from None


def _text_of(query: str | None) -> str:
    """The query, else standard input; both are UTF-8, whatever the terminal's encoding is. Raises BadInput."""
    try:
        return (sys.stdin.buffer.read() if query is None else os.fsencode(query)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"The query is not UTF-8 ({error.reason}); convert it first.") from None


COMMANDS = (status, explain, report, sql)
