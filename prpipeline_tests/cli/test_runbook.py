"""docs/when-things-go-wrong.md is true: its sentences are the product's, no kind is missing, each line is tested."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import yaml

from prpipeline.model.failures import FailureKind

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
PAGE = (ROOT / "docs" / "when-things-go-wrong.md").read_text(encoding="utf-8")


def table(heading: str, text: str = PAGE) -> list[str]:
    """The first cells of the tables under headings of this kind."""
    sections = re.split(r"^\| (?=[\w ]+ \|.*\n\|---)", text, flags=re.MULTILINE)
    found = [section for section in sections if section.startswith(f"{heading} |")]
    assert found, heading
    return [
        line.removeprefix("| ").partition(" | ")[0]
        for section in found
        for line in section.splitlines()[2:]
        if line.startswith("|")
    ]


def messages() -> Iterator[str]:
    """Every text in the product's code, with … for what is filled in."""
    files = set((ROOT / "prpipeline").rglob("*.py")) - set((ROOT / "prpipeline" / "sandbox").rglob("*.py"))
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "…" for p in node.values]
                yield "".join(map(str, parts))


def test_each_sentence_is_printed_by_the_product() -> None:
    said = list(messages())

    def is_said(cell: str) -> bool:
        pieces = [piece.strip() for piece in cell.strip("`").split("…") if piece.strip()]
        in_order = re.compile(".*".join(map(re.escape, pieces)), re.DOTALL)
        return any(pieces[0] in text and in_order.search(text) for text in said)

    assert [cell for cell in table("you see") if not is_said(cell)] == []


def test_each_kind_of_failure_has_a_line() -> None:
    named = [name for cell in table("kind") for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(named) == sorted(get_args(FailureKind))


def test_each_line_has_tests() -> None:
    tests = yaml.safe_load((TESTS / "runbook.yaml").read_text(encoding="utf-8"))
    assert list(tests) == [*table("you see"), *table("kind"), *table("what happens")]
    known = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {
        line: set(names) - known for line, names in tests.items() if not set(names) or set(names) - known
    } == {}
