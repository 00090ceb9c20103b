"""Spans, times and links of issues in plain Python, to compare the SQL with.

Written from the definitions and not from the SQL; it shares no code with prpipeline.metrics.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Step:
    """An issue comes into a status."""

    at: datetime
    status_id: str


@dataclass(frozen=True)
class Status:
    name: str
    category: str | None


@dataclass(frozen=True)
class Times:
    spans: tuple[tuple[str, str | None, datetime, datetime | None], ...]
    lead: float | None
    cycle: float | None
    reopened: int
    spent: Mapping[str, float]


def hours(earlier: datetime | None, later: datetime | None) -> float | None:
    if earlier is None or later is None:
        return None
    return round((later - earlier).total_seconds() / 3600, 2)


def times(
    life: Sequence[Step], statuses: Mapping[str, Status], written: Mapping[str, str], now: datetime
) -> Times:
    """``life`` begins with the creation. ``written``: names of statuses that are not listed."""
    categories = [statuses[s.status_id].category if s.status_id in statuses else None for s in life]
    names = [statuses[s.status_id].name if s.status_id in statuses else written[s.status_id] for s in life]
    ends: list[datetime | None] = [*(step.at for step in life[1:]), None]
    spans = tuple(
        (name, category, step.at, end)
        for name, category, step, end in zip(names, categories, life, ends, strict=True)
        if end is None or end > step.at
    )
    done = None
    for step, category in zip(reversed(life), reversed(categories), strict=True):
        if category != "done":
            break
        done = step.at
    begun = next((s.at for s, c in zip(life, categories, strict=True) if c == "indeterminate"), None)
    reopened = sum(
        before == "done" and after not in ("done", None) for before, after in itertools.pairwise(categories)
    )
    spent: dict[str, float] = {}
    for _, category, start, end in spans:
        if done is None or start < done:
            key = category or "unknown"
            spent[key] = spent.get(key, 0.0) + ((end or now) - start).total_seconds()
    return Times(
        spans,
        hours(life[0].at, done),
        hours(begun, done),
        reopened,
        {key: round(seconds / 3600, 2) for key, seconds in spent.items()},
    )


def keys(title: str, branch: str | None, prefixes: Collection[str]) -> list[tuple[str, str]]:
    """Source and key in the order of their positions, the primary one first. Reads character by character."""
    found = []
    for source, text in (("title", title), ("branch", (branch or "").upper())):
        seen = []
        for match in re.finditer(r"-([0-9]+)", text):
            number = match[1]
            after = text[match.end() : match.end() + 1]
            for prefix in sorted(prefixes, key=len, reverse=True):
                start = match.start() - len(prefix)
                if start < 0 or text[start : match.start()] != prefix:
                    continue
                before = text[start - 1 : start] if start else ""
                if re.match("[A-Za-z0-9]", before) or re.match("[A-Za-z0-9]", after):
                    continue
                if number.startswith("0") or len(number) > 9:
                    continue
                if f"{prefix}-{number}" not in seen:
                    seen.append(f"{prefix}-{number}")
                break
        found += [(source, key) for key in seen]
    return found
