"""The rows inside the report's page, unpacked in Python: what page/rows.js has before it computes anything."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

UNKNOWN = -(2**31)
BOT, DRAFT, UNREVIEWED, WAITING = 1, 2, 4, 8

Column = list[Any]


@dataclass
class Rows:
    """Columns by name, and what of the content they refer to."""

    content: dict[str, Any]
    columns: dict[str, Column]

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    @property
    def as_of(self) -> datetime:
        return datetime.fromtimestamp(self.content["as_of"], UTC).replace(tzinfo=None)

    def created(self, row: int) -> datetime:
        return self.as_of - timedelta(seconds=self["age"][row])

    def has(self, row: int, flag: int) -> bool:
        return bool(self["flags"][row] & flag)

    def repository(self, row: int) -> dict[str, Any]:
        named = self.content["repositories"]
        known = [dict(zip(named["columns"], one, strict=True)) for one in named["rows"]]
        return next(one for one in known if one["place"] == self["repository"][row])

    def person(self, number: int) -> str | None:
        name: str | None = self.content["people"][number]
        return name

    @property
    def all(self) -> range:
        return range(len(self["age"]))


def unpack(content: dict[str, Any]) -> Rows:
    """Follows packing.py's description, not its code."""
    packed = zlib.decompress(base64.b64decode(content["rows"]))
    columns: dict[str, Column] = {}
    for name, kind, length, *guess in content["parts"]:
        part, packed = packed[:length], packed[length:]
        if kind == "texts":
            columns[name] = part.decode().split("\n")
            continue
        count = length // 4
        planes = [part[place * count : (place + 1) * count] for place in range(4)]
        values: Column = [struct.unpack("<i", bytes(one))[0] for one in zip(*planes, strict=True)]
        if kind == "rising":
            values = list(accumulate(values))
        else:
            values = [None if value == UNKNOWN else value for value in values]
        for names in guess:
            others = [(-1 if one[0] == "-" else 1, columns[one[1:]]) for one in names]
            for row, value in enumerate(values):
                known = [(sign, column[row]) for sign, column in others]
                if value is not None and all(other is not None for _, other in known):
                    values[row] = value + sum(sign * other for sign, other in known)
        columns[name] = values
    return Rows(content, columns)
