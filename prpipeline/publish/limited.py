"""Queries of programs that nobody watches: always on the newest release, with limits of rows, size and time."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from prpipeline.publish.reader import Connection, QueryError, open_published

_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one answer may take."""

    rows: int = 200
    characters: int = 100_000  # of the rows as JSON
    seconds: float = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows as JSON knows them; times are UTC in ISO format. ``cut`` says why there are not all of them."""

    columns: list[str]
    rows: list[list[Any]]
    cut: str | None


class Newest:
    """Connections to the newest release. Safe for threads: a call that runs keeps the release that it began with."""

    def __init__(self, published: Path) -> None:
        self._published = published
        self._lock = threading.Lock()
        self._shown: str | None = None
        self._connection: Connection | None = None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Raises WarehouseError."""
        with self._lock:
            # By its real path: by the link, DuckDB would give the release that a running call still reads.
            path = os.path.realpath(self._published)
            if self._connection is None or path != self._shown:
                self._connection, self._shown = None, None
                self._connection, self._shown = open_published(Path(path)), path
            cursor = self._connection.cursor()
        with cursor:
            yield cursor


def limited(connection: Connection, sql: str, limits: Limits, parameters: list[Any] | None = None) -> Answer:
    """The rows of one reading statement. Raises QueryError, also where it takes too long."""
    ended = threading.Event()

    def interrupt() -> None:
        ended.set()
        connection.interrupt()

    timer = threading.Timer(limits.seconds, interrupt)
    timer.daemon = True
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type not in _READING:
            raise QueryError(
                "One statement that reads is allowed: SELECT, FROM, WITH, DESCRIBE, SHOW or EXPLAIN."
            )
        timer.start()
        result = connection.execute(statements[0], parameters)
        return _within(result, limits)
    except duckdb.InterruptException:
        if not ended.is_set():
            raise
        raise QueryError(f"The query was stopped after {limits.seconds:g} seconds; ask for less.") from None
    except duckdb.Error as error:
        raise QueryError("".join(c if c.isprintable() or c == "\n" else " " for c in str(error))) from None
    finally:
        timer.cancel()


def _within(result: Connection, limits: Limits) -> Answer:
    columns = [column[0] for column in result.description or ()]
    rows: list[list[Any]] = []
    size = 0
    while batch := result.fetchmany(_BATCH):
        for row in batch:
            shown = [_plain(value) for value in row]
            size += len(json.dumps(shown, ensure_ascii=False))
            if len(rows) == limits.rows:
                return Answer(columns, rows, f"There are more rows than the first {limits.rows:,}.")
            if size > limits.characters:
                return Answer(columns, rows, f"More rows would exceed {limits.characters:,} characters.")
            rows.append(shown)
    return Answer(columns, rows, None)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # JSON has no infinity
    if hasattr(value, "isoformat"):
        return f"{value.isoformat()}{'Z' if hasattr(value, 'hour') and value.tzinfo is None else ''}"
    return str(value)
