"""How numbers and other people's words stand in a message."""

from __future__ import annotations

import re

# Words that call everybody of a channel, in the chats that know them.
_CALLS = re.compile(r"@(?=(?:everyone|here|channel|all|room)\b)", re.IGNORECASE)


def plain(text: str) -> str:
    """One line that calls nobody: titles are written by strangers, and errors may repeat them."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _CALLS.sub("@\u200b", line)


def counted(number: int, one: str, many: str) -> str:
    """The number with its noun."""
    return f"{number:,} {one if number == 1 else many}"


def hours(value: float) -> str:
    """Hours as people read them: days from two on."""
    return f"{value / 24:,.1f} days" if value >= 48 else f"{value:,.1f} h"
