"""What steps write to standard output and error, on the command line: into the run's files, and no helper processes.

Dagster's own way mirrors it to the terminal by two processes for each stream: a Ctrl-C reaches them as well, and they
die with stacks of their own above our sentence. What a person shall see, ``SyncProgress`` shows.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.local_compute_log_manager import IO_TYPE_EXTENSION, LocalComputeLogManager
from dagster._serdes import ConfigurableClassData
from dagster._utils import ensure_file, touch_file


class FilesOnly(LocalComputeLogManager):
    """The files that LocalComputeLogManager writes, and the UI reads."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        out, err = (
            self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[kind])
            for kind in (ComputeIOType.STDOUT, ComputeIOType.STDERR)
        )
        ensure_file(out)
        ensure_file(err)
        with redirect_to_file(sys.stdout, out), redirect_to_file(sys.stderr, err):
            yield CapturedLogContext(log_key)
        touch_file(self.complete_artifact_path(log_key))  # type: ignore[no-untyped-call]


def without_helpers(ref: InstanceRef) -> InstanceRef:
    """The instance with FilesOnly in LocalComputeLogManager's place; any other that somebody configured stays."""
    configured = ref.compute_logs_data
    if configured.class_name != LocalComputeLogManager.__name__:
        return ref
    ours = ConfigurableClassData(__name__, FilesOnly.__name__, configured.config_yaml)
    return ref._replace(compute_logs_data=ours)
