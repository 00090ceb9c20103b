"""What the stories of pull requests and of issues share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class ExplainError(ValueError):
    """There is nothing to explain; the message says why."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number, and where it comes from; for None, why there is none."""

    name: str
    value: float | int | None
    because: str


def metric_lines(metrics: Sequence[Metric]) -> list[str]:
    """A line for each number."""
    width = max((len(metric.name) for metric in metrics), default=0)
    values = [_number(metric.value) for metric in metrics]
    pad = max((len(value) for value in values), default=0)
    return [
        f"  {metric.name:<{width}}  {value:>{pad}}  {metric.because}".rstrip()
        for metric, value in zip(metrics, values, strict=True)
    ]


def section(title: str, lines: Iterable[str]) -> list[str]:
    """Nothing where there are no lines."""
    found = [f"  {line}" for line in lines]
    return ["", title, *found] if found else []


def _number(value: float | int | None) -> str:
    if value is None:
        return "NULL"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
