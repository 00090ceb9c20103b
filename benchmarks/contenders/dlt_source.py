"""dlt's REST API source into DuckDB: pull requests, and the reviews of each as a dependent resource."""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.update(
    {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DLT_DATA_DIR": sys.argv[2]}
)

import dlt
import requests
from dlt.sources.rest_api import rest_api_source
from measuring import Measured

sent = 0
_send = requests.Session.send


def _count(self: requests.Session, *arguments: Any, **options: Any) -> requests.Response:
    global sent
    sent += 1
    return _send(self, *arguments, **options)


def main() -> None:
    url, folder = sys.argv[1], sys.argv[2]
    requests.Session.send = _count  # type: ignore[method-assign]
    pulls = "repos/bulk/repository-1/pulls"
    page = {"per_page": 100}
    with Measured() as measured:
        source = rest_api_source(
            {
                "client": {
                    "base_url": f"{url}/",
                    "auth": {"type": "bearer", "token": "sandbox-token"},
                    "paginator": {"type": "header_link"},
                },
                "resources": [
                    {"name": "pulls", "endpoint": {"path": pulls, "params": {"state": "all", **page}}},
                    {
                        "name": "reviews",
                        "endpoint": {
                            "path": pulls + "/{resources.pulls.number}/reviews",
                            "params": page,
                        },
                    },
                ],
            }
        )
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=folder,
            destination=dlt.destinations.duckdb(f"{folder}/dlt.duckdb"),
            dataset_name="github",
        )
        pipeline.run(source)
    with pipeline.sql_client() as client:
        counts = [client.execute_sql(f"SELECT count(*) FROM {t}")[0][0] for t in ("pulls", "reviews")]
    measured.report(requests=sent, points=sent, pull_requests=counts[0], reviews=counts[1])


if __name__ == "__main__":
    main()
