"""Everything that the benchmarks import from prpipeline; the others run its commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from prpipeline import metrics
from prpipeline.app.pipeline import Pipeline
from prpipeline.github.sources import open_sources
from prpipeline.metrics import rebuilding
from prpipeline.model.repository import RepositoryName
from prpipeline.model.sql import Connection
from prpipeline.publish.release import Release, publish
from prpipeline.settings import MetricSettings, load_settings
from prpipeline.sync import Syncer, SyncOptions, SyncResult
from prpipeline.warehouse import Warehouse, copying, schema, tracking

__all__ = [
    "Connection",
    "MetricSettings",
    "Pipeline",
    "Release",
    "SyncResult",
    "Warehouse",
    "metrics",
    "publish",
    "rebuilding",
    "schema",
]


def environment(url: str, folder: Path) -> dict[str, str]:
    """The settings for a sandbox at `url` and data in `folder`."""
    return {"GITHUB_API_URL": url, "GITHUB_TOKEN": "sandbox-token", "PRPIPELINE_DATA_DIR": str(folder)}


def open_pipeline(variables: Mapping[str, str]) -> Pipeline:
    return Pipeline(load_settings(dict(variables)))


def prepare_sync(
    variables: Mapping[str, str], names: Sequence[str], *, is_tracked: bool = False
) -> Callable[[], Iterator[SyncResult]]:
    """Track the repositories; the result then syncs them into the warehouse, without metrics or a publication."""
    settings = load_settings(dict(variables))
    (source,) = open_sources(settings)
    warehouse = Pipeline(settings).warehouse
    with warehouse.transaction() as connection:
        for name in () if is_tracked else names:
            tracking.track(connection, RepositoryName.parse(name), tracked_by="cli", now=datetime(2026, 1, 1))
    return lambda: Syncer(source, warehouse, settings.sync).sync(names)


def copy_warehouse(source: Mapping[str, str], target: Mapping[str, str]) -> None:
    """Copy the warehouse of these settings to that of those."""
    copying.copy(open_pipeline(source).warehouse.store, open_pipeline(target).warehouse.store)


def sync_and_derive(pipeline: Pipeline, names: Sequence[str]) -> None:
    """Sync and compute the metrics; no publication. Raises RuntimeError for the first failed repository."""
    for result in pipeline.sync(names, SyncOptions()):
        if result.failed:
            raise RuntimeError(result.error)
    pipeline.derive(names)
    pipeline.aggregate()


def track(pipeline: Pipeline, names: Sequence[str]) -> None:
    pipeline.tracking.track([RepositoryName.parse(name) for name in names], tracked_by="cli")


def age_publications(pipeline: Pipeline) -> None:
    """Let all that was published have been published a day earlier, so that it is due again."""
    with pipeline.warehouse.transaction() as connection:
        connection.execute("UPDATE meta.publications SET published_at = published_at - INTERVAL 1 DAY")


def open_warehouse(folder: Path) -> Warehouse:
    return Warehouse(folder / "warehouse.duckdb")


def rebuild(connection: Connection, repositories: Sequence[int] | None, as_of: datetime) -> None:
    """Compute the metrics of some repositories (None: all), and the aggregates of all."""
    metrics.rebuild(connection, repositories, MetricSettings(), as_of)
    metrics.rebuild_aggregates(connection, MetricSettings(), as_of)
