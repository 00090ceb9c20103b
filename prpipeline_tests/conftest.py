"""For all tests: where temporary files are, and how many random examples are tried."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import hypothesis
import pytest

from prpipeline_tests.support.folders import folders_removed

FEW, MANY = 3, 100  # random examples in `make test` and in `make test-slow`


def pytest_configure(config: pytest.Config) -> None:
    is_thorough = "or examples" in config.getoption("markexpr")
    hypothesis.settings.register_profile(
        "examples",
        max_examples=MANY if is_thorough else FEW,
        deadline=None,
        suppress_health_check=[
            hypothesis.HealthCheck.function_scoped_fixture,
            hypothesis.HealthCheck.too_slow,
        ],
    )
    hypothesis.settings.load_profile("examples")


@pytest.fixture(scope="session", autouse=True)
def temporary_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All temporary files in pytest's folder: ``make test`` keeps it in memory, and pytest removes it."""
    tempfile.tempdir = str(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module", autouse=True)
def folders_of_module() -> Iterator[None]:
    with folders_removed():
        yield


@pytest.fixture(autouse=True)
def folders_of_test() -> Iterator[None]:
    with folders_removed():
        yield
