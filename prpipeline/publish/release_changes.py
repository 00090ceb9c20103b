"""A copy of the last release, brought up to date by replacing only the rows that may differ.

Tables with rows of pull requests are computed anew for the pull requests whose data in the warehouse changed, in an
in-memory database, the extract. It holds those pull requests, the repositories' names, and the settings that are what
they were; a query that reads anything else fails there, and its table is written whole. So nothing is copied on trust,
except that a row depends on no other pull request than its own; the tests compute each pull request alone.
Tables with rows of weeks are computed and compared with the last release; all others are small and written whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from prpipeline import metrics
from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary
from prpipeline.publish.release_contents import TOTAL, Table, groups, hash_sums
from prpipeline.publish.release_tables import create, is_from_code, query

LARGEST_CHANGE = 1 / 3  # beyond it, writing a table or a release whole is faster
_EXTRACT = "memory"


class Changes:
    """What has to be replaced. The connection is to memory; attached are ``warehouse``, and what the last and this
    release were made from, as ``last_contents`` and ``contents``.
    """

    def __init__(self, connection: Connection, found: Sequence[Table]) -> None:
        self._connection = connection
        self._groups = groups(found)
        self._create_extract()
        self.replaced: dict[dictionary.Table, int] = {}
        """Tables of which only rows are replaced, with the number of pull requests that they are of."""
        self.share = self._find()
        """How much of all tables with rows of pull requests changed, 0 to 1."""

    def _find(self) -> float:
        self._connection.execute(
            "CREATE TEMP TABLE renamed AS SELECT DISTINCT repository_id FROM ("
            "(FROM names EXCEPT FROM last_contents.names) UNION ALL (FROM last_contents.names EXCEPT FROM names))"
        )
        for group, members in self._groups.items():
            self._compare(group, members)
        changed = total = 0
        for table in dictionary.load().tables:
            if table.has("repository_id", "number") and (groups := self._groups_read(table)):
                of_table, changed_of_table = self._changed(table, groups)
                total, changed = total + of_table, changed + changed_of_table
                if changed_of_table <= LARGEST_CHANGE * of_table:
                    self.replaced[table] = changed_of_table
        return changed / max(1, total)

    def _compare(self, group: str, members: Sequence[Table]) -> None:
        """Hash sums of this group: by repository first, then by pull request where a repository's differ."""
        execute = self._connection.execute
        last = f'last_contents."{group}"'
        last_sums = f"SELECT repository_id, {TOTAL.format('print')} AS print FROM {last} GROUP BY ALL"
        execute(
            f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT repository_id FROM ({hash_sums(members, 'repository_id')}) AS a "
            f"FULL JOIN ({last_sums}) AS b USING (repository_id) WHERE a.print IS DISTINCT FROM b.print"
        )
        fresh = hash_sums(members, "repository_id, number", "suspects")
        execute(f"CREATE OR REPLACE TEMP TABLE fresh AS {fresh}")
        execute(
            f'CREATE TEMP TABLE "changed_{group}" AS SELECT repository_id, number FROM fresh '
            f"FULL JOIN (FROM {last} SEMI JOIN suspects USING (repository_id)) AS last "
            "USING (repository_id, number) WHERE fresh.print IS DISTINCT FROM last.print"
        )
        execute(
            f'CREATE TABLE contents."{group}" AS '
            f"FROM {last} ANTI JOIN suspects USING (repository_id) UNION ALL FROM fresh"
        )

    def _changed(self, table: dictionary.Table, groups: list[str]) -> tuple[int, int]:
        """Note the pull requests whose rows may differ in the table; how many can have rows, and how many of those."""
        parts = [f'FROM "changed_{group}"' for group in groups]
        parts += [
            f'SELECT repository_id, number FROM contents."{group}" SEMI JOIN renamed USING (repository_id)'
            for group in groups
        ]
        different = f'"different_{table.name}"'
        self._connection.execute(
            f"CREATE TEMP TABLE {different} AS SELECT DISTINCT * FROM ({' UNION ALL '.join(parts)})"
        )
        return max(self._count(f'contents."{group}"') for group in groups), self._count(different)

    def _count(self, table: str) -> int:
        (count,) = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
        return int(count)

    # ── the extract ──────────────────────────────────────────────────────────────────────────────────

    def _create_extract(self) -> None:
        """The extract, with tables of pull requests that are still empty."""
        execute = self._connection.execute
        for schema in ("raw", "meta", "metrics"):
            execute(f"CREATE SCHEMA {schema}")
        for name in self._tables_in("warehouse"):
            execute(f"CREATE TABLE {name} AS FROM warehouse.{name} LIMIT 0")
        metrics.create_tables(self._connection)
        settings: dict[str, list[str]] = dict(
            execute(
                "SELECT table_name, list(column_name) FROM "
                "(FROM contents.settings INTERSECT FROM last_contents.settings) GROUP BY table_name"
            ).fetchall()
        )
        kept = {table.full_name for members in self._groups.values() for table in members}
        for name in self._tables_in(_EXTRACT) - kept:
            execute(f"DROP TABLE {name}")
            if name in settings:
                columns = ", ".join(f'"{column}"' for column in settings[name])
                execute(f"CREATE TABLE {name} AS SELECT {columns} FROM warehouse.{name}")
        execute("DROP VIEW metrics.repository_names")
        execute("CREATE TABLE metrics.repository_names AS FROM names")

    def _tables_in(self, database: str) -> set[str]:
        rows = self._connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?", [database]
        ).fetchall()
        return {f'{schema}."{name}"' for schema, name in rows}

    def _groups_read(self, table: dictionary.Table) -> list[str]:
        """The groups without which the table's query fails. None, if it reads anything that the extract lacks."""
        if is_from_code(table) or not self._works(table, ()):
            return []
        return [group for group, members in self._groups.items() if not self._works(table, members)]

    def _works(self, table: dictionary.Table, missing: Sequence[Table]) -> bool:
        self._connection.execute("BEGIN")
        self._connection.execute("PRAGMA disable_optimizer")
        try:
            for one in missing:
                self._connection.execute(f"DROP TABLE {one.full_name}")
            self._connection.execute(f"EXPLAIN {query(table, _EXTRACT)}")
            return True
        except duckdb.Error:
            return False
        finally:
            self._connection.execute("ROLLBACK")
            self._connection.execute("PRAGMA enable_optimizer")

    def fill_extract(self) -> None:
        """Put those pull requests into the extract of which any row is replaced."""
        execute = self._connection.execute
        parts = [f'FROM "different_{table.name}"' for table, changed in self.replaced.items() if changed]
        if not parts:
            return
        execute(f"CREATE TEMP TABLE different AS SELECT DISTINCT * FROM ({' UNION ALL '.join(parts)})")
        execute("CREATE TEMP TABLE touched AS SELECT DISTINCT repository_id FROM different")
        for members in self._groups.values():
            for table in members:
                execute(
                    f"INSERT INTO {table.full_name} FROM (FROM warehouse.{table.full_name} "
                    "SEMI JOIN touched USING (repository_id)) "  # skips row groups, which the pair does not
                    "SEMI JOIN different USING (repository_id, number)"
                )

    # ── the release ──────────────────────────────────────────────────────────────────────────────────

    def apply(self, values: Mapping[str, Any]) -> None:
        """Bring the current database up to date, in the caller's transaction; it holds the last release."""
        for table in dictionary.load().tables:
            if table in self.replaced:
                if self.replaced[table]:
                    pieces = f'"different_{table.name}"'
                    self._replace(table, query(table, _EXTRACT), pieces, "number")
            elif table.has("repository_id", "week"):
                self._replace_weeks(table)
            elif not is_from_code(table):
                create(self._connection, table, values)

    def _replace_weeks(self, table: dictionary.Table) -> None:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        hashes = f"SELECT repository_id, week, {TOTAL.format(f'hash({names})')} AS print FROM "
        self._connection.execute(
            f'CREATE OR REPLACE TEMP TABLE weeks AS SELECT repository_id, week FROM ({hashes} main."{table.name}" '
            f"GROUP BY ALL UNION ALL {hashes} ({query(table, 'warehouse')}) GROUP BY ALL) "
            "GROUP BY ALL HAVING count(*) < 2 OR min(print) <> max(print)"
        )
        self._replace(table, query(table, "warehouse"), "weeks", "week")

    def _replace(self, table: dictionary.Table, source: str, pieces: str, piece: str) -> None:
        """Take the rows of these pieces out of the table, and put in what the query gives of them."""
        same = f"a.repository_id IS NOT DISTINCT FROM b.repository_id AND a.{piece} IS NOT DISTINCT FROM b.{piece}"
        execute = self._connection.execute
        execute(f'DELETE FROM main."{table.name}" AS a USING {pieces} AS b WHERE {same}')
        execute(f'INSERT INTO main."{table.name}" FROM ({source}) AS a SEMI JOIN {pieces} AS b ON {same}')
