"""DAGSTER_HOME: which folder it is, and its dagster.yaml. Imports no Dagster."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from uuid import uuid4

from prpipeline.settings import ConfigurationError, Settings, place, project_root

# SQLite's longest path is 512 bytes, of which Dagster takes 53 for a run's records and SQLite 8 for its journal.
_LONGEST_HOME = 512 - 53 - 8
# The longest path of a Unix socket is 107 bytes, on macOS 103; multiprocessing takes 32 of them, Dagster 12.
_LONGEST_SOCKET_FOLDER = 103 - 32
_SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - where the system has them, as tempfile does

# For a folder that has no configuration yet; the checkout's dagster.yaml gives the reasons.
DEFAULTS = """\
telemetry: {enabled: false}
nux: {enabled: false}
concurrency: {runs: {max_concurrent_runs: 2}}
run_monitoring:
  {enabled: true, start_timeout_seconds: 180, max_runtime_seconds: 86400, poll_interval_seconds: 15}
run_retries: {enabled: true, max_retries: 2, retry_on_asset_or_op_failure: false}
python_logs: {managed_python_loggers: [prpipeline], python_log_level: INFO}
"""


def home(settings: Settings) -> Path:
    """The folder, made and configured if it is new: DAGSTER_HOME, else the checkout, else one in the data folder.

    Raises ConfigurationError where it cannot be written to, or has too long a path.
    """
    chosen = os.environ.get("DAGSTER_HOME", "").strip()
    if chosen:
        folder = place("DAGSTER_HOME", chosen)
    elif (project_root() / "dagster.yaml").is_file():
        folder = project_root()
    else:
        folder = settings.data_dir / ".dagster"
    if len(os.fsencode(folder)) > _LONGEST_HOME:
        raise ConfigurationError(
            f"Dagster's folder {folder} has a path of more than {_LONGEST_HOME} bytes, too long for the databases in it; set "
            "DAGSTER_HOME to a shorter one."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _configure(folder / "dagster.yaml")
    except OSError as error:
        raise unwritable(folder, error.strerror) from None
    return folder


def unwritable(folder: Path, why: object) -> ConfigurationError:
    """The error for a folder in which Dagster cannot keep its records."""
    return ConfigurationError(
        f"Dagster's folder {folder} cannot be written to ({why}); correct that, or set DAGSTER_HOME to another one."
    )


def socket_folder() -> Path:
    """Where Dagster's processes are to put their sockets: the folder for temporary files, or one with a shorter path.

    Raises ConfigurationError where no such folder can be written to.
    """
    try:
        usual = [tempfile.gettempdir()]  # TMPDIR, unless it cannot be written to
    except FileNotFoundError:
        usual = []
    for folder in (*usual, *_SHORT_FOLDERS):
        if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    raise ConfigurationError(
        f"Dagster needs a folder for its sockets that can be written to and has a path of at most {_LONGEST_SOCKET_FOLDER} "
        "bytes; set TMPDIR to one."
    )


def _configure(file: Path) -> None:
    if not file.exists():
        # Under another name first: a full disk would leave half of it, which the next start would take for all.
        whole = file.with_name(f".{uuid4().hex}.yaml")
        try:
            whole.write_text(DEFAULTS, encoding="utf-8")
            whole.replace(file)
        finally:
            whole.unlink(missing_ok=True)
