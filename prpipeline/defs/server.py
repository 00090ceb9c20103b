"""Dagster's UI and daemon as processes of ours, on this machine only."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from types import FrameType

from dagster._daemon.auto_run_reexecution import event_log_consumer

from prpipeline.defs.instance import home, open_instance
from prpipeline.settings import Settings, project_root

# We know that Dagster would rather be started by a command of a package that we can do without.
_KNOWN_WARNING = "ignore:Function `dev_command` is superseded"


def run(port: int, settings: Settings) -> int:
    """Run until it ends or is interrupted; returns its exit code."""
    folder = home(settings)
    start_counting(settings)
    workspace = project_root() / "workspace.yaml"
    where = ["-w", str(workspace)] if workspace.is_file() else ["-m", "prpipeline.definitions"]
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)]
    print("Starting Dagster …", flush=True)  # noqa: T201
    # A shell script's background jobs ignore it, and what they start inherits that: Dagster would never end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
        [*command, "--log-level", "warning", *where],
        cwd=folder,  # dagster.yaml's paths are relative to it
        env=os.environ | {"DAGSTER_HOME": str(folder), "PYTHONWARNINGS": _KNOWN_WARNING},
    )

    def forward(number: int, frame: FrameType | None) -> None:
        process.send_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to both of us
    threading.Thread(target=_announce, args=[port, process], daemon=True).start()
    return process.wait()


def _announce(port: int, process: subprocess.Popen[bytes]) -> None:
    """Say where the UI is as soon as it is there."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.3)
        else:
            print(f"Dagster's UI: http://127.0.0.1:{port}  (Ctrl-C ends it)", flush=True)  # noqa: T201
            return


def start_counting(settings: Settings) -> None:
    """Let a new instance's daemon begin at the first event: it warns where nobody said where to begin."""
    with open_instance(settings) as instance:
        keys = {event_log_consumer._create_cursor_key(t) for t in event_log_consumer.DAGSTER_EVENT_TYPES}
        storage = instance.daemon_cursor_storage
        missing = keys - storage.get_cursor_values(keys).keys()
        if missing:
            newest = str(instance.event_log_storage.get_maximum_record_id() or 0)
            storage.set_cursor_values(dict.fromkeys(missing, newest))
