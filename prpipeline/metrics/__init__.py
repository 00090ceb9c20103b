"""Metrics of reviews: tables and views in schema metrics, made by SQL from schemas raw and meta alone.

What takes computing is a table; what repeats raw, or is seldom read, is a view. ``rebuild`` makes what depends on one
repository's rows alone, ``rebuild_aggregates`` all else. What a metric means stands at the head of its file in sql/.
Not here: opening the warehouse, publishing, orchestration, GitHub.
"""

from __future__ import annotations

from prpipeline.metrics.checks import Check, all_checks
from prpipeline.metrics.definitions import (
    AGGREGATE_TABLES,
    PUBLISHED_VIEWS,
    REPOSITORY_TABLES,
    TABLES,
    are_tables_current,
    create_tables,
    metric_version,
    published_view,
    renew_tables,
)
from prpipeline.metrics.rebuilding import fingerprint, rebuild, rebuild_aggregates, stale_repositories

__all__ = [
    "AGGREGATE_TABLES",
    "PUBLISHED_VIEWS",
    "REPOSITORY_TABLES",
    "TABLES",
    "Check",
    "all_checks",
    "are_tables_current",
    "create_tables",
    "fingerprint",
    "metric_version",
    "published_view",
    "rebuild",
    "rebuild_aggregates",
    "renew_tables",
    "stale_repositories",
]
