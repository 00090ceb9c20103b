"""Dagster in the test's process: track, run jobs, tick sensors, look at the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from msgspec.structs import replace

from prpipeline.app.pipeline import Pipeline
from prpipeline.definitions import build_definitions
from prpipeline.defs.jobs import STEP
from prpipeline.defs.outside_sensor import outside_activity_sensor
from prpipeline.defs.partitions import repository_partitions
from prpipeline.defs.publish_sensor import publish_sensor
from prpipeline.defs.resources import PipelineResource
from prpipeline.defs.tracking_sensor import tracking_sensor
from prpipeline.model.repository import RepositoryName
from prpipeline.model.tracking import TrackedBy
from prpipeline.sandbox.github import Sandbox, World, generated_world
from prpipeline.settings import Settings, load_settings
from prpipeline_tests.support.folders import new_folder
from prpipeline_tests.support.stores import new_warehouse

PARTITIONS = str(repository_partitions.name)


def fixed(pipeline: Pipeline) -> PipelineResource:
    """The resource, always with this pipeline. Dagster copies resources by their fields, hence the class."""

    class FixedPipeline(PipelineResource):
        def open(self, credential: str | None = None) -> Pipeline:
            if credential is None:
                return pipeline
            settings = pipeline.settings
            return Pipeline(replace(settings, github=settings.github.only(credential)))

    return FixedPipeline(**PipelineResource.of(pipeline.settings).model_dump())


class DagsterLab:
    """The code location on one pipeline and one instance."""

    def __init__(self, pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
        self.pipeline = pipeline
        self.instance = instance
        self.resources = {"pipeline": fixed(pipeline)}
        self.definitions = build_definitions(pipeline.settings, self.resources)
        self.cursor: str | None = None
        self.outside_cursor: str | None = None

    def track(self, *names: str, tracked_by: TrackedBy = "cli") -> None:
        """Track these, partitions included."""
        self.pipeline.tracking.track([RepositoryName.parse(name) for name in names], tracked_by=tracked_by)
        self.instance.add_dynamic_partitions(PARTITIONS, list(names))

    def untrack(self, name: str, *, delete_data: bool = False) -> None:
        self.pipeline.tracking.untrack([RepositoryName.parse(name)], delete_data=delete_data)

    def add_partitions(self, *names: str) -> None:
        """Add partitions as the UI does."""
        self.instance.add_dynamic_partitions(PARTITIONS, list(names))

    def run(self, job: str = "sync", **config: Any) -> dg.ExecuteInProcessResult:
        """Run a job as schedules and sensors do: with its repositories in the run's configuration."""
        run_config = {"ops": {STEP: {"config": config}}} if config else {}
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, run_config=run_config, raise_on_error=False
        )

    def run_partitions(
        self, first: str, last: str | None = None, selection: Sequence[dg.AssetKey] | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run one partition or a range of them, as the UI does: of a selection, with its checks, or of job ``sync``."""
        tags = (
            {"dagster/partition": first}
            if last is None
            else {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        )
        job = (
            self.definitions.resolve_implicit_global_asset_job_def()
            if selection
            else self.definitions.resolve_job_def("sync")
        )
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=list(selection) if selection else None,
            tags=tags,
            raise_on_error=False,
        )

    def request(self, request: dg.RunRequest, job: str = "sync") -> dg.ExecuteInProcessResult:
        """Run what a sensor or schedule asked for."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, run_config=request.run_config, tags=request.tags, raise_on_error=False
        )

    def sensor_context(self, cursor: str | None = None) -> dg.SensorEvaluationContext:
        """To be closed: one that is collected later makes Dagster go on with an instance that is gone."""
        return dg.build_sensor_context(instance=self.instance, cursor=cursor, resources=self.resources)

    def tick(self) -> dg.SensorResult:
        """Let the tracking sensor look, and do what it says about partitions, as the daemon does."""
        with self.sensor_context(self.cursor) as context:
            result = tracking_sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        for change in result.dynamic_partitions_requests or []:
            if isinstance(change, dg.AddDynamicPartitionsRequest):
                self.instance.add_dynamic_partitions(PARTITIONS, list(change.partition_keys))
            else:
                for key in change.partition_keys:
                    self.instance.delete_dynamic_partition(PARTITIONS, key)
        return result

    def publish_tick(self) -> dg.RunRequest | dg.SkipReason:
        """Let the publishing sensor look."""
        with self.sensor_context() as context:
            result = publish_sensor(context)
        assert isinstance(result, (dg.RunRequest, dg.SkipReason))
        return result

    def outside_tick(self) -> dg.SensorResult:
        """Let the sensor of what was done outside look, and record its events, as the daemon does."""
        with self.sensor_context(self.outside_cursor) as context:
            result = outside_activity_sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.outside_cursor = result.cursor
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
        return result

    def partitions(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions(PARTITIONS))

    def status(self, key: dg.AssetKey) -> dict[str, str]:
        """MATERIALIZED, FAILED or IN_PROGRESS for each partition that has a status, as the UI shows it."""
        with dg.partition_loading_context(dynamic_partitions_store=self.instance):
            found = self.instance.get_status_by_partition(key, self.partitions(), repository_partitions)
        return {k: v.value for k, v in (found or {}).items() if isinstance(v, dg.AssetPartitionStatus)}

    def metadata(self, key: dg.AssetKey, partition: str) -> dict[str, Any]:
        """The metadata of the newest materialization of a partition, as plain values."""
        return self._newest(self.instance.fetch_materializations, key, partition)

    def observed(self, key: dg.AssetKey, partition: str) -> dict[str, Any]:
        """What was last observed of a partition, as its page in the UI shows it."""
        return self._newest(self.instance.fetch_observations, key, partition)

    @staticmethod
    def _newest(
        fetch: Callable[..., dg.EventRecordsResult], key: dg.AssetKey, partition: str
    ) -> dict[str, Any]:
        (record,) = fetch(dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition]), limit=1).records
        event = record.asset_materialization or record.asset_observation
        assert event is not None
        return {label: value.value for label, value in event.metadata.items()}


def bulk_world() -> World:
    """Four repositories of six pull requests with two reviews each."""
    return generated_world(repositories=4, pull_requests=6, reviews_per_pr=2)


def lab_settings(github: Sandbox, folder: Path) -> Settings:
    """Those of a data folder in a folder, with a repositories file that tracks nothing."""
    file = folder / "repositories.yaml"
    file.write_text("repositories: []\n", encoding="utf-8")
    return load_settings(
        {
            "GITHUB_API_URL": github.url,
            "GITHUB_TOKEN": "sandbox-token",
            "PRPIPELINE_DATA_DIR": str(folder / "data"),
            "PRPIPELINE_REPOSITORIES": str(file),
        }
    )


@contextmanager
def dagster_lab(settings: Settings) -> Iterator[DagsterLab]:
    """With an empty warehouse, if there is none, and an instance in memory: its files take half a second."""
    new_warehouse(settings.data_dir)
    with dg.DagsterInstance.ephemeral() as instance:
        yield DagsterLab(Pipeline(settings), instance)


@contextmanager
def shared_lab(world: World | None = None) -> Iterator[tuple[DagsterLab, Sandbox]]:
    """For a module's tests that look at one result and change nothing of it."""
    with Sandbox(world or bulk_world()) as github, dagster_lab(lab_settings(github, new_folder())) as lab:
        yield lab, github


def failure_sentence(result: dg.ExecuteInProcessResult) -> str:
    """The message of the failed step, without a stack, as the run's page and terminals show it."""
    (event,) = result.filter_events(lambda event: event.is_step_failure)
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    assert event.step_failure_data.error_display_string.strip() == failure.description
    return str(failure.description)
