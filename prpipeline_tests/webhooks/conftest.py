"""For drains and syncs in one process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prpipeline_tests.support import stores


@pytest.fixture(autouse=True)
def attached() -> Iterator[None]:
    with stores.attached():
        yield
