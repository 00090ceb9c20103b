"""Reviewed by when: the estimate of Aalen and Johansen, in closed form where there are ties, else against lifelines."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.reference import History, Person, Review
from prpipeline_tests.support.reference_aggregates import half_up

End = tuple[int, str]
"""Seconds from the opening, and how it ended: reviewed, closed, or open until now."""


MONTHS = """
    SELECT * RENAME (share_reviewed_within_1_day AS day, share_reviewed_within_3_days AS days_3,
        share_reviewed_within_7_days AS week, share_reviewed_within_30_days AS days_30, median_hours AS median,
        p75_hours AS p75, p90_hours AS p90)
    FROM metrics.review_time_survival
"""


def store(lab: MetricsLab, ends: list[End], opened: datetime, repository_id: int = 1) -> None:
    """Pull requests opened then; open ones later, so that they were watched that long."""
    histories = [_history(number, end, opened) for number, end in enumerate(ends)]
    lab.store(histories, repository_id=repository_id)


def _history(number: int, end: End, opened: datetime) -> History:
    seconds, fate = end
    created = AS_OF - timedelta(seconds=seconds) if fate == "open" else opened
    at = created + timedelta(seconds=seconds)
    review = Review(100 + number, Person(2, "bob"), "COMMENTED", at)
    return History(
        Person(1, "ann"),
        created,
        reviews=[review] if fate == "reviewed" else [],
        closed_at=at if fate == "closed" else None,
    )


REVIEWED_AFTER_YEARS: list[End] = [
    (8 * 365 * 86_400, "reviewed"),
    *((n * 9_000, "closed") for n in range(1, 31)),
]


YEARS_AGO, OF_LATE, TODAY = datetime(2014, 5, 1), datetime(2026, 5, 1), AS_OF - timedelta(hours=10)

# When they were opened, how they ended, and columns of their month.
CASES: list[tuple[datetime, list[End], dict[str, float | None]]] = [
    (YEARS_AGO, [(3_600, "reviewed"), (7_200, "closed")], {"day": 0.5, "days_30": 0.5, "median": 1.0, "p75": None}),
    (YEARS_AGO, [(86_400, "reviewed")], {"day": 1.0, "median": 24.0}),
    (YEARS_AGO, [(86_401, "reviewed")], {"day": 0.0, "days_3": 1.0}),
    # In one second one is reviewed, one is closed, and one is watched no longer.
    (
        OF_LATE,
        [(90_000, "reviewed"), (90_000, "closed"), (90_000, "open")],
        {"day": 0.0, "days_3": None, "median": None},
    ),
    # The one that still waits is younger than the window.
    (OF_LATE, [(600, "closed"), (90_000, "open")], {"n_open": 1, "day": 0.0, "days_3": None}),
    (
        OF_LATE,
        [(600, "reviewed"), (90_000, "open"), (700_000, "reviewed")],
        {"days_3": 0.3333, "week": 0.3333, "days_30": 1.0, "median": 194.44, "p90": 194.44},
    ),
    (YEARS_AGO, REVIEWED_AFTER_YEARS, {"n": 31, "n_reviewed": 1, "days_30": 0.0, "median": None}),
    # A window longer than the oldest is old.
    (
        TODAY,
        [(60, "reviewed"), (90, "closed")],
        {"day": None, "days_3": None, "week": None, "days_30": None, "median": 0.02},
    ),
]  # fmt: skip


def test_reviewed_within(lab: MetricsLab) -> None:
    """Of each case in a repository of its own. A review after the close counts, too: that is in repository 1."""
    for number, (opened, ends, _) in enumerate(CASES, 2):
        lab.repository(number, f"octo/app-{number}")
        store(lab, ends, opened, number)
    opened = datetime(2026, 1, 5)
    review = Review(7, Person(2, "bob"), "COMMENTED", opened + timedelta(days=2))
    lab.store([History(Person(1, "ann"), opened, closed_at=opened + timedelta(hours=1), reviews=[review])])
    lab.rebuild()
    late, *rows = lab.rows(f"{MONTHS} ORDER BY repository_id")
    for row, (_, ends, expected) in zip(rows, CASES, strict=True):
        assert {name: row[name] for name in expected} == expected, ends
    assert (late["n_reviewed"], late["days_3"], late["median"]) == (1, 1.0, 48.0)


@pytest.mark.slow  # importing lifelines takes longer than all other tests here
@pytest.mark.parametrize("seed", range(4))
def test_the_estimate_equals_that_of_lifelines(lab: MetricsLab, seed: int) -> None:
    """On data without ties, for lifelines moves tied times at random."""
    lifelines = pytest.importorskip("lifelines")
    dice = random.Random(seed)
    ends = [
        (seconds, dice.choice(["reviewed", "reviewed", "closed", "open"]))
        for seconds in dice.sample(range(50_000, 31 * 86_400), 60)
    ]
    ends.append((31 * 86_400 + 1, "open"))
    store(lab, ends, datetime(2026, 5, 1))
    lab.rebuild()
    (row,) = lab.rows(MONTHS)
    fitter = lifelines.AalenJohansenFitter(calculate_variance=False)
    kinds = {"reviewed": 1, "closed": 2, "open": 0}
    fitter.fit([seconds for seconds, _ in ends], [kinds[fate] for _, fate in ends], event_of_interest=1)
    curve = fitter.cumulative_density_.iloc[:, 0]
    for name, days in (("day", 1), ("days_3", 3), ("week", 7), ("days_30", 30)):
        assert row[name] == pytest.approx(curve[curve.index <= days * 86_400].iloc[-1], abs=0.00005 + 1e-9)
    for name, share in (("median", 0.5), ("p75", 0.75), ("p90", 0.9)):
        reached = curve.index[curve >= share]
        assert row[name] == (half_up(int(reached[0])) if len(reached) else None)
