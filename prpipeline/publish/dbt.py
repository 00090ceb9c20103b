"""The published tables as a source of dbt's: descriptions, types, tests of keys, freshness."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import yaml

from prpipeline.publish import dictionary

_HEAD = """\
# The published tables of prpipeline, for dbt (1.10 and later) with dbt-duckdb. Written by 'prpipeline export --format dbt'.
# The profile attaches the file by this name:
#
#   prpipeline:
#     target: dev
#     outputs:
#       dev:
#         type: duckdb
#         path: models.duckdb
#         attach:
#           - {path: "{{ env_var('PRPIPELINE_FILE') }}", alias: prpipeline, read_only: true}
"""


def sources(published: Container[str]) -> str:
    """The file sources.yml of those tables that are published. Docs: docs.getdbt.com/reference/source-properties."""
    tables = [_table(table) for table in dictionary.load(with_jira=True).tables if table.name in published]
    source = {
        "name": "prpipeline",
        "description": "How long pull requests on GitHub wait for review. Times are UTC.",
        "database": "prpipeline",
        "schema": "main",
        "tables": tables,
    }
    content = {"version": 2, "sources": [source]}
    return _HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _table(table: dictionary.Table) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": table.name, "description": table.comment}
    if table.name == "pipeline_status":
        entry["config"] = {
            "loaded_at_field": "published_at",
            "freshness": {
                "warn_after": {"count": 24, "period": "hour"},
                "error_after": {"count": 72, "period": "hour"},
            },
        }
    entry["columns"] = [
        {
            "name": column.name,
            "data_type": column.type.lower(),
            "description": column.description,
            **({"data_tests": ["unique", "not_null"]} if column.name == table.key else {}),
        }
        for column in table.columns
    ]
    return entry
