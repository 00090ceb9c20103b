"""A sync by this pipeline, in a process of its own: history, or increment of what the folder holds already."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

from benchmarks.contenders.measuring import Measured
from prpipeline.github.sources import open_sources
from prpipeline.model.repository import RepositoryName
from prpipeline.settings import load_settings
from prpipeline.sync import Syncer
from prpipeline.warehouse import Warehouse, tracking


def main() -> None:
    url, folder, repositories = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    settings = load_settings(
        {
            "GITHUB_API_URL": url,
            "GITHUB_TOKEN": "sandbox-token",
            "PRPIPELINE_DATA_DIR": str(folder),
            "PRPIPELINE_GITHUB_API": os.environ.get("PRPIPELINE_GITHUB_API", "graphql"),
        }
    )
    (source,) = open_sources(settings)
    warehouse = Warehouse(folder / "warehouse.duckdb")
    names = [f"bulk/repository-{number}" for number in range(1, repositories + 1)]
    with warehouse.transaction() as connection:
        for name in names:
            tracking.track(connection, RepositoryName.parse(name), tracked_by="cli", now=datetime(2026, 1, 1))
    with Measured() as measured:
        results = list(Syncer(source, warehouse, settings.sync).sync(names))
    failed = [result.error for result in results if result.failed]
    if failed:
        raise SystemExit(f"{len(failed)} failed: {failed[0]}")
    with warehouse.transaction() as connection:
        rows = {
            table: connection.execute(f"SELECT count(*) FROM raw.{table}").fetchone()[0]
            for table in ("pull_requests", "reviews")
        }
    measured.tell(
        requests=sum(r.requests for r in results),
        points=sum(r.points for r in results),
        changed=sum(r.mode != "unchanged" for r in results),
        **rows,
    )


if __name__ == "__main__":
    main()
