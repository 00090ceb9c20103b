"""What a piece of work takes: seconds, CPU seconds of this process, memory above what the imports take."""

from __future__ import annotations

import contextlib
import json
import resource
import time
from types import TracebackType
from typing import Any


class Measured:
    """Around the work; ``tell`` prints."""

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

    def tell(self, **more: Any) -> None:
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
    # ru_maxrss is handed down from the process that started us; Linux tells our own.
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
