"""Dagster's instance as the command line uses it: the one that ``make dev`` shows."""

import os
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from prpipeline.settings import Settings, project_root

# For a DAGSTER_HOME that has no configuration yet; the checkout's dagster.yaml says why for each.
_DEFAULTS = """\
telemetry: {enabled: false}
nux: {enabled: false}
concurrency: {runs: {max_concurrent_runs: 2}, pools: {granularity: op, default_limit: 1}}
run_monitoring: {enabled: true, start_timeout_seconds: 180, max_runtime_seconds: 86400}
run_retries: {enabled: true, max_retries: 2, retry_on_asset_or_op_failure: false}
python_logs: {managed_python_loggers: [prpipeline], python_log_level: INFO}
"""

PID_TAG = "prpipeline/pid"


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance of DAGSTER_HOME; else the checkout's; without a checkout, one in the data folder."""
    home = os.environ.get("DAGSTER_HOME", "").strip()
    if home:
        folder = Path(home).expanduser().absolute()
    elif (project_root() / "dagster.yaml").is_file():
        folder = project_root()
    else:
        folder = settings.data_dir / ".dagster"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "dagster.yaml").exists():
        (folder / "dagster.yaml").write_text(_DEFAULTS, encoding="utf-8")
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(folder), overrides=_absolute(folder)))


def end_orphans(instance: dg.DagsterInstance) -> None:
    """Runs of command lines that were killed would else hold their places in the pools for ever."""
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        pid = run.tags.get(PID_TAG)
        if pid and not _is_alive(int(pid)):
            instance.report_run_failed(run, "The command line that ran this was killed.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _absolute(folder: Path) -> dict[str, object]:
    """dagster.yaml's folders are relative to where Dagster is started; the command line runs anywhere."""
    if not (folder / "workspace.yaml").is_file():
        return {}
    state = folder / ".dagster"
    return {
        "storage": {"sqlite": {"base_dir": str(state / "storage")}},
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(state)},
        },
        "compute_logs": {
            "module": "dagster._core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": str(state / "logs")},
        },
    }
