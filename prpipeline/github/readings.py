"""When a list that is shorter than its own count is believed: after several readings that agree.

Rows may be late for seconds, or cut off by a fault that passes. But GitHub also counts rows for good that it lists to nobody.
"""

from __future__ import annotations

from collections.abc import Hashable

AGREEING = 3
"""So many readings in a row have to agree: the same rows, and the same count. Two could be one passing fault."""


class Readings:
    """The readings of one list."""

    def __init__(self) -> None:
        self._last: Hashable = None
        self._times = 0

    def agree(self, rows: Hashable, count: Hashable) -> bool:
        """Add a reading; whether it is the last of AGREEING equal ones."""
        reading = (rows, count)
        self._times = self._times + 1 if reading == self._last else 1
        self._last = reading
        return self._times >= AGREEING


def are_few(missing: int, count: int, at_least: int = 3) -> bool:
    """Whether so many rows of a list may be hidden; where more are missing, the answer was cut off."""
    return missing <= max(at_least, count // 10)
