"""For all tests: where temporary files are, and how many random examples are tried."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from typing import Any

import duckdb
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
    if not is_thorough:
        duckdb.connect = functools.partial(_connect_with_one_thread, duckdb.connect)


def _connect_with_one_thread(
    connect: Any, database: Any = ":memory:", read_only: bool = False, config: dict[str, Any] | None = None
) -> duckdb.DuckDBPyConnection:
    """``make test`` keeps all processors busy with tests, so that more threads of DuckDB would only wait for each other.

    ``make test-slow`` and commands in processes of their own run with as many as users have.
    """
    return connect(database, read_only=read_only, config={"threads": 1} | (config or {}))  # type: ignore[no-any-return]


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
