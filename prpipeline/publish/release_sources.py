"""What the published tables read of the warehouse, found in DuckDB's plans for their queries, so that no list of it can be
out of date.

The queries are planned in the connection's own database, the extract. At first it has the warehouse's tables, all empty,
and the views of metrics over them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from prpipeline import metrics
from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary
from prpipeline.publish.release_tables import is_from_code, query

EXTRACT = "memory"


@dataclass(frozen=True, slots=True)
class Source:
    """A table of the warehouse, and the columns of it that are read."""

    name: str  # with its schema
    read: tuple[str, ...]  # quoted
    piece: str | None
    block: str
    """An expression for many pieces, which are compared first. Open pull requests change most, so they are apart."""


Sources = dict[dictionary.Table, list[Source]]
"""By published table what it reads. Tables that cannot be replaced piece by piece are left out."""


def piece(columns: Collection[str]) -> str | None:
    """The smallest part of a repository that can be replaced, a pull request, week or day: an expression over a row ``a``."""
    if "repository_id" not in columns:
        return None
    if "number" in columns:
        return "a.number"
    return next((f"(a.{span} - DATE '1970-01-01')" for span in ("week", "day") if span in columns), None)


def piece_of(table: dictionary.Table) -> str | None:
    return piece([column.name for column in table.columns])


def find(connection: Connection, tables: Sequence[dictionary.Table], *, with_extract: bool = True) -> Sources:
    """Find what these tables read, and create the extract if it is wanted.

    The connection is to memory, with ``warehouse`` attached.
    """
    columns = _columns(connection)
    queries = [query(table, EXTRACT) for table in tables]
    planned = repr((columns, queries, metrics.definitions_fingerprint()))
    if with_extract or planned not in _FOUND:
        _create_extract(connection, columns)
    if planned not in _FOUND:
        _FOUND[planned] = _find(connection, dict(columns), tables)
    return _FOUND[planned]


_FOUND: dict[str, Sources] = {}
"""By all that is planned: this process's next publication need not plan it again."""


def _find(
    connection: Connection, columns: dict[str, list[str]], tables: Sequence[dictionary.Table]
) -> Sources:
    optimizers = {name for (name,) in connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()}
    optimizers.remove("unused_columns")  # others leave out tables that are empty
    connection.execute(f"SET disabled_optimizers = '{','.join(optimizers)}'")
    scans = {
        table: _plan(connection, table) for table in tables if piece_of(table) and not is_from_code(table)
    }
    connection.execute("RESET disabled_optimizers")
    read: dict[str, set[str]] = {}
    for name, columns_read in (scan for of_table in scans.values() for scan in of_table):
        read.setdefault(name, set()).update(columns_read)
    sources = {name: _source(name, columns[name], read[name]) for name in sorted(read)}
    return {table: [sources[name] for name in sorted(dict(of_table))] for table, of_table in scans.items()}


def _columns(connection: Connection) -> list[tuple[str, list[str]]]:
    """The warehouse's tables, each with its columns. Not by duckdb_tables(), which asks a lake for the size of each."""
    tables: list[tuple[str, list[str]]] = connection.execute(
        "SELECT schema_name || '.' || table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
        "ANTI JOIN (SELECT database_name, view_oid AS table_oid FROM duckdb_views()) USING (database_name, table_oid) "
        "WHERE database_name = 'warehouse' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return tables


def _create_extract(connection: Connection, tables: list[tuple[str, list[str]]]) -> None:
    schemas = [f"CREATE SCHEMA {schema}" for schema in ("raw", "meta", "metrics")]
    connection.execute(
        ";".join(schemas + [f"CREATE TABLE {name} AS FROM warehouse.{name} LIMIT 0" for name, _ in tables])
    )
    metrics.create_tables(connection)
    connection.execute("CREATE OR REPLACE VIEW metrics.repository_names AS FROM temp.names")


def _plan(connection: Connection, table: dictionary.Table) -> list[tuple[str, list[str]]]:
    """The scans in the plan for the table's query; none if it has parameters, so that its rows differ each time."""
    try:
        ((_, plan),) = connection.execute(f"EXPLAIN (FORMAT json) {query(table, EXTRACT)}").fetchall()
    except duckdb.Error:
        return []
    return list(_scans(json.loads(plan)))


def _scans(nodes: list[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    for node in nodes:
        info = node.get("extra_info", {})
        catalog, _, name = info.get("Table", "").replace('"', "").partition(".")
        if catalog == EXTRACT:
            columns = info.get("Projections") or []
            yield name, columns if isinstance(columns, list) else [columns]
        yield from _scans(node.get("children", []))


def _source(name: str, columns: Collection[str], read: set[str]) -> Source:
    one = piece(columns)
    block = f"{one} // 100"
    for end in ("closed_at", "ended_at"):
        if end in columns:
            block = f"CASE WHEN {end} IS NULL THEN -1 ELSE {block} END"
            break
    return Source(name, tuple(f'"{column}"' for column in sorted(read)), one, block)


def distinct(sources: Sources) -> dict[str, Source]:
    """All of the sources, by name."""
    return {source.name: source for reads in sources.values() for source in reads}
