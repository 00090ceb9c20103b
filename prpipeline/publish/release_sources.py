"""What the published tables read of the warehouse, found by binding their queries: no list of it can go out of date.

The queries are bound in the connection's own database, the extract. At first it has the warehouse's tables, all empty,
and the views of metrics over them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from prpipeline import metrics
from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary
from prpipeline.publish.release_tables import is_from_code, query

EXTRACT = "memory"


@dataclass(frozen=True, slots=True)
class Source:
    """A table of the warehouse, with its schema, and the columns of it that are read."""

    name: str
    read: tuple[str, ...]
    piece: str | None
    block: str
    """An expression for many pieces, which are compared first. Open pull requests change most, so they are apart."""

    @property
    def columns(self) -> str:
        return ", ".join(f'"{column}"' for column in self.read) or "0 AS nothing"

    @property
    def hash(self) -> str:
        return f"hash({self.columns if self.read else 0})"


def piece(columns: Collection[str]) -> str | None:
    """The smallest part of a repository that can be replaced, a pull request or a week: an expression over a row ``a``."""
    if "repository_id" not in columns:
        return None
    return (
        "a.number" if "number" in columns else "(a.week - DATE '1970-01-01')" if "week" in columns else None
    )


def piece_of(table: dictionary.Table) -> str | None:
    return piece([column.name for column in table.columns])


class Sources:
    """What each published table reads, ``by_table``, and ``all`` of it.

    Tables that cannot be replaced piece by piece are left out.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        columns = self._create_extract()
        optimizers = {
            name for (name,) in connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()
        }
        optimizers.remove("unused_columns")  # others leave out tables that are empty
        connection.execute(f"SET disabled_optimizers = '{','.join(optimizers)}'")
        self.by_table = {
            table: [_source(name, columns[name], read) for name, read in self._reads(table).items()]
            for table in dictionary.load().tables
            if piece_of(table) and not is_from_code(table)
        }
        connection.execute("RESET disabled_optimizers")
        self.all: dict[str, Source] = {}
        for sources in self.by_table.values():
            for source in sources:
                known = self.all.setdefault(source.name, source)
                self.all[source.name] = replace(source, read=tuple(sorted({*source.read, *known.read})))

    def _create_extract(self) -> dict[str, list[str]]:
        """Returns the columns of its tables."""
        execute = self._connection.execute
        tables = execute(
            "SELECT schema_name || '.' || table_name, list(column_name) FROM duckdb_columns() "
            "SEMI JOIN duckdb_tables() USING (database_name, table_oid) "
            "WHERE database_name = 'warehouse' GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        for schema in ("raw", "meta", "metrics"):
            execute(f"CREATE SCHEMA {schema}")
        for name, _ in tables:
            execute(f"CREATE TABLE {name} AS FROM warehouse.{name} LIMIT 0")
        metrics.create_tables(self._connection)
        execute("CREATE OR REPLACE VIEW metrics.repository_names AS FROM temp.names")
        return dict(tables)

    def _reads(self, table: dictionary.Table) -> dict[str, set[str]]:
        """The columns that the table's query reads, by table of the extract."""
        try:
            ((_, plan),) = self._connection.execute(
                f"EXPLAIN (FORMAT json) {query(table, EXTRACT)}"
            ).fetchall()
        except duckdb.Error:  # it has parameters, so its rows differ each time
            return {}
        found: dict[str, set[str]] = {}
        for name, columns in _scans(json.loads(plan)):
            found.setdefault(name, set()).update(columns)
        return found


def _source(name: str, columns: Collection[str], read: set[str]) -> Source:
    one = piece(columns)
    block = f"{one} // 100"
    if "closed_at" in columns:
        block = f"CASE WHEN closed_at IS NULL THEN -1 ELSE {block} END"
    return Source(name, tuple(sorted(read)), one, block)


def _scans(nodes: list[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    for node in nodes:
        info = node.get("extra_info", {})
        catalog, _, name = info.get("Table", "").replace('"', "").partition(".")
        if catalog == EXTRACT:
            columns = info.get("Projections", [])
            yield name, columns if isinstance(columns, list) else [columns] if columns else []
        yield from _scans(node.get("children", []))
