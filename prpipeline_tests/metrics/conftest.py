"""For tests of the SQL alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline_tests.support.metrics_lab import MetricsLab


@pytest.fixture
def lab() -> Iterator[MetricsLab]:
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    yield lab
    lab.connection.close()


@pytest.fixture(scope="session")
def recording() -> Path:
    """The recording of a real repository, which is no part of the project."""
    shared = Path(os.environ.get("PRPIPELINE_SHARED") or Path(__file__).parents[3] / "shared")
    folder = shared / "data" / "secp256k1"
    if not folder.is_dir():
        pytest.skip("no recording here: set PRPIPELINE_SHARED to the folder that holds data/")
    return folder
