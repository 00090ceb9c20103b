"""An Excel workbook of tables, a sheet each; the one place that knows XlsxWriter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

# Excel's limits: support.microsoft.com, "Excel specifications and limits".
MOST_ROWS = 1_048_576
MOST_CHARACTERS = 32_767
_EXACT = 10**15  # numbers have 15 digits
_FIRST_DAY = date(1900, 3, 1)  # Excel has a February 29th, 1900

Sheet = tuple[str, list[str], Iterator[tuple[object, ...]]]


def write_workbook(path: Path, sheets: Iterable[Sheet]) -> list[str]:
    """Write the sheets (name, column names, rows); what does not fit, a sentence each.

    Texts are written as texts, also those that begin like a formula. Raises ImportError without XlsxWriter, and OSError.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    cut: list[str] = []
    # Rows go to temporary files as they come; those are beside the workbook, where there is to be room for it.
    options = {"constant_memory": True, "tmpdir": str(path.parent), "in_memory": False}
    book = xlsxwriter.Workbook(str(path), options)
    book.use_zip64()
    bold = book.add_format({"bold": True})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, columns, rows in sheets:
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column, bold)
        left_out = shortened = 0
        for line, row in enumerate(rows, start=1):
            if line >= MOST_ROWS:
                left_out += 1
                continue
            for place, value in enumerate(row):
                shortened += _write(sheet, line, place, value, moment, day)
        if left_out:
            cut.append(f"{name}: {left_out:,} rows are left out, a sheet has {MOST_ROWS:,} at most.")
        if shortened:
            cut.append(f"{name}: {shortened:,} texts are cut to {MOST_CHARACTERS:,} characters.")
    try:
        book.close()
    except FileCreateError as error:
        cause = error.args[0]
        raise cause if isinstance(cause, OSError) else OSError(str(cause)) from None
    return cut


def _write(sheet: Any, line: int, place: int, value: object, moment: Any, day: Any) -> bool:
    """Write a value as what it is; whether it had to be shortened."""
    if value is None:
        return False
    if isinstance(value, bool):
        sheet.write_boolean(line, place, value)
    elif isinstance(value, (int, float)) and abs(value) < _EXACT:
        sheet.write_number(line, place, value)
    elif isinstance(value, datetime) and value.date() >= _FIRST_DAY:
        sheet.write_datetime(line, place, value, moment)
    elif isinstance(value, date) and not isinstance(value, datetime) and value >= _FIRST_DAY:
        sheet.write_datetime(line, place, value, day)
    else:
        text = str(value)
        # Excel counts in UTF-16: a letter outside the first plane is two.
        while len(text.encode("utf-16-le")) // 2 > MOST_CHARACTERS:
            text = text[: min(len(text) - 1, MOST_CHARACTERS)]
        sheet.write_string(line, place, text)
        return text != str(value)
    return False
