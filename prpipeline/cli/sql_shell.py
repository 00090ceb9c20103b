"""SQL on the published file: one query for a script, or a prompt for a person."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from prpipeline.app.basics import SAMPLE_DATA
from prpipeline.app.published import QueryError, queries
from prpipeline.cli.common import echo_for_scripts

if TYPE_CHECKING:
    from prpipeline.app.published import Connection


def run(connection: Connection, sql: str, style: str) -> None:
    """Run all statements and print the rows of each: as a table, as CSV, or as JSON on a line. Raises QueryError.

    An empty line stands between tables, and between the CSV of several statements.
    """
    for number, (names, rows) in enumerate(queries(connection, sql)):
        if number and style != "json":
            click.echo()
        _print(names, rows, style)


def _print(names: list[str], rows: list[tuple[Any, ...]], style: str) -> None:
    if style == "json":
        echo_for_scripts(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str))
    elif style == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
        echo_for_scripts(text.getvalue().removesuffix("\n"))
    else:
        from prpipeline.cli.query_table import query_table

        query_table(names, rows)


def run_interactively(connection: Connection, style: str, *, is_sample_data: bool = False) -> None:
    """Ask for queries until the user leaves."""
    with suppress(ImportError):
        import readline  # noqa: F401 - arrows edit the line and bring back earlier ones; not on every system
    prompt = "sql> "
    if is_sample_data:
        click.echo(SAMPLE_DATA, err=True)
        prompt = "sql (sample data)> "
    click.echo(
        "The published file, read-only. SHOW TABLES lists what there is.\n"
        "A query ends with ; or an empty line. Ctrl-D or quit leaves.",
        err=True,
    )
    while (sql := _typed(prompt)) is not None:
        try:
            run(connection, sql, style)
        except QueryError as error:
            click.echo(str(error), err=True)


def _typed(prompt: str) -> str | None:
    """A query of one or several lines; None where the user leaves."""
    lines: list[str] = []
    while True:
        try:
            line = input("...> ".rjust(len(prompt)) if lines else prompt).rstrip()
        except EOFError:
            click.echo(err=True)  # ends the line of the prompt
            return None
        if not lines and line.lower().rstrip(";") in {"quit", "exit"}:
            return None
        if line:
            lines.append(line)
        if lines and (not line or line.endswith(";")):
            return "\n".join(lines)
