"""A terminal without a screen, for programs that draw in one."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path


class Terminal:
    """A program's terminal: what it draws, and the keys sent to it."""

    def __init__(self, side: int, process: subprocess.Popen[bytes]) -> None:
        self._side = side
        self._process = process
        self._seen = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Read on until the program has drawn this."""
        deadline = time.monotonic() + seconds
        while text.encode() not in self._seen:
            assert time.monotonic() < deadline, f"{text!r} did not appear: {self._seen[-500:]!r}"
            if select.select([self._side], [], [], 1)[0]:
                self._seen += os.read(self._side, 65536)

    @property
    def seen(self) -> str:
        """Everything drawn so far, with the control codes."""
        return self._seen.decode(errors="replace")

    def paste(self, text: str) -> None:
        os.write(self._side, f"\x1b[200~{text}\x1b[201~".encode())

    def press(self, key: str) -> None:
        """A letter with the control key."""
        os.write(self._side, bytes([ord(key.upper()) - 64]))

    def ended(self) -> int:
        """Wait for the program's end; returns its exit code."""
        while select.select([self._side], [], [], 0.2)[0] or self._process.poll() is None:
            try:
                self._seen += os.read(self._side, 65536)
            except OSError:  # its side is closed
                break
        return self._process.wait(60)


@contextmanager
def terminal(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """The program in a terminal of 140 columns; it ends with the block."""
    side, its_side = pty.openpty()
    termios.tcsetwinsize(side, (40, 140))
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**environment, "TERM": "xterm-256color"},
        stdin=its_side,
        stdout=its_side,
        stderr=its_side,
        start_new_session=True,
        preexec_fn=partial(fcntl.ioctl, its_side, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches all of them
    )
    os.close(its_side)
    try:
        yield Terminal(side, process)
    finally:
        process.kill()
        process.wait()
        os.close(side)
