"""Pull requests of one Monday in a line each, stored by case, for tests of the flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from prpipeline_tests.support import flow_reference
from prpipeline_tests.support.flow_reference import Team, Work
from prpipeline_tests.support.metrics_lab import MetricsLab
from prpipeline_tests.support.reference import Person, Review

ANN, BOB, CAT, GHOST = Person(1, "ann"), Person(2, "bob"), Person(3, "cat"), Person(None, None)
ROBOT, CORE = Person(9, "robot[bot]", True), Team(7, "octo/core")
MONDAY = datetime(2026, 5, 4, 10, 0)


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def work(**facts: Any) -> Work:
    """Times in hours since Monday; reviews as (hours, who, state)."""
    reviews = [
        Review(100 + n, who, state, at(hours))
        for n, (hours, who, state) in enumerate(facts.pop("reviews", ()))
    ]
    for name in ("toggles", "switches", "asks"):
        facts[name] = [(at(hours), *more) for hours, *more in facts.get(name, ())]
    for name in ("merged_at", "closed_at", "first_commit_at"):
        facts[name] = None if facts.get(name) is None else at(facts[name])
    return Work(author=facts.pop("author", ANN), created_at=MONDAY, reviews=reviews, **facts)


def stored(cases: Mapping[str, Sequence[Work]]) -> MetricsLab:
    """A lab with a repository of this name for each case, reviews with ids of their own."""
    lab = MetricsLab()
    reviews = [review for works in cases.values() for one in works for review in one.reviews]
    for number, review in enumerate(reviews):
        review.id = number
    for repository_id, (name, works) in enumerate(cases.items(), 1):
        lab.repository(repository_id, name)
        flow_reference.store(lab, works, repository_id)
    return lab


def rows_of(lab: MetricsLab, case: str, table: str, order: str = "ALL") -> list[dict[str, Any]]:
    """The case's rows of a table of the metrics."""
    return lab.rows(f"FROM metrics.{table} WHERE repository = ? ORDER BY {order}", [case])


def by_number(rows: Sequence[dict[str, Any]], count: int) -> list[list[dict[str, Any]]]:
    """The rows of each of so many pull requests."""
    return [[row for row in rows if row["number"] == number] for number in range(1, count + 1)]
