"""Measures a block: seconds, CPU seconds of this process, and megabytes above those of the imports."""

from __future__ import annotations

import contextlib
import json
import resource
import time
from types import TracebackType
from typing import Any


class Measured:
    """Context manager around the work; ``report`` prints the results as JSON, with more values if given."""

    def __enter__(self) -> Measured:
        self.memory_before = _peak_mb()
        self.started, self.cpu_started = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self.started
        self.cpu = time.process_time() - self.cpu_started
        self.memory = _peak_mb() - self.memory_before

    def report(self, **more: Any) -> None:
        print(
            json.dumps(
                {
                    "seconds": self.seconds,
                    "cpu": self.cpu,
                    "memory": self.memory,
                    "peak": self.memory_before + self.memory,
                    **more,
                }
            )
        )


def _peak_mb() -> float:
    # ru_maxrss is inherited from the parent process; on Linux there is a figure for this process alone.
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
