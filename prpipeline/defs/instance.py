"""Dagster's instance: the same one for the command line and for ``make dev``, and what a killed process leaves in it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import dagster as dg
import yaml
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.migration import ASSET_DATA_MIGRATIONS, EVENT_LOG_DATA_MIGRATIONS
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster_shared.check import CheckError
from filelock import FileLock, Timeout
from sqlalchemy.exc import DBAPIError

from prpipeline.app.dagster_home import home, unwritable
from prpipeline.defs.output import without_helpers
from prpipeline.settings import ConfigurationError, Settings

# Names the lock that the command line which runs this run holds for as long as it lives.
COMMAND_LINE_TAG = ".dagster/prpipeline_command_line"  # so prefixed, the UI does not show it

_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance that ``make dev`` shows, from wherever it is opened.

    Raises ConfigurationError where its records cannot be kept, then or later: a full disk, a read-only one.
    """
    folder = home(settings)
    try:
        with _configured(folder) as instance:
            yield instance
    except DBAPIError as error:
        raise unwritable(folder, error.orig) from None


def _configured(folder: Path) -> dg.DagsterInstance:
    """As the folder's dagster.yaml says. Raises ConfigurationError where that cannot be done."""
    try:
        ref = without_helpers(InstanceRef.from_dir(str(folder), overrides=_absolute(folder)))
        # One at a time: what another one is making looks half made.
        root = Path(ref.local_artifact_storage_data.config_dict["base_dir"])
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / "opening.lock"):
            instance = dg.DagsterInstance.from_ref(ref)
            if _is_half_made(instance):
                index = Path(instance.event_log_storage.path_for_shard(INDEX_SHARD_NAME))  # type: ignore[attr-defined]
                instance.dispose()
                for file in index.parent.glob(f"{index.name}*"):  # with its journal
                    file.unlink()
                instance = dg.DagsterInstance.from_ref(ref)
            _ = instance.compute_log_manager  # which Dagster reads in the middle of a run
            return instance
    except OSError as error:
        raise unwritable(folder, error.strerror) from None
    except (yaml.YAMLError, UnicodeDecodeError, dg.DagsterInvalidConfigError, CheckError) as error:
        said = str(error).removeprefix("Failure condition: ")
        # Of several errors Dagster makes a long list.
        first = re.search(r"Error 1: (.*?)(?:\. |\n|$)", said)
        why = first[1] if first else said.splitlines()[0]
        raise ConfigurationError(
            f"{folder / 'dagster.yaml'} is not valid: {why[:200].rstrip('. ')}."
        ) from None


def _is_half_made(instance: dg.DagsterInstance) -> bool:
    """Whether somebody was killed while Dagster made its records, which it never takes up again; nothing is in them."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage) or instance.get_runs_count():
        return False
    steps = [*EVENT_LOG_DATA_MIGRATIONS, *ASSET_DATA_MIGRATIONS]
    return not (storage.has_table("secondary_indexes") and all(map(storage.has_secondary_index, steps)))


@contextmanager
def command_line(instance: dg.DagsterInstance) -> Iterator[str]:
    """The value of COMMAND_LINE_TAG by which this process's runs show that somebody still works on them."""
    name = uuid4().hex
    root = Path(instance.root_directory)
    with _lock(root, name):
        yield name
    _lock_file(root, name).unlink(missing_ok=True)


def end_orphans(instance: dg.DagsterInstance) -> list[str]:
    """End the runs of command lines that were killed: they would hold their places in the pools for ever."""
    ended = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        name = run.tags.get(COMMAND_LINE_TAG)
        if name and not _is_alive(instance, name):
            instance.report_run_failed(run, "The command line that ran this was killed.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            ended.append(run.run_id)
    return ended


def _is_alive(instance: dg.DagsterInstance, name: str) -> bool:
    root = Path(instance.root_directory)
    # A lock rather than a process number: numbers are given again, and Windows cannot ask for them.
    try:
        with _lock(root, name).acquire(timeout=0):
            pass
    except Timeout:
        return True
    _lock_file(root, name).unlink(missing_ok=True)
    return False


def _lock(root: Path, name: str) -> FileLock:
    file = _lock_file(root, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(file, thread_local=False)


def _lock_file(root: Path, name: str) -> Path:
    return root / "command_lines" / f"{name}.lock"


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
