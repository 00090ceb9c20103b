"""SQL on the published file: one query for a script, or a prompt for a person."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prpipeline.tables import output
from prpipeline.warehouse.query import QueryError, query

if TYPE_CHECKING:
    from prpipeline.warehouse import Connection

_SHOWN_ROWS = 200
_FOLDED_WIDTH = 30


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
    click.echo(
        "The published file, read-only. SHOW TABLES lists what there is; an empty line ends.", err=True
    )
    while sql := click.prompt("sql", prompt_suffix="> ", default="", show_default=False).strip():
        try:
            run(connection, sql, style)
        except QueryError as error:
            click.echo(str(error), err=True)


def _table(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    texts = [["" if value is None else _printable(str(value)) for value in row] for row in rows[:_SHOWN_ROWS]]
    columns = list(zip(*texts, strict=True)) or [()] * len(names)
    # A name is never broken, nor is a value that is short; long ones go on in the next line.
    widths = [
        max([len(name), *(min(len(text), _FOLDED_WIDTH) for text in column)])
        for name, column in zip(names, columns, strict=True)
    ]
    screen = output()
    if sum(widths) + 2 * (len(names) - 1) > screen.width:
        _records(screen, names, texts)
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for index, (name, width) in enumerate(zip(names, widths, strict=True)):
            numeric = any(
                isinstance(row[index], (int, float)) and not isinstance(row[index], bool) for row in rows
            )
            table.add_column(
                escape(name), justify="right" if numeric else "left", overflow="fold", min_width=width
            )
        for row in texts:
            table.add_row(*map(escape, row))
        screen.print(table)
    if len(rows) > _SHOWN_ROWS:
        click.echo(f"… {len(rows) - _SHOWN_ROWS:,} more; --format csv prints all.")


def _records(screen: Console, names: list[str], texts: list[list[str]]) -> None:
    """One below the other, for what has more columns than the screen has room for."""
    for number, row in enumerate(texts, 1):
        screen.print(f"[bold]row {number}[/bold]")
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, text in zip(names, row, strict=True):
            table.add_row(escape(name), escape(text))
        screen.print(table)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
