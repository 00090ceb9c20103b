"""Dagster's UI and daemon as processes of ours, on this machine only."""

import os
import signal
import subprocess
import sys
from types import FrameType

from prpipeline.settings import project_root

# We know that Dagster would rather be started by a command of a package that we can do without.
_KNOWN_WARNING = "ignore:Function `dev_command` is superseded"


def run(port: int) -> int:
    """Run until it ends or is interrupted; returns its exit code."""
    root = project_root()
    home = os.environ.setdefault("DAGSTER_HOME", str(root))
    os.makedirs(home, exist_ok=True)
    where = (
        ["-w", str(root / "workspace.yaml")]
        if (root / "workspace.yaml").is_file()
        else ["-m", "prpipeline.definitions"]
    )
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port), *where]
    print(f"Dagster's UI: http://127.0.0.1:{port}  (Ctrl-C ends it)", flush=True)  # noqa: T201
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
        command, cwd=root, env=os.environ | {"PYTHONWARNINGS": _KNOWN_WARNING}
    )

    def forward(number: int, frame: FrameType | None) -> None:
        process.send_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to both of us
    return process.wait()
