"""What a release was made from: hash sums of all that its rows can depend on, in a hidden DuckDB file beside it.

Comparing them with the warehouse tells what changed, without relying on any writer of the warehouse to say so. A table
of the warehouse has a sum for each pull request, week or day, or one sum if its rows are of none.
"""

from __future__ import annotations

import hashlib

import duckdb

from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary, release_tables
from prpipeline.publish.release_sources import Source, Sources, distinct, piece_of

FILE_NAME = ".contents.duckdb"


def total(hashed: str) -> str:
    """An aggregate of hashes that adds up over groups, and in which a row that is there twice counts twice."""
    return f"(sum({hashed}) & 18446744073709551615::HUGEINT)::UBIGINT"


def write(
    connection: Connection, described: dictionary.Dictionary, sources: Sources, bytes_when_whole: int
) -> None:
    """Fill the attached, empty database ``contents``, in the caller's transaction."""
    connection.execute(
        "CREATE TABLE contents.release AS SELECT ? AS layout, ? AS bytes_when_whole",
        [layout(connection, described, sources), bytes_when_whole],
    )
    write_small(connection, totals(connection, sources))
    for source in distinct(sources).values():
        if source.piece:
            connection.execute(f'CREATE TABLE contents."{source.name}" AS {sums(hashes(source), "number")}')


def write_small(connection: Connection, totals: dict[str, str]) -> None:
    """What is written anew each time: the repositories' names, and the sums of whole tables."""
    connection.execute("CREATE OR REPLACE TABLE contents.names AS FROM names")
    connection.execute(
        "CREATE OR REPLACE TABLE contents.totals AS SELECT unnest(?::VARCHAR[]) AS name, unnest(?::VARCHAR[]) AS total",
        [list(totals), list(totals.values())],
    )


def hashes(source: Source, blocks: str = "") -> str:
    """The query for a hash of each row, with its piece as ``number``; of all blocks, or of those in a table."""
    rows = f"SELECT *, {source.block} AS block, {source.piece} AS piece FROM warehouse.{source.name} AS a"
    join = f"SEMI JOIN {blocks} AS b ON {same('a.block', 'b.block')}" if blocks else ""
    return f"SELECT a.repository_id, a.block, a.piece AS number, {_hash(source)} AS print FROM ({rows}) AS a {join}"


def _hash(source: Source) -> str:
    return f"hash({', '.join(source.read) or 0})"


def sums(rows: str, *number: str) -> str:
    """The query for the sums of rows with a column ``print``, by block, or by block and ``number``."""
    keys = ", ".join(("repository_id", "block", *number))
    return f"SELECT {keys}, {total('print')} AS print FROM ({rows}) GROUP BY ALL"


def same(a: str, b: str) -> str:
    """The condition that two rows are of the same repository and block, piece, or what the expressions give."""
    return f"a.repository_id IS NOT DISTINCT FROM b.repository_id AND {a} IS NOT DISTINCT FROM {b}"


def totals(connection: Connection, sources: Sources) -> dict[str, str]:
    """By published table the sums of what it reads as a whole: of tables with other pieces than its own, or none."""
    found: dict[str, str] = {}
    for table, reads in sources.items():
        wholes = [source for source in reads if source.piece != piece_of(table)]
        queries = [f"SELECT {total(_hash(one))} FROM warehouse.{one.name}" for one in wholes]
        found[table.name] = str([connection.execute(query).fetchone() for query in queries])
    return found


def layout(connection: Connection, described: dictionary.Dictionary, sources: Sources) -> str:
    """Changes with whatever the code says of the published tables."""
    parts = [repr(described), repr(sources)]
    parts += [release_tables.query(table, "warehouse") for table in described.tables]
    parts.append(str(connection.execute("FROM warehouse.metrics.definitions").fetchall()))
    parts.append(duckdb.__version__)  # hash() may differ between versions
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
