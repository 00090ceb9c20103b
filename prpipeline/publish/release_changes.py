"""A copy of the last release, brought up to date by replacing only the rows that may differ.

Tables with rows of pull requests are computed anew for the pull requests whose data in the warehouse changed, in an
in-memory database, the extract. It holds those pull requests, the repositories' names, and the settings that are what
they were; a query that reads anything else fails there, and its table is written whole. So nothing is copied on trust,
except that a row depends on no other pull request than its own; the tests compute each pull request alone.
Tables with rows of weeks are computed and compared with the last release; all others are small and written whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from prpipeline import metrics
from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary
from prpipeline.publish.release_contents import TOTAL, Table, Tables, by_pull_request, by_repository
from prpipeline.publish.release_tables import create, is_from_code, query

LARGEST_CHANGE = 1 / 3  # beyond it, writing a table or a release whole is faster
_EXTRACT = "memory"


class Changes:
    """What has to be replaced. Works on a connection to memory with ``warehouse``, and the hash sums of the last and
    of this release attached as ``last_contents`` and ``contents``.
    """

    def __init__(self, connection: Connection, found: Tables) -> None:
        self._connection = connection
        self._found = found
        self._settings = self._unchanged_settings()
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
        for group, members in self._found.groups.items():
            self._compare(group, members)
        changed = total = 0
        for table in filter(_has_pull_requests, dictionary.load().tables):
            groups = self._groups_read(table)
            if groups:
                of_table, changed_of_table = self._changed(table, groups)
                total, changed = total + of_table, changed + changed_of_table
                if changed_of_table <= LARGEST_CHANGE * of_table:
                    self.replaced[table] = changed_of_table
        return changed / max(1, total)

    def _compare(self, group: str, members: tuple[Table, ...]) -> None:
        """Hash sums of this group: by repository first, then by pull request where a repository's differ."""
        execute = self._connection.execute
        last = f'last_contents."{group}"'
        last_sums = f"SELECT repository_id, {TOTAL.format('print')} AS print FROM {last} GROUP BY ALL"
        execute(
            f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT repository_id FROM ({by_repository(members)}) AS a "
            f"FULL JOIN ({last_sums}) AS b USING (repository_id) WHERE a.print IS DISTINCT FROM b.print"
        )
        execute(f"CREATE OR REPLACE TEMP TABLE fresh AS {by_pull_request(members, 'suspects')}")
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

    def _unchanged_settings(self) -> dict[str, list[str]]:
        """The columns, by table, of settings that are what they were."""
        rows = self._connection.execute(
            "SELECT table_name, list(column_name) FROM "
            "(FROM contents.settings INTERSECT FROM last_contents.settings) GROUP BY table_name"
        ).fetchall()
        return dict(rows)

    def _create_extract(self) -> None:
        """With tables of pull requests that are empty still."""
        execute = self._connection.execute
        for schema in ("raw", "meta", "metrics"):
            execute(f"CREATE SCHEMA {schema}")
        rows = execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'warehouse'"
        ).fetchall()
        for schema, name in rows:
            execute(f'CREATE TABLE {schema}."{name}" AS FROM warehouse.{schema}."{name}" LIMIT 0')
        metrics.create_tables(self._connection)
        execute("DROP VIEW metrics.names")
        execute("CREATE TABLE metrics.names AS FROM names")
        kept = {t.full_name for members in self._found.groups.values() for t in members}
        for schema, name in rows:
            full_name = f'{schema}."{name}"'
            if full_name not in kept:
                execute(f"DROP TABLE {full_name}")
                if full_name in self._settings:
                    columns = ", ".join(f'"{column}"' for column in self._settings[full_name])
                    execute(f"CREATE TABLE {full_name} AS SELECT {columns} FROM warehouse.{full_name}")

    def _groups_read(self, table: dictionary.Table) -> list[str]:
        """The groups without which the table's query fails; all but the extract's other content is tried to be missing.

        Empty where it reads what the extract has not.
        """
        if not self._works(table, ()):
            return []
        return [group for group, members in self._found.groups.items() if not self._works(table, members)]

    def _works(self, table: dictionary.Table, missing: tuple[Table, ...]) -> bool:
        self._connection.execute("BEGIN")
        self._connection.execute("PRAGMA disable_optimizer")
        try:
            for one in missing:
                self._connection.execute(f"DROP TABLE {one.full_name}")
            self._connection.execute(f"EXPLAIN {query(table, _EXTRACT)}")
        except duckdb.Error:
            return False
        else:
            return True
        finally:
            self._connection.execute("ROLLBACK")
            self._connection.execute("PRAGMA enable_optimizer")

    def fill_extract(self) -> None:
        """Put the pull requests into it of which any row is replaced."""
        execute = self._connection.execute
        parts = [f'FROM "different_{table.name}"' for table, changed in self.replaced.items() if changed]
        execute(
            f"CREATE TEMP TABLE different AS SELECT DISTINCT * FROM ({' UNION ALL '.join(parts)})"
            if parts
            else "CREATE TEMP TABLE different (repository_id BIGINT, number BIGINT)"
        )
        execute("CREATE TEMP TABLE touched AS SELECT DISTINCT repository_id FROM different")
        for members in self._found.groups.values():
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
            elif {"repository_id", "week"} <= _columns(table):
                self._replace_weeks(table, values)
            elif not is_from_code(table):
                create(self._connection, table, values)

    def _replace_weeks(self, table: dictionary.Table, values: Mapping[str, Any]) -> None:
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
        self._connection.execute(
            f'DELETE FROM main."{table.name}" AS shown USING {pieces} AS different '
            f"WHERE shown.repository_id = different.repository_id AND shown.{piece} = different.{piece}"
        )
        self._connection.execute(
            f'INSERT INTO main."{table.name}" FROM ({source}) SEMI JOIN {pieces} USING (repository_id, {piece})'
        )


def _has_pull_requests(table: dictionary.Table) -> bool:
    return {"repository_id", "number"} <= _columns(table) and not is_from_code(table)


def _columns(table: dictionary.Table) -> set[str]:
    return {column.name for column in table.columns}
