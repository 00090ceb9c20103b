"""Jira in Dagster: partitions follow the file, projects are synced one by one, cron's work is reported; nothing without."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from prpipeline.app.pipeline import Pipeline
from prpipeline.definitions import build_definitions
from prpipeline.defs.jira import PARTITIONS, jira_sensor, project_partitions
from prpipeline.defs.jobs import JIRA_SYNC, RECONCILE_JIRA, SYNC_JIRA
from prpipeline.defs.keys import JIRA_ISSUES, PUBLISHED_DATABASE, tables_of_jira
from prpipeline.sandbox.jira import JiraSandbox
from prpipeline.settings import load_settings
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.dagster_lab import fixed
from prpipeline_tests.support.folders import new_folder
from prpipeline_tests.support.jira_lab import let_pass, small_world


def opened(server: JiraSandbox, folder: Path) -> Pipeline:
    """Of projects ABC and NOPE, which Jira does not show; nothing is stored yet."""
    (folder / "repositories.yaml").write_text("jira: {projects: [ABC, NOPE]}\nsync: {attempts: 1}\n")
    folders = {
        "PRPIPELINE_DATA_DIR": str(folder / "data"),
        "PRPIPELINE_REPOSITORIES": str(folder / "repositories.yaml"),
    }
    return Pipeline(load_settings(folders | server.environment))


@pytest.fixture(scope="module")
def server() -> Iterator[JiraSandbox]:
    """With three issues, which no test changes."""
    with JiraSandbox(small_world(3)[0]) as server:
        yield server


@pytest.fixture
def pipeline(server: JiraSandbox, tmp_path: Path) -> Pipeline:
    return opened(server, tmp_path)


class Failing(NamedTuple):
    """Dagster after two runs of both projects, the first of them at the sensor's request."""

    pipeline: Pipeline
    instance: dg.DagsterInstance
    cursor: str | None  # the sensor's
    issues: dict[str, int]  # that the first run read, by project
    runs: list[dg.ExecuteInProcessResult]


@pytest.fixture(scope="module")
def failing(server: JiraSandbox) -> Iterator[Failing]:
    pipeline = opened(server, new_folder())
    with dg.DagsterInstance.ephemeral() as instance:
        first = tick(pipeline, instance)
        (request,) = first.run_requests or ()
        asked_for = run(pipeline, instance, SYNC_JIRA, request.run_config)
        issues = materialized(instance)
        yield Failing(
            pipeline, instance, first.cursor, issues, [asked_for, run(pipeline, instance, SYNC_JIRA)]
        )


@pytest.fixture
def synced(failing: Failing, pipeline: Pipeline) -> Pipeline:
    """Synced already; Dagster knows nothing of it."""
    shutil.copytree(failing.pipeline.settings.data_dir, pipeline.settings.data_dir)
    return pipeline


def run(
    pipeline: Pipeline, instance: dg.DagsterInstance, job: str, config: Mapping[str, Any] | None = None
) -> dg.ExecuteInProcessResult:
    definitions = build_definitions(pipeline.settings, {"pipeline": fixed(pipeline)})
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance, run_config=config or {}, raise_on_error=False
    )


def sync_by_hand(
    pipeline: Pipeline, instance: dg.DagsterInstance, job: str = SYNC_JIRA, **config: object
) -> dg.ExecuteInProcessResult:
    return run(pipeline, instance, job, {"ops": {JIRA_SYNC: {"config": config}}})


def tick(pipeline: Pipeline, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    with dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"pipeline": fixed(pipeline)}
    ) as context:
        found = jira_sensor(context)
    assert isinstance(found, dg.SensorResult)
    for change in found.dynamic_partitions_requests or []:
        if isinstance(change, dg.AddDynamicPartitionsRequest):
            instance.add_dynamic_partitions(PARTITIONS, list(change.partition_keys))
    for event in found.asset_events:
        instance.report_runless_asset_event(event)
    return found


def materialized(instance: dg.DagsterInstance) -> dict[str, int]:
    records = instance.fetch_materializations(JIRA_ISSUES, limit=10).records
    found = {}
    for record in reversed(records):
        event = record.asset_materialization
        assert event is not None
        found[str(event.partition)] = int(str(event.metadata["issues"].value))
    return found


def test_a_project_fails_alone_and_the_others_are_materialized(failing: Failing) -> None:
    instance = failing.instance
    assert set(instance.get_dynamic_partitions(PARTITIONS)) == {"ABC", "NOPE"}
    assert not failing.runs[0].success
    assert failing.issues == {"ABC": 3}
    observed = instance.fetch_observations(JIRA_ISSUES, limit=1).records[0].asset_observation
    assert observed is not None
    assert observed.partition == "NOPE"
    assert "shows no project NOPE" in str(observed.metadata["why it failed"].value)
    assert not tick(failing.pipeline, instance, failing.cursor).run_requests


def test_a_project_that_fails_shows_as_failed_with_its_reason_once(failing: Failing) -> None:
    instance = failing.instance
    assert [run.success for run in failing.runs] == [False, False]
    assert len(instance.fetch_observations(JIRA_ISSUES, limit=10).records) == 1
    statuses = instance.get_status_by_partition(JIRA_ISSUES, ["ABC", "NOPE"], project_partitions)
    assert statuses == {
        "ABC": dg.AssetPartitionStatus.MATERIALIZED,
        "NOPE": dg.AssetPartitionStatus.FAILED,
    }


def test_projects_are_chosen_by_key_and_a_mistyped_one_fails(pipeline: Pipeline) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        tick(pipeline, instance)
        assert sync_by_hand(pipeline, instance, projects=["abc"]).success
        assert materialized(instance) == {"ABC": 3}
        failed = sync_by_hand(pipeline, instance, projects=["ABC", "ABX"])
        assert not failed.success
        (failure,) = (event for event in failed.all_events if event.is_step_failure)
        error = failure.step_failure_data.error
        assert error is not None
        assert (
            "Not selected under jira.projects of the repositories file: ABX. Selected are: ABC, NOPE."
            in str(error)
        )


def test_job_reconcile_jira_finds_what_is_deleted(tmp_path: Path) -> None:
    world = small_world(3)[0]
    with JiraSandbox(world) as server, dg.DagsterInstance.ephemeral() as instance:
        pipeline = opened(server, tmp_path)
        pipeline.follow_jira()
        list(pipeline.sync_jira(SyncOptions(caller="command_line")))
        tick(pipeline, instance)
        world.delete(next(iter(world.issues.values())))
        let_pass(world, minutes=5)
        gone = "SELECT count(*) FROM raw.jira_issues WHERE gone_at IS NOT NULL"
        for job, count in ((SYNC_JIRA, 0), (RECONCILE_JIRA, 1)):
            assert sync_by_hand(pipeline, instance, job, projects=["ABC"]).success
            with pipeline.warehouse.transaction() as connection:
                assert connection.execute(gone).fetchone() == (count,)


def test_what_cron_synced_is_reported(pipeline: Pipeline) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline.follow_jira()
        list(pipeline.sync_jira(SyncOptions(caller="command_line")))
        first = tick(pipeline, instance)
        assert materialized(instance) == {}  # the partitions are added first
        second = tick(pipeline, instance, first.cursor)
        assert materialized(instance) == {"ABC": 3}
        assert not tick(pipeline, instance, second.cursor).asset_events


def test_all_that_is_materialized_has_partitions_of_one_kind(pipeline: Pipeline) -> None:
    graph = build_definitions(pipeline.settings).resolve_asset_graph()
    kinds = {
        str(node.partitions_def)
        for key in graph.materializable_asset_keys
        if (node := graph.get(key)).partitions_def
    }
    assert len(kinds) == 1  # otherwise, Materialize all offers none to choose
    assert graph.get(JIRA_ISSUES).partitions_def is not None


def test_the_job_that_publishes_syncs_nothing_of_jira(pipeline: Pipeline) -> None:
    definitions = build_definitions(pipeline.settings)
    job = definitions.resolve_job_def("publish")
    assert JIRA_ISSUES not in (job.asset_layer.selected_asset_keys if job.asset_layer else set())
    assert {schedule.name for schedule in definitions.schedules or ()} >= {
        "daily_jira_sync",
        "weekly_jira_reconcile",
    }


def test_the_published_tables_of_issues_are_materialized_by_the_run_that_publishes(synced: Pipeline) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        definitions = build_definitions(synced.settings, {"pipeline": fixed(synced)})
        job = definitions.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=instance, asset_selection=[PUBLISHED_DATABASE]).success
        for key in tables_of_jira():
            event = instance.get_latest_materialization_event(key)
            assert event is not None, key
            assert event.asset_materialization is not None
            rows = event.asset_materialization.metadata.get("dagster/row_count")
            if key.path == ["metrics", "issues"]:
                assert rows is not None
                assert rows.value == 3


def test_without_projects_there_is_nothing_of_jira(tmp_path: Path) -> None:
    (tmp_path / "repositories.yaml").write_text("repositories: []\n")
    settings = load_settings(
        {
            "PRPIPELINE_DATA_DIR": str(tmp_path / "data"),
            "PRPIPELINE_REPOSITORIES": str(tmp_path / "repositories.yaml"),
        }
    )
    definitions = build_definitions(settings)
    keys = definitions.resolve_asset_graph().get_all_asset_keys()
    assert JIRA_ISSUES not in keys
    assert not any("jira" in job.name for job in definitions.resolve_all_job_defs())


def test_the_raw_tables_have_checks_which_also_speak_of_a_project_that_has_failed_for_days(
    synced: Pipeline,
) -> None:
    with synced.warehouse.transaction() as connection:
        connection.execute("INSERT INTO raw.jira_issues FROM raw.jira_issues LIMIT 1")
        connection.execute("DELETE FROM raw.jira_statuses WHERE status_id = '1'")
        connection.execute("UPDATE meta.jira_projects SET changed_at = '2026-01-01' WHERE entry = 'NOPE'")
    with dg.DagsterInstance.ephemeral() as instance:
        ran = run(synced, instance, "publish")
    found = {
        evaluation.check_name: evaluation
        for evaluation in ran.get_asset_check_evaluations()
        if evaluation.asset_key == JIRA_ISSUES
    }
    wrong = {name for name, evaluation in found.items() if not evaluation.passed}
    assert wrong >= {"unique_jira_issues", "jira_statuses_are_known", "jira_watermark_is_current"}
    assert "NOPE" in str(found["jira_watermark_is_current"].metadata["first rows"].value)
    assert found["unique_jira_issues"].severity is dg.AssetCheckSeverity.ERROR
    assert "jira_times_are_in_order" in found.keys() - wrong
    assert not ran.success  # nor is anything of it published
