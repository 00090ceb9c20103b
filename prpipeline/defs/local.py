"""The main job without a daemon: the same jobs as in the UI, run in this process and recorded in its instance."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import dagster as dg

from prpipeline.app.pipeline import Pipeline
from prpipeline.definitions import build_definitions
from prpipeline.defs.instance import COMMAND_LINE_TAG, command_line, end_orphans, open_instance
from prpipeline.defs.partitions import repository_partitions
from prpipeline.defs.retention import forget_old_runs
from prpipeline.defs.sensors import PUBLISHES_ITSELF_TAG
from prpipeline.sync import SyncOptions

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class LocalRun:
    """What became of a run of a job: ``problem`` is a sentence where it did not succeed, or a stack where none is known."""

    run_id: str
    problem: str | None
    is_unexpected: bool = False


class LocalDagster:
    """Runs jobs of the code location in this process. Close it, or use it in a ``with`` block."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._definitions = build_definitions(pipeline.settings, {"pipeline": pipeline})
        with ExitStack() as stack:
            self._instance = stack.enter_context(open_instance(pipeline.settings))
            end_orphans(self._instance)
            forget_old_runs(self._instance, timedelta(days=pipeline.settings.schedule.keep_runs_days))
            self._tags = {
                PUBLISHES_ITSELF_TAG: "command line",
                COMMAND_LINE_TAG: stack.enter_context(command_line(self._instance)),
                "dagster/max_retries": "0",  # whoever started it sees that it failed
            }
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: *tuple[Any, Any, Any]) -> bool | None:
        return self._stack.__exit__(*error)

    def match_partitions(self, tracked: Sequence[str]) -> None:
        """Make the partitions be the tracked repositories."""
        name = repository_partitions.name or ""
        have = set(self._instance.get_dynamic_partitions(name))
        self._instance.add_dynamic_partitions(name, [key for key in tracked if key not in have])
        for key in have - set(tracked):
            self._instance.delete_dynamic_partition(name, key)

    def sync(self, names: Sequence[str], options: SyncOptions) -> LocalRun:
        """Run the sync job over these repositories."""
        config = {
            "repositories": list(names),
            "full": options.full,
            "reconcile": options.reconcile,
            "days_back": options.days_back,
        }
        return self._run("sync", {"ops": {"repository_sync": {"config": config}}})

    def publish(self) -> LocalRun:
        """Run the publish job."""
        return self._run("publish", {})

    def _run(self, job: str, run_config: dict[str, object]) -> LocalRun:
        result = self._definitions.resolve_job_def(job).execute_in_process(
            run_config=run_config | _QUIET,
            instance=self._instance,
            tags=self._tags,
            raise_on_error=False,
        )
        return LocalRun(result.run_id, None) if result.success else _failed(result)


def _failed(result: dg.ExecuteInProcessResult) -> LocalRun:
    for event in result.filter_events(lambda event: event.is_step_failure):
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            return LocalRun(result.run_id, data.user_failure_data.description)
        if data.error:
            kinds = {data.error.cls_name, getattr(data.error.cause, "cls_name", "")}
            if kinds & {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}:
                raise KeyboardInterrupt  # Ctrl-C, or SIGTERM
            stack = (data.error.cause or data.error).to_string().rstrip()
            return LocalRun(result.run_id, f"Unexpected, please report it.\n{stack}", is_unexpected=True)
    return LocalRun(result.run_id, "The run failed; its log in the UI says why.")
