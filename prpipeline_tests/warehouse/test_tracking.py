"""Untracking with the data removes the repository's rows from every table."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Sandbox
from prpipeline.warehouse import activity, etags, tracking
from prpipeline_tests.support.sync_lab import SyncLab, small_world

NOW = datetime(2026, 6, 1)


def test_all_its_rows_and_no_others_are_removed(tmp_path: Path) -> None:
    with Sandbox(small_world(5, ("octo/app", "octo/lib"))) as server:
        lab = SyncLab(server.world, server, tmp_path)
        lab.sync()
        pipeline = Pipeline(lab.settings)
        pipeline.derive(lab.names)
        pipeline.aggregate()
        app, lib = (lab.tracked(name).repository_id for name in ("octo/app", "octo/lib"))
        with lab.warehouse.transaction() as connection:
            etags.save(connection, {f"/repositories/{i}/pulls": ("e", "v") for i in (app, lib)})
            connection.execute("CREATE TABLE raw.toy_builds (repository_id BIGINT, build_id BIGINT)")
            connection.execute("INSERT INTO raw.toy_builds VALUES (?, 1), (?, 2)", [app, lib])
            connection.execute("INSERT INTO meta.removals VALUES (?, 'review', '7', 1, ?)", [app, NOW])
            tables = connection.execute(
                "SELECT schema_name || '.' || table_name FROM duckdb_columns() SEMI JOIN duckdb_tables() "
                "USING (table_oid, database_name) WHERE column_name = 'repository_id' AND database_name = 'warehouse'"
            ).fetchall()

            def counts(repository_id: int | None) -> dict[str, int]:
                return {
                    table: len(
                        connection.execute(
                            f"FROM {table} WHERE repository_id = ?", [repository_id]
                        ).fetchall()
                    )
                    for (table,) in tables
                }

            before = counts(lib)
            assert sum(map(bool, counts(app).values())) > 8
            assert tracking.untrack(connection, RepositoryName("octo", "app"), delete_data=True)
            assert not any(counts(app).values())
            assert counts(lib) == before
            assert [key for key in etags.load(connection) if "/repositories/" in key] == [
                f"/repositories/{lib}/pulls"
            ]
            assert {row.tracked_as for row in activity.syncs_since(connection, 0, 9)} == {"octo/lib"}


def test_an_unknown_column_is_an_error(tmp_path: Path) -> None:
    with Sandbox(small_world(1)) as server:
        lab = SyncLab(server.world, server, tmp_path)
    with pytest.raises(KeyError, match="color"), lab.warehouse.transaction() as connection:
        tracking.update(connection, "octo/app", color="red")
    with pytest.raises(KeyError, match="color"), lab.warehouse.transaction() as connection:
        tracking.update_many(connection, ["octo/app"], color="red")
