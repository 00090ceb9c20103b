"""What a release was made from: hash sums of all that its rows can depend on, in a hidden DuckDB file beside it.

Comparing them with the warehouse tells what changed, without relying on any writer of the warehouse to say so. A table
of the warehouse has a sum for each pull request or week, or one sum if its rows are of neither.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import duckdb

from prpipeline import metrics
from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary, release_tables
from prpipeline.publish.release_sources import Source, Sources, piece_of
from prpipeline.warehouse.database import quoted

_FILE_NAME = ".contents.duckdb"

TOTAL = "(sum({}) & 18446744073709551615::HUGEINT)::UBIGINT"
"""An aggregate of hashes that adds up over groups, and in which a row that is there twice counts twice."""


def attach(connection: Connection, folder: Path, last: Path | None = None) -> None:
    """Attach the folder's contents file as ``contents``: a copy of the last release's if it has one, or a new one."""
    if last and (last / _FILE_NAME).exists():
        shutil.copyfile(last / _FILE_NAME, folder / _FILE_NAME)
    connection.execute(f"ATTACH '{quoted(folder / _FILE_NAME)}' AS contents")


def write(connection: Connection, sources: Sources, bytes_when_whole: int) -> None:
    """Fill the attached, empty database ``contents``, in the caller's transaction."""
    connection.execute(
        "CREATE TABLE contents.release AS SELECT ? AS layout, ? AS bytes_when_whole",
        [layout(connection, sources), bytes_when_whole],
    )
    write_small(connection, totals(connection, sources))
    for source in sources.all.values():
        if source.piece:
            connection.execute(f'CREATE TABLE contents."{source.name}" AS {sums(hashes(source), "number")}')


def write_small(connection: Connection, totals: dict[str, str]) -> None:
    """What is written anew each time: the repositories' names, and the sums of whole tables."""
    connection.execute("CREATE OR REPLACE TABLE contents.names AS FROM names")
    connection.execute(
        "CREATE OR REPLACE TABLE contents.totals AS SELECT unnest(?::VARCHAR[]) AS what, unnest(?::VARCHAR[]) AS total",
        [list(totals), list(totals.values())],
    )


def hashes(source: Source, blocks: str = "") -> str:
    """The query for a hash of each row, with its piece as ``number``; of all blocks, or of those in a table."""
    rows = f"SELECT *, {source.block} AS block, {source.piece} AS piece FROM warehouse.{source.name} AS a"
    join = f"SEMI JOIN {blocks} AS b ON {same('a.block', 'b.block')}" if blocks else ""
    return f"SELECT a.repository_id, a.block, a.piece AS number, {source.hash} AS print FROM ({rows}) AS a {join}"


def sums(rows: str, *number: str) -> str:
    """The query for the sums of rows with a column ``print``, by block, or by block and ``number``."""
    keys = ", ".join(("repository_id", "block", *number))
    return f"SELECT {keys}, {TOTAL.format('print')} AS print FROM ({rows}) GROUP BY ALL"


def same(a: str, b: str) -> str:
    """The condition that two rows are of the same repository and block, piece, or what the expressions give."""
    return f"a.repository_id IS NOT DISTINCT FROM b.repository_id AND {a} IS NOT DISTINCT FROM {b}"


def totals(connection: Connection, sources: Sources) -> dict[str, str]:
    """The sums of what is read of tables as a whole."""
    queries = {query for table in sources.by_table for query in wholes(sources, table)}
    return {query: str(connection.execute(query).fetchone()) for query in sorted(queries)}


def wholes(sources: Sources, table: dictionary.Table) -> list[str]:
    """The queries for the sums of what this published table reads of tables with other pieces than its own."""
    return [
        f"SELECT {TOTAL.format(source.hash)}, count(*) FROM warehouse.{source.name}"
        for source in sources.by_table[table]
        if source.piece != piece_of(table)
    ]


def layout(connection: Connection, sources: Sources) -> str:
    """Changes with whatever the code says of the published tables."""
    parts = [repr(dictionary.load()), repr(sources.by_table)]
    parts += [release_tables.query(table, "warehouse") for table in dictionary.load().tables]
    parts += map(metrics.published_view, metrics.PUBLISHED_VIEWS)
    parts.append(str(connection.execute("FROM warehouse.metrics.definitions").fetchall()))
    parts.append(duckdb.__version__)  # hash() may differ between versions
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
