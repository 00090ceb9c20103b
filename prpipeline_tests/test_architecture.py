"""The flow goes one way: what may import what, held against the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import prpipeline

ROOT = Path(prpipeline.__file__).parent

# What each part may import of ours, beside itself. A part is a package or a module right under prpipeline.
ALLOWED = {
    "repository": set(),
    "strict_yaml": set(),
    "settings": {"repository", "strict_yaml"},
    "dictionary": set(),
    "schedule_times": {"settings"},
    "explain": set(),
    "github": {"settings", "repository"},
    "metrics": {"settings", "repository"},
    "warehouse": {"github", "metrics", "dictionary", "repository", "settings"},
    "sync": {"github", "warehouse", "repository", "settings"},
    "report": {"dictionary"},
    "sandbox": set(),
    "roster": {"repository", "settings", "warehouse"},
    "pipeline": {
        "schedule_times",
        "roster",
        "github",
        "metrics",
        "report",
        "repository",
        "settings",
        "sync",
        "warehouse",
    },
}
CORE = set(ALLOWED)
ABOVE = {"defs", "definitions", "cli", "__main__", "screen", "tables", "console", "doctor", "demo", "facade"}


def modules() -> Iterator[tuple[str, Path]]:
    for file in sorted(ROOT.rglob("*.py")):
        inside = file.relative_to(ROOT)
        yield inside.parts[0].removesuffix(".py"), file


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: imports are absolute"
            yield node.module
            if node.module == "prpipeline":
                yield from (f"prpipeline.{alias.name}" for alias in node.names)


def parts_of_ours(file: Path) -> set[str]:
    names = (name.split(".") for name in imported(file))
    return {name[1] for name in names if name[0] == "prpipeline" and len(name) > 1} - {"__version__"}


def test_every_part_has_its_place() -> None:
    assert {part for part, _ in modules()} - {"__init__"} == CORE | ABOVE


@pytest.mark.parametrize("part", sorted(CORE))
def test_the_core_imports_only_what_is_upstream(part: str) -> None:
    for owner, file in modules():
        if owner == part:
            assert parts_of_ours(file) <= ALLOWED[part] | {part}, file


def test_the_core_does_not_know_dagster() -> None:
    for part, file in modules():
        if part in CORE:
            assert not any(name.split(".")[0] == "dagster" for name in imported(file)), file


def test_only_the_warehouse_imports_duckdb() -> None:
    for part, file in modules():
        if part != "warehouse":
            assert not any(name.split(".")[0] == "duckdb" for name in imported(file)), file


def test_files_with_dagster_decorators_keep_their_annotations() -> None:
    for part, file in modules():
        if part in {"defs", "definitions"}:
            assert "__future__" not in imported(file), file
