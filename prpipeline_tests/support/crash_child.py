"""Runs the pipeline without Dagster, once for each line of its input, and prints what it is doing.

The line is the number of the commit after which the run kills itself, or with a minus before which; 0 for none.
The argument is the number of rows that a transaction should write.

Each run is a process forked after all imports, so that many runs can be started and killed quickly.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from prpipeline.app.pipeline import Pipeline
from prpipeline.settings import Settings, load_settings
from prpipeline.sync import SyncOptions
from prpipeline.warehouse import Warehouse


class DyingWarehouse(Warehouse):
    """Kills its process right after its nth commit; before its nth for -n."""

    def __init__(self, path: Path, last_commit: int) -> None:
        super().__init__(path)
        self.store.batch_rows = int(sys.argv[1])  # type: ignore[misc]
        self._last, self._commits = last_commit, 0

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with super().transaction() as connection:
            yield connection
            self._commits += 1
            if self._commits == -self._last:
                os.kill(os.getpid(), signal.SIGKILL)
        if self._commits == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def run(settings: Settings, last_commit: int) -> None:
    pipeline = Pipeline(settings)
    pipeline.warehouse = DyingWarehouse(settings.warehouse_path, last_commit)
    names = pipeline.tracking.tracked()
    for result in pipeline.sync(names, SyncOptions()):
        assert not result.failed, result.error
    say("derive")
    pipeline.derive(names)
    pipeline.aggregate()
    say("publish")
    pipeline.publish()


def say(word: object) -> None:
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


def main() -> None:
    settings = load_settings()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                run(settings, int(line))
                code = 0
            except BaseException:  # noqa: BLE001 - the test sees the exit code, a person the rest
                traceback.print_exc()
            finally:
                os._exit(code)
        say(f"pid {pid}")
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


if __name__ == "__main__":
    main()
