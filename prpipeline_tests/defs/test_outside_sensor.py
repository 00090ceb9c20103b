"""What the command line, cron and scripts did shows in Dagster: partitions, numbers, checks, the publication."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from prpipeline.defs.keys import AGGREGATES, PUBLISHED_DATABASE, PULL_REQUESTS, REVIEW_TIME_HOURS, SYNCED
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Sandbox
from prpipeline.settings import Settings
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.dagster_lab import (
    DagsterLab,
    bulk_world,
    dagster_lab,
    lab_settings,
    shared_lab,
)
from prpipeline_tests.support.folders import new_folder

ONE, GONE = "bulk/repository-1", "bulk/no-such-thing"


@pytest.fixture(scope="module")
def data_folder() -> Iterator[Path]:
    """What ``prpipeline track`` and ``prpipeline sync`` leave; Dagster has seen nothing of it."""
    with shared_lab() as (lab, _):
        names = (ONE, GONE)
        lab.pipeline.tracking.track(list(map(RepositoryName.parse, names)), tracked_by="cli")
        results = list(lab.pipeline.sync(names, SyncOptions(caller="command_line")))
        lab.pipeline.derive([r.tracked_as for r in results if not r.failed])
        lab.pipeline.aggregate()
        lab.pipeline.publish(caller="command_line")
        yield lab.pipeline.settings.data_dir


@pytest.fixture(scope="module")
def reported(data_folder: Path) -> Iterator[tuple[DagsterLab, dg.SensorResult]]:
    """What the sensor reported where both have a partition, and the warehouse has fewer rows than GitHub counts."""
    with Sandbox(bulk_world()) as github:
        settings = lab_settings(github, new_folder())
        shutil.copytree(data_folder, settings.data_dir, symlinks=True)
        with dagster_lab(settings) as lab:
            with lab.pipeline.warehouse.transaction() as connection:
                connection.execute("UPDATE meta.repositories SET pull_requests_on_github = 99")
            lab.add_partitions(ONE, GONE)
            yield lab, lab.outside_tick()


@pytest.fixture
def lab(settings: Settings, data_folder: Path) -> Iterator[DagsterLab]:
    shutil.copytree(data_folder, settings.data_dir, symlinks=True)
    with dagster_lab(settings) as lab:
        yield lab


def test_partitions_checks_and_the_publication_are_reported_once(
    reported: tuple[DagsterLab, dg.SensorResult],
) -> None:
    lab, _ = reported
    for key in SYNCED:
        assert lab.status(key) == {ONE: "MATERIALIZED"}
        assert GONE in lab.observed(key, GONE)["why it failed"]
    found = lab.metadata(REVIEW_TIME_HOURS, ONE)
    assert (found["by"], found["mode"], found["dagster/partition_row_count"]) == (
        "command line",
        "history",
        6,
    )
    assert "data:image/svg+xml," in found["review time by week"]
    published = lab.instance.get_latest_materialization_event(PUBLISHED_DATABASE)
    assert published is not None
    assert published.asset_materialization is not None
    assert published.asset_materialization.metadata["dagster/row_count"].value == 6
    aggregate = lab.instance.get_latest_materialization_event(AGGREGATES[0])
    assert aggregate is not None
    assert aggregate.timestamp <= published.timestamp  # else the UI calls the database unsynced
    result = lab.outside_tick()
    assert not result.asset_events
    assert isinstance(lab.publish_tick(), dg.SkipReason)


def test_checks_are_reported_with_their_rows(reported: tuple[DagsterLab, dg.SensorResult]) -> None:
    lab, told = reported
    evaluations = [e for e in told.asset_events if isinstance(e, dg.AssetCheckEvaluation)]
    (failed,) = (e for e in evaluations if not e.passed)
    assert failed.check_name == "count_equals_github"
    assert ONE in str(failed.metadata["first rows"].value)
    assert set(lab.definitions.resolve_asset_graph().asset_check_keys) == {
        e.asset_check_key for e in evaluations
    }


def test_a_repository_and_its_publication_wait_for_its_partition(lab: DagsterLab) -> None:
    assert not lab.outside_tick().asset_events
    lab.tick()
    keys = [e.asset_key for e in lab.outside_tick().asset_events if isinstance(e, dg.AssetMaterialization)]
    assert lab.status(PULL_REQUESTS) == {ONE: "MATERIALIZED"}
    assert max(map(keys.index, SYNCED)) < keys.index(
        PUBLISHED_DATABASE
    )  # else the UI calls the database unsynced
