"""Keys of tickets in titles and branches, sizes, and dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from prpipeline.settings import Calendar, MetricSettings, SizeLimits
from prpipeline_tests.support.flow_cases import by_number, rows_of, stored, work
from prpipeline_tests.support.metrics_lab import MetricsLab

TITLES: tuple[tuple[str, list[str]], ...] = (
    ("ABC-12: fix", ["ABC-12"]),
    ("Fix (ABC-1), ABC-2/ABC-3-ABC-4.", ["ABC-1", "ABC-2", "ABC-3", "ABC-4"]),
    ("x_ABC-1 x.ABC-2", ["ABC-1", "ABC-2"]),
    ("XABC-1 1ABC-1 ABC-1x", []),
    ("éABC-1 ABC-2é ABC-3\uff12 修复ABC-4问题", ["ABC-1", "ABC-2", "ABC-3", "ABC-4"]),
    ("ABC-1_x ABC-2-fix", ["ABC-1", "ABC-2"]),
    ("ABC-01 ABC-0 ABC-1234567890 ABC- ABC -1", []),
    ("ABC-123456789", ["ABC-123456789"]),
    ("ABC-2 before ABC-1 and ABC-2 again", ["ABC-2", "ABC-1"]),
    ("ABC-OPS_2-7", ["OPS_2-7"]),
    ("abc-1 Abc-2", []),
    ("UTF-8, SHA-256, CVE-2024-1 and 11-245", []),
    ("AB-1 ABCD-1 \uff21BC-1", []),
)  # fmt: skip


BRANCHES: tuple[tuple[str, str, list[tuple[str, str, int, bool]]], ...] = (
    ("Fix", "abc-12-fix", [("branch", "ABC-12", 1, True)]),
    ("ABC-7: fix", "fix/abc-12", [("title", "ABC-7", 1, True), ("branch", "ABC-12", 1, False)]),
    ("ABC-7", "ABC-7-abc-7", [("title", "ABC-7", 1, True), ("branch", "ABC-7", 1, False)]),
)
LINES = [0, 9, 10, 49, 50, 249, 250, 999, 1000, None]


@pytest.fixture(scope="module")
def computed() -> Iterator[MetricsLab]:
    """All cases, with two prefixes of tickets, and some weekends to work at; tests only look."""
    lab = stored(
        {
            "octo/titles": [work(title=title) for title, _ in TITLES],
            "octo/branches": [work(title=title, branch=branch) for title, branch, _ in BRANCHES],
            "octo/sizes": [work() for _ in LINES],
        }
    )
    lab.connection.execute(
        "UPDATE raw.pull_requests SET deletions = 0, additions = (?::BIGINT[])[number] WHERE repository_id = 3",
        [LINES],
    )
    calendar = Calendar(days=("monday", "sunday"), holidays=(date(2026, 5, 11),))
    lab.rebuild(MetricSettings(ticket_prefixes=("abc", "OPS_2"), calendar=calendar))
    yield lab
    lab.connection.close()


@pytest.fixture(scope="module")
def otherwise(computed: MetricsLab) -> dict[str, list[Any]]:
    """Without prefixes, and with other limits of sizes."""
    with computed.undone() as lab:
        lab.rebuild(MetricSettings(size_limits=SizeLimits(xs=1, l=900)), aggregates=False)
        return {"keys": lab.rows("FROM metrics.pull_request_keys"), "sizes": sizes(lab)}


def sizes(lab: MetricsLab) -> list[Any]:
    return [row["size_class"] for row in rows_of(lab, "octo/sizes", "review_time_hours", "number")]


def test_keys_in_titles(computed: MetricsLab, otherwise: dict[str, list[Any]]) -> None:
    found = by_number(rows_of(computed, "octo/titles", "pull_request_keys", "position"), len(TITLES))
    for (title, keys), rows in zip(TITLES, found, strict=True):
        assert [row["key"] for row in rows] == keys, title
        assert [row["position"] for row in rows] == list(range(1, len(keys) + 1))
        assert [row["is_primary"] for row in rows] == [n == 0 for n in range(len(keys))]
    assert otherwise["keys"] == []


def test_keys_in_branches(computed: MetricsLab) -> None:
    """In any case, stored in upper case; the title comes first."""
    found = by_number(rows_of(computed, "octo/branches", "pull_request_keys", "source DESC"), len(BRANCHES))
    for (_, branch, expected), rows in zip(BRANCHES, found, strict=True):
        assert [(r["source"], r["key"], r["position"], r["is_primary"]) for r in rows] == expected, branch


def test_sizes(computed: MetricsLab, otherwise: dict[str, list[Any]]) -> None:
    assert sizes(computed) == ["XS", "XS", "S", "S", "M", "M", "L", "L", "XL", None]
    assert otherwise["sizes"] == ["XS", "S", "S", "S", "M", "M", "L", "XL", "XL", None]


def test_dates(computed: MetricsLab) -> None:
    """Every day and week of the other tables is there; a holiday is no working day."""
    days = {row["day"]: row for row in computed.rows("FROM metrics.dates ORDER BY day")}
    assert list(days) == [date(2026, 5, 1) + timedelta(days=n) for n in range(32)]
    assert days[date(2026, 5, 10)] == {
        "day": date(2026, 5, 10), "week": date(2026, 5, 4), "iso_week": "2026-W19", "month": date(2026, 5, 1),
        "quarter": date(2026, 4, 1), "year": 2026, "weekday": 7, "weekday_name": "Sunday", "is_working_day": True,
    }  # fmt: skip
    working = [day.day for day, row in days.items() if row["is_working_day"] and day.month == 5]
    assert working == [3, 4, 10, 17, 18, 24, 25, 31]
    weeks = computed.rows("SELECT week FROM metrics.review_time_weekly")
    assert {row["week"] for row in weeks} <= set(days)
