"""A copy of the last release, brought up to date by replacing only the rows that may differ.

Tables with rows of pull requests, weeks or days, the pieces, are computed anew for those whose data in the warehouse changed,
in the extract. It holds those pieces, the repositories' names, and tables that are what they were; a query that reads
anything else fails there, and all is written whole. So nothing is copied on trust, except that a row depends on no
other piece than its own; the tests compute each alone. All other tables are small, and written whole where
any row differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary
from prpipeline.publish.release_contents import hashes, same, sums, total, totals, write_small
from prpipeline.publish.release_sources import EXTRACT, Source, Sources, distinct, piece_of
from prpipeline.publish.release_tables import create, is_from_code, query

LARGEST_CHANGE = 1 / 3  # beyond it, writing a table or a release whole is faster


class Changes:
    """What has to be replaced. The connection is to memory; attached are ``warehouse``, and as ``contents`` a copy of
    what the last release was made from, which is brought up to date.
    """

    def __init__(self, connection: Connection, tables: Sequence[dictionary.Table], sources: Sources) -> None:
        self._connection = connection
        self._tables = tables
        self._sources = sources
        self.replaced: dict[dictionary.Table, int] = {}
        """Tables of which only rows are replaced, with the number of pieces that they are of."""
        self.share = self._find()
        """How much of all tables with rows of pull requests or weeks changed, 0 to 1; days do not count."""

    def _find(self) -> float:
        execute = self._connection.execute
        execute(
            "CREATE TEMP TABLE renamed AS SELECT DISTINCT repository_id FROM ("
            "(FROM names EXCEPT FROM contents.names) UNION ALL (FROM contents.names EXCEPT FROM names))"
        )
        last = dict(execute("FROM contents.totals").fetchall())
        now = totals(self._connection, self._sources)
        write_small(self._connection, now)
        for source in distinct(self._sources).values():
            if source.piece:
                self._compare(source)
        changed = total = 0
        for table, sources in self._sources.items():
            pieces = [source for source in sources if source.piece == piece_of(table)]
            if pieces and now[table.name] == last.get(table.name):
                of_table, changed_of_table = self._changed(table, pieces)
                is_of_days = any(column.name == "day" for column in table.columns)
                if not is_of_days:  # thousands of small rows a repository, which cost little
                    total, changed = total + of_table, changed + changed_of_table
                if changed_of_table <= LARGEST_CHANGE * of_table:
                    self.replaced[table] = changed_of_table
        return changed / max(1, total)

    def _compare(self, source: Source) -> None:
        """Find the changed pieces: by the sums of blocks first, then by those of pieces where a block's differ."""
        execute = self._connection.execute
        last = f'contents."{source.name}"'
        unequal = "GROUP BY ALL HAVING count(*) < 2 OR min(print) <> max(print)"
        blocks = f"{sums(hashes(source))} UNION ALL {sums(f'FROM {last}')}"
        execute(
            f"CREATE OR REPLACE TEMP TABLE blocks AS SELECT repository_id, block FROM ({blocks}) {unequal}"
        )
        execute(f'CREATE TEMP TABLE "changed_{source.name}" (repository_id BIGINT, number BIGINT)')
        if self._count("blocks"):
            execute(f"CREATE OR REPLACE TEMP TABLE fresh AS {sums(hashes(source, 'blocks'), 'number')}")
            in_blocks = f"{last} AS a SEMI JOIN blocks AS b ON {same('a.block', 'b.block')}"
            execute(
                f'INSERT INTO "changed_{source.name}" SELECT DISTINCT repository_id, number FROM '
                f"(SELECT repository_id, block, number FROM (FROM fresh UNION ALL FROM {in_blocks}) {unequal})"
            )
            execute(f"DELETE FROM {last} AS a USING blocks AS b WHERE {same('a.block', 'b.block')}")
            execute(f"INSERT INTO {last} FROM fresh")

    def _changed(self, table: dictionary.Table, pieces: list[Source]) -> tuple[int, int]:
        """Note the pieces whose rows may differ in the table; how many can have rows, and how many of those."""
        parts = [f'FROM "changed_{source.name}"' for source in pieces]
        parts += [
            f'SELECT repository_id, number FROM contents."{source.name}" SEMI JOIN renamed USING (repository_id)'
            for source in pieces
        ]
        different = f'"different_{table.name}"'
        self._connection.execute(f"CREATE TEMP TABLE {different} AS {' UNION '.join(parts)}")
        return max(self._count(f'contents."{source.name}"') for source in pieces), self._count(different)

    def _count(self, table: str) -> int:
        (count,) = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
        return int(count)

    def fill_extract(self) -> None:
        """Leave nothing in the extract but what is read for the pieces that are replaced."""
        execute = self._connection.execute
        # By source the queries for its pieces, or "" where all of it is read.
        wanted: dict[str, list[str]] = {}
        for table in self.replaced:
            for source in self._sources[table]:
                pieces = f'FROM "different_{table.name}"' if source.piece == piece_of(table) else ""
                wanted.setdefault(source.name, []).append(pieces)
        tables = "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = ?"
        for (name,) in execute(tables, [EXTRACT]).fetchall():
            execute(f"DROP TABLE {name}")
        for name, parts in wanted.items():
            source = distinct(self._sources)[name]
            rows = f"FROM warehouse.{name} AS a"
            if all(parts):
                execute(f"CREATE OR REPLACE TEMP TABLE wanted AS {' UNION '.join(parts)}")
                # Joining repositories first skips row groups, which joining pieces does not.
                rows += " SEMI JOIN wanted USING (repository_id)"
                rows += f" SEMI JOIN wanted AS b ON {same(str(source.piece), 'b.number')}"
            execute(f"CREATE TABLE {name} AS SELECT {', '.join(source.read) or 0} {rows}")
        for table in self.replaced:
            # Fails if it reads anything that was not compared. Binding a view's query finds that without a plan.
            execute(f"CREATE OR REPLACE TEMP VIEW tried AS {query(table, EXTRACT)}")

    def apply(self, values: Mapping[str, Any]) -> None:
        """Bring the current database up to date, in the caller's transaction; it holds the last release."""
        for table in self._tables:
            if table not in self.replaced and not is_from_code(table):
                if piece_of(table) or not self._is_same(table, values):
                    create(self._connection, table, values, self._tables)
            elif self.replaced.get(table):
                self._replace(table)

    def _is_same(self, table: dictionary.Table, values: Mapping[str, Any]) -> bool:
        """Whether a small table's rows are those of the last release: written anew, each takes a block of the file."""
        source = query(table, "warehouse")
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        bound = {name: value for name, value in values.items() if f"${name}" in source}
        fresh, last = (
            self._connection.execute(f"SELECT {total(f'hash({columns})')} FROM {rows}", given).fetchone()
            for rows, given in ((f"({source})", bound), (f'main."{table.name}"', {}))
        )
        return bool(fresh == last)

    def _replace(self, table: dictionary.Table) -> None:
        pieces = f'"different_{table.name}" AS b'
        condition = same(str(piece_of(table)), "b.number")
        execute = self._connection.execute
        execute(f'DELETE FROM main."{table.name}" AS a USING {pieces} WHERE {condition}')
        execute(
            f'INSERT INTO main."{table.name}" FROM ({query(table, EXTRACT)}) AS a SEMI JOIN {pieces} ON {condition}'
        )
