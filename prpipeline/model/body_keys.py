"""Words of a pull request's body that may be keys of issues: all that is kept of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

# As metrics/sql/key_pattern.sql finds keys in titles, of any project: which ones are selected may change, and the body is not
# kept. A key is as long as Jira allows at most, so that no text takes long.
_KEY = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Z0-9_]{0,254}+-[1-9][0-9]{0,8}+(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class BodyKey:
    """A word shaped like a key, with its place among those of the body, from 1. A_B-7 also stands for B-7."""

    key: str
    position: int


def keys_in(body: str) -> tuple[BodyKey, ...]:
    """Each such word once, where it first stands. What HTML comments hide, as hints in templates, is no part of the text."""
    words = dict.fromkeys(_KEY.findall(_shown(body)))
    return tuple(BodyKey(key, position) for position, key in enumerate(words, 1))


def _shown(body: str) -> str:
    """The body without its HTML comments; one that does not end is text."""
    parts: list[str] = []
    while True:
        before, begin, rest = body.partition("<!--")
        _, end, after = rest.partition("-->")
        if not (begin and end):
            return "".join([*parts, body])
        parts.append(before)
        body = after
