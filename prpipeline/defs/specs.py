"""What the catalog says about each asset before it has rows."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import dagster as dg

import prpipeline
from prpipeline.app.types import dictionary
from prpipeline.defs.keys import (
    AGGREGATES,
    PUBLISHED_DATABASE,
    PUBLISHED_TABLES,
    RAW,
    REVIEW_TIME_HOURS,
    REVIEW_TIME_REPORT,
    SYNCED,
    tables_of_jira,
)
from prpipeline.defs.partitions import repository_partitions

# How long a sync may take before the published database counts as late.
_LATE = timedelta(hours=2)

_PACKAGE = Path(prpipeline.__file__).parent


def all_specs(
    sync_period: timedelta | None, owners: Sequence[str] = (), *, is_demo: bool = False
) -> list[dg.AssetSpec]:
    """Every asset with its owners, marked where it holds sample data.

    The published database has a freshness policy where syncs are scheduled every ``sync_period``.
    """
    specs = [spec.replace_attributes(owners=owners) for spec in _specs(sync_period)]
    return [_as_sample(spec) for spec in specs] if is_demo else specs


def _as_sample(spec: dg.AssetSpec) -> dg.AssetSpec:
    return spec.replace_attributes(
        description=f"Sample data, of no real repository. {spec.description}",
        tags={**spec.tags, "data": "sample"},
    )


def _specs(sync_period: timedelta | None) -> list[dg.AssetSpec]:
    freshness = None
    if sync_period is not None:
        freshness = dg.FreshnessPolicy.time_window(
            warn_window=sync_period + _LATE, fail_window=2 * sync_period + _LATE
        )
    return [
        *(_table(key, "github", {"github", "duckdb"}, partitioned=True) for key in RAW),
        _table(REVIEW_TIME_HOURS, "metrics", {"sql", "duckdb"}, deps=RAW, partitioned=True),
        *(_table(key, "metrics", {"sql", "duckdb"}, deps=[REVIEW_TIME_HOURS]) for key in AGGREGATES),
        dg.AssetSpec(
            PUBLISHED_DATABASE,
            deps=[*SYNCED, *AGGREGATES],
            group_name="published",
            kinds={"duckdb"},
            tags={"layer": "published"},
            freshness_policy=freshness,
            skippable=True,
            description="The DuckDB file for BI tools: a new release of all published tables, shown to readers in one "
            "step. A release in which an ERROR check finds rows is not shown; the last one stays.",
        ),
        *(_table(key, "published", {"duckdb"}, deps=[PUBLISHED_DATABASE]) for key in PUBLISHED_TABLES),
        dg.AssetSpec(
            REVIEW_TIME_REPORT,
            deps=[PUBLISHED_DATABASE],
            group_name="published",
            kinds={"html"},
            tags={"layer": "published"},
            skippable=True,
            description="The report: one HTML file beside the published database, with charts and the queue of "
            "waiting pull requests. Opens from disk in any browser.",
        ),
    ]


def of_jira(issues: dg.AssetKey, owners: Sequence[str], *, is_demo: bool = False) -> list[dg.AssetSpec]:
    """The published tables of issues."""
    specs = [
        _table(
            key,
            key.path[0],
            {"duckdb"},
            deps=[issues, REVIEW_TIME_HOURS] if key.path[0] == "metrics" else [PUBLISHED_DATABASE],
        )
        for key in tables_of_jira()
    ]
    specs = [spec.replace_attributes(owners=owners) for spec in specs]
    return [_as_sample(spec) for spec in specs] if is_demo else specs


def _table(
    key: dg.AssetKey,
    group: str,
    kinds: set[str],
    *,
    deps: tuple[dg.AssetKey, ...] | list[dg.AssetKey] = (),
    partitioned: bool = False,
) -> dg.AssetSpec:
    table = dictionary.load(with_jira=True).table(key.path[-1])
    columns = [
        dg.TableColumn(column.name, column.type.lower(), description=column.description)
        for column in table.columns
    ]
    return dg.AssetSpec(
        key,
        deps=deps,
        description=table.comment,
        group_name=group,
        kinds=kinds,
        tags={"layer": key.path[0], "grain": re.sub(r"[^a-z0-9]+", "-", table.grain.lower())[:63].strip("-")},
        metadata={
            "dagster/column_schema": dg.TableSchema(columns),
            "dagster/table_name": f"prpipeline.main.{table.name}",
            **_definition(table.name),
        },
        skippable=True,  # a run reports what it did, partition by partition, as events
        partitions_def=repository_partitions if partitioned else None,
    )


def _definition(table: str) -> dict[str, dg.CodeReferencesMetadataValue]:
    """A link to the SQL that makes the table, where it has a file of its own."""
    files = [file for room in ("metrics", "publish") for file in (_PACKAGE / room).rglob(f"{table}.sql")]
    references: list[dg.LocalFileCodeReference | dg.UrlCodeReference] = [
        dg.LocalFileCodeReference(file_path=str(file), label="definition") for file in files
    ]
    return (
        {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=references)}
        if references
        else {}
    )
