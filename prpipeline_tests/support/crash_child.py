"""Runs the pipeline without Dagster, once for each line it is given, and says what it is at.

Each run is a process of its own, forked when everything is imported: so it can be killed often.
"""

from __future__ import annotations

import os
import sys
import traceback

from prpipeline.app.pipeline import Pipeline
from prpipeline.settings import Settings, load_settings
from prpipeline.sync import SyncOptions


def run(settings: Settings) -> None:
    pipeline = Pipeline(settings)
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
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                run(settings)
                code = 0
            except BaseException:  # noqa: BLE001 - the test sees the exit code, a person the rest
                traceback.print_exc()
            finally:
                os._exit(code)
        say(f"pid {pid}")
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


if __name__ == "__main__":
    main()
