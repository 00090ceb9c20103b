"""Failures that show as one sentence. dg.Failure always shows a stack of Dagster's frames and ours below its sentence."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

# No public API leaves the stack out. test_private_api.py fails where these change.
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

from prpipeline.app.types import ApiFailure, ConfigurationError, WarehouseError

# Failures whose message is a sentence for people.
SAID_PLAINLY = (ConfigurationError, ApiFailure, WarehouseError)


class PlainFailure(DagsterUserCodeProcessError, dg.Failure):
    """A failure that shows as its sentence and nothing else, in the UI and on terminals."""

    def __init__(self, sentence: str, metadata: Mapping[str, dg.MetadataValue] | None = None) -> None:
        # Dagster shows these errors by this description instead of their traceback.
        shown = SerializableErrorInfo(sentence, stack=[], cls_name=None)
        super().__init__(  # type: ignore[no-untyped-call]
            sentence, metadata=metadata, allow_retries=False, user_code_process_error_infos=[shown]
        )


@contextmanager
def plainly() -> Iterator[None]:
    """SAID_PLAINLY show as their sentence; all others keep their stack."""
    try:
        yield
    except SAID_PLAINLY as error:
        raise PlainFailure(str(error)) from None
