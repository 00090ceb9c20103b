"""The rows of a query as a table for people.

Not DuckDB's own display: where a table does not fit, it shortens texts, and of a wide table it shows three columns on
80 characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from rich.cells import cell_len
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from prpipeline.cli.text_tables import output

_SHOWN_ROWS = 200
_SHOWN_RECORDS = 10  # each takes as many lines as it has columns
_SHORT = 20  # characters that are never broken into lines: a time, most numbers and logins
_GAP = 2  # between columns
_NULL = "NULL"  # an empty cell is an empty text


def query_table(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Print the first rows on standard output; where a row does not fit on a line, each column on a line of its own."""
    shown = [
        [None if value is None else _printable(str(value)) for value in row] for row in rows[:_SHOWN_ROWS]
    ]
    console = output()
    widths = _widths(names, shown, console.width)
    if widths is None:
        shown = shown[:_SHOWN_RECORDS]
        console.print(_records(names, shown, console.width))
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
    """The width of each column, in characters; None where names or short values would have to be broken."""
    columns = range(len(names))
    name = [cell_len(text) for text in names]
    full = [max(name[i], 1, *(cell_len(row[i] or _NULL) for row in rows)) for i in columns]
    widths = [max(name[i], min(full[i], _SHORT)) for i in columns]
    spare = room - sum(widths) - _GAP * (len(names) - 1)
    if spare < 0:
        return None
    # Columns that need little more get it; the long texts share what is left.
    for done, i in enumerate(sorted(columns, key=lambda i: full[i] - widths[i])):
        more = min(full[i] - widths[i], spare // (len(names) - done))
        widths[i] += more
        spare -= more
    return widths


def _records(names: list[str], rows: Sequence[Sequence[str | None]], room: int) -> Table:
    """A line per column, a block per row. Where names leave no room for values, these stand on the next line."""
    table = Table(box=None, pad_edge=False, show_header=False)
    width = max(map(cell_len, names))
    if width + _GAP + _SHORT > room:
        table.add_column(overflow="fold")
        for number, row in enumerate(rows):
            if number:
                table.add_row()
            for name, value in zip(names, row, strict=True):
                table.add_row(f"[bold]{escape(name)}[/bold]")
                table.add_row(Padding(_cell(value), (0, 0, 0, _GAP)))
        return table
    table.add_column(style="bold", no_wrap=True, min_width=width)
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
