"""SQL on the published file: one query for a script, or a prompt for a person."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from prpipeline.tables import output
from prpipeline.warehouse.query import QueryError, query

if TYPE_CHECKING:
    from prpipeline.warehouse import Connection

_SHOWN_ROWS = 200


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
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(names):
        numeric = any(
            isinstance(row[index], (int, float)) and not isinstance(row[index], bool) for row in rows
        )
        table.add_column(escape(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows[:_SHOWN_ROWS]:
        table.add_row(*("" if value is None else escape(_printable(str(value))) for value in row))
    output().print(table)
    if len(rows) > _SHOWN_ROWS:
        click.echo(f"… {len(rows) - _SHOWN_ROWS:,} more; --format csv prints all.")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
