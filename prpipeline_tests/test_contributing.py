"""CONTRIBUTING.md sends a newcomer to files that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACEHOLDERS = {"TABLE": "*", "QUERY": "*"}


def test_every_place_to_change_something_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where do I change …")[2]
    places = [place for place in re.findall(r"`([\w./*]+)`", table) if "/" in place]
    assert len(places) > 20
    for place in places:
        pattern = place.removeprefix("prpipeline/").rstrip("/")
        for word, star in PLACEHOLDERS.items():
            pattern = pattern.replace(word, star)
        assert list((ROOT / "prpipeline").glob(pattern)), place
