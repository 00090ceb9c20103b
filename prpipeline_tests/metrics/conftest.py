"""For tests of the SQL alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline_tests.support.metrics_lab import MetricsLab
from prpipeline_tests.support.shared_data import shared_data


@pytest.fixture
def lab() -> Iterator[MetricsLab]:
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    yield lab
    lab.connection.close()


@pytest.fixture(scope="session")
def recording() -> Path:
    """The recording of a real repository."""
    return shared_data("secp256k1")
