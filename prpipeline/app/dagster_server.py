"""Dagster's UI and daemon as a child process, on this machine only. Imports no Dagster."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from prpipeline.app.dagster_home import home, socket_folder, unwritable
from prpipeline.settings import ConfigurationError, Settings, project_root

# Dagster recommends its command dg, which is another package.
_KNOWN_WARNING = "ignore:Function `dev_command` is superseded"
# Dagster's daemon logs it at every first start, of records that are only just made.
_KNOWN_LOG = b"No cursor for event type"
_DAGSTER = [sys.executable, "-m", "dagster"]
_SECONDS_TO_END = 3


def run(port: int, settings: Settings) -> int:
    """Run until it ends or is interrupted; returns its exit code. Raises ConfigurationError."""
    folder = home(settings)
    print("Starting Dagster …", flush=True)  # noqa: T201
    # The background jobs of a shell script ignore SIGINT, and a child inherits that: Dagster would never end.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    environment = os.environ | {
        "DAGSTER_HOME": str(folder),
        "PYTHONWARNINGS": _KNOWN_WARNING,
        "TMPDIR": str(socket_folder()),
        # A letter that the output cannot show is no reason to lose the line of the log.
        "PYTHONIOENCODING": f"{sys.stdout.encoding}:backslashreplace",
    }
    _prepare(folder, environment)
    checkout = project_root() / "workspace.yaml"
    # Both give the code location the same name, under which Dagster keeps its records of sensors and schedules.
    workspace = checkout if checkout.is_file() else Path(__file__).with_name("workspace.yaml")
    location = ["-w", str(workspace)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
        [*_DAGSTER, "dev", "-h", "127.0.0.1", "-p", str(port), "--log-level", "warning", *location],
        cwd=folder,  # dagster.yaml's paths are relative to it
        env=environment,
        start_new_session=True,  # a group of its own, to be ended as a whole
        stdout=subprocess.PIPE,  # where its daemon logs to
    )
    threading.Thread(target=_announce, args=[port, process], daemon=True).start()
    assert process.stdout is not None
    relay = threading.Thread(target=_relay, args=[process.stdout], daemon=True)
    relay.start()
    try:
        return process.wait()
    except KeyboardInterrupt:
        print("\nEnding Dagster …", flush=True)  # noqa: T201
        _interrupt(process)
        return 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        relay.join(timeout=1)  # a process that outlived it may keep the pipe open


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """Interrupt all of Dagster's processes, runs too, as a terminal does, and give them a moment to end.

    Dagster by itself takes ten seconds and more. Whatever is killed after the moment has nothing to lose: syncs write in
    transactions, and so does Dagster.
    """
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        deadline = time.monotonic() + _SECONDS_TO_END
        while time.monotonic() < deadline:
            process.poll()  # lest the ended process count as one of the group
            os.killpg(process.pid, 0)
            time.sleep(0.1)


def _prepare(folder: Path, environment: dict[str, str]) -> None:
    """Let one process create Dagster's records before several use them. Raises ConfigurationError where it cannot."""
    ended = subprocess.run(  # noqa: S603 - our own interpreter, fixed arguments
        [*_DAGSTER, "instance", "info"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise _problem(folder, ended.stderr)


def _problem(folder: Path, stack: str) -> ConfigurationError:
    """The exception at the end of a stack as a sentence."""
    raised = re.findall(r"^([\w.]+): (.*(?:\n.*)?)", stack, re.MULTILINE)
    kind, said = raised[-1] if raised else ("", stack.strip() or "no reason given")
    if "postgres" in stack and (problem := _postgres_problem(stack)):
        return ConfigurationError(f"{folder / 'dagster.yaml'}: {problem}")
    if "sqlite3" in stack or kind.endswith(("OSError", "PermissionError")):
        return unwritable(folder, re.sub(r"^\(sqlite3\.\w+\) ", "", said.splitlines()[0]))
    said = said.removeprefix("Failure condition: ")
    first = re.search(r"Error 1: (.*?)(?:\. |\n|$)", said)  # of several errors Dagster makes a long list
    why = first[1] if first else said.splitlines()[0]
    return ConfigurationError(f"{folder / 'dagster.yaml'} is not valid: {why[:200].rstrip('. ')}.")


def _postgres_problem(stack: str) -> str | None:
    """What is wrong where dagster.yaml puts Dagster's records into Postgres; None where that is not known."""
    if "No module named 'psycopg'" in stack:
        return "SQLAlchemy takes plain postgresql for another driver than dagster-postgres brings; write scheme: postgresql+psycopg2."
    if "No module named 'dagster_postgres'" in stack:
        return "Dagster's Postgres is not installed; install prpipeline[postgres]."
    if said := re.search(r"OperationalError[^\n]*?((?:connection|could not)[^\n]*)", stack):
        return f"Dagster's Postgres cannot be reached ({said[1].strip()}); start it, or correct its address."
    return None


def _relay(log: IO[bytes]) -> None:
    """Show Dagster's log but for what is known."""
    for line in log:
        if _KNOWN_LOG not in line:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def _announce(port: int, process: subprocess.Popen[bytes]) -> None:
    """Print the UI's address as soon as it answers."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.3)
        else:
            print(f"Dagster's UI: http://127.0.0.1:{port}/asset-groups  (Ctrl-C ends it)", flush=True)  # noqa: T201
            return
