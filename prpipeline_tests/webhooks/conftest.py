"""For drains and syncs in one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline_tests.support import stores
from prpipeline_tests.support.delivery_lab import DeliveryLab, delivery_lab


@pytest.fixture(autouse=True)
def attached() -> Iterator[None]:
    with stores.attached():
        yield


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[DeliveryLab]:
    with delivery_lab(tmp_path) as lab:
        yield lab
