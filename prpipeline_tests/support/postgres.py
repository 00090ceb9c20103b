"""A Postgres of the tests' own, where the system has its programs: started once, a database for each test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_USERS = ("postgres", "nobody")
"""Who runs it where the tests run as root: Postgres refuses to."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server. ``user`` may do everything, on any address of this machine, with any password."""

    host: str
    port: int
    programs: Path
    control: Callable[[str], None]
    user: str = "prpipeline"

    def new_database(self) -> str:
        """The name of an empty database."""
        name = f"db_{uuid.uuid4().hex[:12]}"
        self.run("createdb", name)
        return name

    def stop(self) -> None:
        """End it, and every session with it, at once."""
        self.control("stop")

    def start(self) -> None:
        self.control("start")

    def restart(self) -> None:
        self.stop()
        self.start()

    def run(self, program: str, *arguments: str) -> str:
        """Run one of Postgres's programs; its standard output."""
        where = ["-h", self.host, "-p", str(self.port), "-U", self.user]
        done = subprocess.run(
            [str(self.programs / program), *where, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def running() -> Iterator[Postgres]:
    """Start one in a folder of its own. Skips the test where there is none to start."""
    programs = _programs()
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="prpipeline-postgres-", dir="/tmp"))
    if user:
        shutil.chown(folder, user.pw_uid, user.pw_gid)

    def call(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(programs / program), *arguments],
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C", "HOME": str(folder)},
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    data, log = str(folder / "data"), str(folder / "log")
    made = call("initdb", "-D", data, "-U", "prpipeline", "-A", "trust", "-E", "UTF8", "--no-sync")
    assert made.returncode == 0, made.stdout
    port = _free_port()
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"

    def control(action: str) -> None:
        how = ["-l", log, "-o", options] if action == "start" else ["-m", "fast"]
        done = call("pg_ctl", "-D", data, "-w", *how, action)
        assert done.returncode == 0, done.stdout

    try:
        control("start")
        yield Postgres("127.0.0.1", port, programs, control)
    finally:
        call("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = shutil.which("pg_ctl")
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path(found or "/").parent]
    for folder in folders:
        if all((folder / program).exists() for program in ("initdb", "pg_ctl", "createdb", "psql")):
            return folder
    pytest.skip("no Postgres here: install postgresql")


def _user() -> pwd.struct_passwd | None:
    if os.geteuid():
        return None
    for name in _USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("no user here that Postgres could run as")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
