"""Metrics of reviews: tables and views in schema metrics, made by SQL from schemas raw and meta alone.

What takes computing is a table; what repeats raw, or is seldom read, is a view. ``rebuild`` makes what depends on one
repository's rows alone, ``rebuild_aggregates`` all else. What a metric means stands at the head of its file in sql/.
Not here: opening the warehouse, publishing, orchestration, GitHub.
"""

from __future__ import annotations

from prpipeline.metrics.checks import Check, all_checks
from prpipeline.metrics.definitions import (
    aggregate_tables,
    are_tables_current,
    create_tables,
    definitions_fingerprint,
    has_jira,
    metric_version,
    published_tables,
    published_view,
    published_views,
    renew_tables,
    repository_tables,
)
from prpipeline.metrics.rebuilding import fingerprint, rebuild, rebuild_aggregates, stale_repositories

__all__ = [
    "Check",
    "aggregate_tables",
    "all_checks",
    "are_tables_current",
    "create_tables",
    "definitions_fingerprint",
    "fingerprint",
    "has_jira",
    "metric_version",
    "published_tables",
    "published_view",
    "published_views",
    "rebuild",
    "rebuild_aggregates",
    "renew_tables",
    "repository_tables",
    "stale_repositories",
]
