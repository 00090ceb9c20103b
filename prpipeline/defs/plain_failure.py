"""What failed and why, in sentences: by itself Dagster shows a stack of its own frames and ours below each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

from prpipeline.model.failures import ApiFailure
from prpipeline.settings import ConfigurationError
from prpipeline.warehouse import WarehouseError


class PlainFailure(DagsterUserCodeProcessError, dg.Failure):
    """A failure that shows as its sentence and nothing else, in the UI and on terminals."""

    def __init__(self, sentence: str, metadata: Mapping[str, dg.MetadataValue] | None = None) -> None:
        # Dagster takes these errors' description from here, not from their traceback.
        shown = SerializableErrorInfo(sentence, stack=[], cls_name=None)
        super().__init__(  # type: ignore[no-untyped-call]
            sentence, metadata=metadata, allow_retries=False, user_code_process_error_infos=[shown]
        )


@contextmanager
def plainly() -> Iterator[None]:
    """What we know how to say in a sentence shows as that; what we do not know keeps its stack."""
    try:
        yield
    except (ConfigurationError, ApiFailure, WarehouseError) as error:
        raise PlainFailure(str(error)) from None
