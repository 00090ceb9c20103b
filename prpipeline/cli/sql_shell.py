"""SQL on the published file: one query for a script, or a prompt for a person."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table

from prpipeline.cli.text_tables import output
from prpipeline.publish.reader import QueryError, query

if TYPE_CHECKING:
    from prpipeline.model.sql import Connection

_SHOWN_ROWS = 200
_SHOWN_RECORDS = 10  # each takes as many lines as it has columns
_SHORT = 20  # what a value may take before it is broken into lines: a time, most numbers and logins
_GAP = 2  # between columns
_NULL = "NULL"  # nothing at all would look like an empty text


def run(connection: Connection, sql: str, style: str) -> None:
    """Run a query and print its rows as a table, as CSV or as JSON. Raises QueryError."""
    names, rows = query(connection, sql)
    if style == "json":
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str))
    elif style == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    else:
        _table(names, rows)


def run_interactively(connection: Connection, style: str) -> None:
    """Ask for queries until the person has enough."""
    with suppress(ImportError):
        import readline  # noqa: F401 - arrows edit the line and bring back earlier ones; not on every system
    click.echo(
        "The published file, read-only. SHOW TABLES lists what there is.\n"
        "A query ends with ; or an empty line. Ctrl-D or quit leaves.",
        err=True,
    )
    while (sql := _typed()) is not None:
        try:
            run(connection, sql, style)
        except QueryError as error:
            click.echo(str(error), err=True)


def _typed() -> str | None:
    """A query, in as many lines as it takes; None where the person leaves."""
    lines: list[str] = []
    while True:
        try:
            line = input("...> " if lines else "sql> ").rstrip()
        except EOFError:
            click.echo(err=True)  # what comes next is not to stand behind the prompt
            return None
        if not lines and line.lower().rstrip(";") in {"quit", "exit"}:
            return None
        if line:
            lines.append(line)
        if lines and (not line or line.endswith(";")):
            return "\n".join(lines)


def _table(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    shown = [
        [None if value is None else _printable(str(value)) for value in row] for row in rows[:_SHOWN_ROWS]
    ]
    console = output()
    widths = _widths(names, shown, console.width)
    if widths is None:
        shown = shown[:_SHOWN_RECORDS]
        console.print(_records(names, shown))
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for index, name in enumerate(names):
            numeric = any(
                isinstance(row[index], (int, float)) and not isinstance(row[index], bool) for row in rows
            )
            table.add_column(
                escape(name), justify="right" if numeric else "left", overflow="fold", width=widths[index]
            )
        for row in shown:
            table.add_row(*map(_cell, row))
        console.print(table)
    if not rows:
        click.echo("No rows.")
    if len(rows) > len(shown):
        click.echo(f"… {len(rows) - len(shown):,} more; --format csv prints all.")


def _widths(names: list[str], rows: Sequence[Sequence[str | None]], room: int) -> list[int] | None:
    """How wide each column is to be; None where they cannot stand side by side without breaking names or short values."""
    columns = range(len(names))
    name = [cell_len(text) for text in names]
    full = [max(name[i], 1, *(cell_len(row[i] or _NULL) for row in rows)) for i in columns]
    widths = [max(name[i], min(full[i], _SHORT)) for i in columns]
    spare = room - sum(widths) - _GAP * (len(names) - 1)
    if spare < 0:
        return None
    # Who lacks little gets it all; the long texts share what is left.
    for done, i in enumerate(sorted(columns, key=lambda i: full[i] - widths[i])):
        more = min(full[i] - widths[i], spare // (len(names) - done))
        widths[i] += more
        spare -= more
    return widths


def _records(names: list[str], rows: Sequence[Sequence[str | None]]) -> Table:
    """A line per column, a block per row."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", overflow="fold")
    table.add_column(overflow="fold")
    for number, row in enumerate(rows):
        if number:
            table.add_row()
        for name, value in zip(names, row, strict=True):
            table.add_row(escape(name), _cell(value))
    return table


def _cell(value: str | None) -> str:
    return f"[dim]{_NULL}[/dim]" if value is None else escape(value)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
