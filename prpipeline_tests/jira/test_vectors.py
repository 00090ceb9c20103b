"""vectors.yaml names the tests of everything that Jira may do, origin.yaml those of all that an earlier tool did: they exist."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

HERE = Path(__file__).parent
QUESTIONS = HERE.parents[1] / "docs" / "questions" / "jira"


def known_tests() -> set[str]:
    return {
        name
        for path in HERE.parent.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def test_each_group_has_tests() -> None:
    groups = yaml.safe_load((HERE / "vectors.yaml").read_text(encoding="utf-8"))
    known = known_tests()
    assert {group: tests for group, tests in groups.items() if not tests or set(tests) - known} == {}


def test_each_behaviour_of_the_origin_has_tests_or_a_reason() -> None:
    groups = yaml.safe_load((HERE / "origin.yaml").read_text(encoding="utf-8"))
    known = known_tests() | {file.name for file in QUESTIONS.glob("*.sql")}
    wrong = {}
    for behaviour, entry in ((b, e) for group in groups.values() for b, e in group.items()):
        shown = {*entry.get("tests", ()), *entry.get("questions", ())}
        reason = entry.get("because", "")
        is_said = bool(shown) or len(reason.split()) > 5
        if not is_said or shown - known or entry.keys() - {"tests", "questions", "because"}:
            wrong[behaviour] = shown - known
    assert wrong == {}
    defects = groups["defects that are not shared"]
    assert [defect for defect, entry in defects.items() if not entry.get("tests")] == []
