"""docs/bi.md as the tests read it: what to install, and what to run."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A block that is marked ``client=``; with ``file=`` it is a file's content."""

    client: str
    file: str | None
    code: str
    section: str


def _parsed() -> list[Recipe]:
    return [
        Recipe(client, file or None, code, section)
        for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
        for client, file, code in re.findall(
            r"^```\w+ client=(\w+)(?: file=(\S+))?\n(.*?)^```$", section, re.MULTILINE | re.DOTALL
        )
    ]


RECIPES = _parsed()


def recipes(client: str) -> list[Recipe]:
    found = [recipe for recipe in RECIPES if recipe.client == client]
    assert found, f"docs/bi.md has no recipe for {client}"
    return found


def recipe(client: str) -> str:
    """The code of the only block without a file."""
    (code,) = [recipe.code for recipe in recipes(client) if recipe.file is None]
    return code


def requirements(client: str) -> tuple[str, ...]:
    """What the first ``pip install`` of the client's section installs."""
    line = re.search(r"`pip install ([^`]+)`", recipes(client)[0].section)
    assert line, f"docs/bi.md does not say what to install for {client}"
    return tuple(shlex.split(line[1]))


def write_files(client: str, folder: Path) -> None:
    """Lay out the files that the page shows."""
    for recipe in recipes(client):
        if recipe.file is not None:
            target = folder / recipe.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(recipe.code, encoding="utf-8")
