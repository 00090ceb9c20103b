"""A sync by prpipeline in its own process: a history, or an increment if the folder has data."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.contenders.measuring import Measured
from benchmarks.product import environment, open_warehouse, prepare_sync


def main() -> None:
    url, folder, repositories = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    variables = environment(url, folder)
    variables["PRPIPELINE_GITHUB_API"] = os.environ.get("PRPIPELINE_GITHUB_API", "graphql")
    names = [f"bulk/repository-{number}" for number in range(1, repositories + 1)]
    sync = prepare_sync(variables, names)
    with Measured() as measured:
        results = list(sync())
    failed = [result.error for result in results if result.failed]
    if failed:
        raise SystemExit(f"{len(failed)} failed: {failed[0]}")
    with open_warehouse(folder).transaction() as connection:
        rows = {
            table: connection.execute(f"SELECT count(*) FROM raw.{table}").fetchall()[0][0]
            for table in ("pull_requests", "reviews")
        }
    measured.report(
        requests=sum(r.requests for r in results),
        points=sum(r.points for r in results),
        changed=sum(r.mode != "unchanged" for r in results),
        **rows,
    )


if __name__ == "__main__":
    main()
