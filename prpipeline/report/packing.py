"""Columns of whole numbers as one compressed text, which page/rows.js unpacks again.

A column is the differences from row to row, or the numbers themselves, as 32-bit integers; first all lowest bytes, then
the next ones: equal bytes that stand side by side compress best. Texts are UTF-8, one a line.
"""

from __future__ import annotations

import base64
import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise

Numbers = Sequence[int | None]

_UNKNOWN = -(2**31)


class Packer:
    """Gathers columns; ``parts`` says where each of them is in the text, as lists that JSON can hold."""

    def __init__(self) -> None:
        self.parts: list[list[object]] = []
        self._bytes: list[bytes] = []

    def numbers(self, name: str, values: Numbers, guess: Mapping[str, Numbers] | None = None) -> None:
        """Add a column in which None is unknown. Raises OverflowError for a number of more than 32 bits.

        With a guess, columns added before by name with their sign, as ``+closed`` and ``-ready``, only what differs from
        their sum is stored: mostly nothing. Where one of them is unknown, the sum is 0.
        """
        if guess:
            values = _less(values, guess)
        numbers = [_UNKNOWN if value is None else value for value in values]
        self._add(name, "numbers", _planes(numbers), list(guess or ()))

    def rising(self, name: str, values: Sequence[int]) -> None:
        """Add a column without unknown numbers whose differences are smaller than its numbers."""
        steps = (later - earlier for earlier, later in pairwise(values))
        self._add(name, "rising", _planes(list(chain(values[:1], steps))))

    def texts(self, name: str, values: Iterable[str]) -> None:
        """Add a column of texts without line breaks."""
        self._add(name, "texts", "\n".join(values).encode())

    def text(self) -> str:
        """All of it, compressed (zlib), in Base64."""
        return base64.b64encode(zlib.compress(b"".join(self._bytes), 6)).decode()

    def _add(self, name: str, kind: str, content: bytes, guess: Sequence[str] = ()) -> None:
        self.parts.append([name, kind, len(content), *([list(guess)] if guess else [])])
        self._bytes.append(content)


def _less(values: Numbers, guess: Mapping[str, Numbers]) -> Numbers:
    signs = [-1 if name.startswith("-") else 1 for name in guess]

    def difference(value: int | None, known: tuple[int | None, ...]) -> int | None:
        if value is None or None in known:
            return value
        return value - sum(sign * (one or 0) for sign, one in zip(signs, known, strict=True))

    return list(map(difference, values, zip(*guess.values(), strict=True)))


def _planes(values: Sequence[int]) -> bytes:
    numbers = array("i", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    content = numbers.tobytes()
    return b"".join(content[place::4] for place in range(4))
