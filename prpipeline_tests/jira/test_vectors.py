"""vectors.yaml names the tests of everything that Jira may do: each group has some, and each of them exists."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

HERE = Path(__file__).parent


def test_each_group_has_tests() -> None:
    groups = yaml.safe_load((HERE / "vectors.yaml").read_text(encoding="utf-8"))
    known = {
        name
        for path in HERE.parent.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {group: tests for group, tests in groups.items() if not tests or set(tests) - known} == {}
