"""The tests of a file's warehouse, once more on a lake, in an environment with the DuckDB that a lake takes; and its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from prpipeline_tests.support import bi_environments

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

TESTS = Path(__file__).parents[1]
SHARED = (
    *(f"sync/{name.name}" for name in sorted((TESTS / "sync").glob("test_*.py"))),
    "metrics/test_tables.py",
    "metrics/test_aggregates.py",
    "metrics/test_teams.py",
    "metrics/test_issues.py",
    "metrics/test_issue_links.py",
    "metrics/test_issue_properties.py",
    "jira/test_deletion.py",
    "publish/test_publish.py",
)
WHOLE = ("sync/test_always_equal.py",)  # has slow tests alone
OWN = tuple(f"lake/{name.name}" for name in sorted((TESTS / "lake").glob("test_*.py")))


@pytest.fixture(scope="module")
def python() -> str:
    return bi_environments.lake().python


@pytest.mark.parametrize("file", [*SHARED, *OWN])
def test_on_a_lake(file: str, python: str, tmp_path: Path) -> None:
    chosen = "" if file in (*OWN, *WHOLE) else "not slow"
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", chosen, str(TESTS / file)],
        cwd=TESTS.parent,
        env=os.environ | {"PRPIPELINE_TEST_STORE": "lake", "PYTEST_DEBUG_TEMPROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout or "." in done.stdout.splitlines()[0], "tests ran, and were not skipped"
