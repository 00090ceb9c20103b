"""The numbers in the report are those of the tables, for each range and clock."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from prpipeline.metrics.calendar import working_intervals
from prpipeline.publish.reader import open_published
from prpipeline.report import write_report
from prpipeline.report.content import PRESETS
from prpipeline.settings import MetricSettings
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.report_browser import Opened
from prpipeline_tests.support.report_world import options

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

CLOCKS = {"opened": "Since opened", "ready": "Since ready", "business": "Business hours"}
RANGES = {"4w": "4 weeks", "12w": "12 weeks", "6m": "6 months", "1y": "1 year"}


def expected(
    lab: MetricsLab, clock: str, lo: datetime, hi: datetime, repository: int | None = None
) -> tuple[Any, ...]:
    """n, median and 90th percentile by the metrics' own SQL, in hours of two decimals."""
    column = {
        "opened": "review_time_hours",
        "ready": "pickup_time_hours",
        "business": "review_time_business_hours",
    }[clock]
    end = "ready_at + to_seconds(pickup_time_hours)" if clock == "ready" else "first_review_at"
    (found,) = lab.rows(
        f"""
        SELECT count({column}) AS n, metrics.rounded_hours(median({column})) AS median,
            metrics.rounded_hours(quantile_cont({column}, 0.9)) AS p90
        FROM (
            SELECT times.*, ready_at FROM metrics.counted_times AS times
            JOIN metrics.pull_request_times USING (pull_request_id)
        )
        WHERE {end} > ? AND {end} <= ? AND coalesce(repository_id = ?, true)
        """,
        [lo, hi, repository],
    )
    return found["n"], found["median"], found["p90"]


def as_shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}\xa0h"


def figures(opened: Opened) -> tuple[Any, ...]:
    """n, median and 90th percentile of the first two cards."""

    def exact(place: int) -> float | None:
        text = opened.page.get_attribute(f"#cards .figure:nth-child({place}) .value", "title") or ""
        return None if text == "–" else float(text.split()[0])

    n = re.search(r"n = ([\d,]+)", opened.page.inner_text("#cards .figure:nth-child(1)"))
    assert n
    return int(n[1].replace(",", "")), exact(1), exact(2)


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_figures_of_each_preset_equal_sql(
    browser: Browser, answers: Path, lab: MetricsLab, clock: str
) -> None:
    opened = Opened(browser, answers)
    opened.choose("clock", CLOCKS[clock])
    for name, label in RANGES.items():
        opened.choose("range", label)
        lo = AS_OF - timedelta(days=PRESETS[name])
        assert figures(opened) == expected(lab, clock, lo, AS_OF), label
        row = opened.page.locator("#compare tbody tr", has_text="steady")
        now, before = (row.locator("span[title]").nth(place).get_attribute("title") for place in (0, 1))
        earlier = lo - timedelta(days=PRESETS[name])
        for shown, (first, last) in ((now, (lo, AS_OF)), (before, (earlier, lo))):
            of_table = expected(lab, clock, first, last, 1)
            assert shown == as_shown(of_table[1]), label
    opened.choose("range", "All")
    assert figures(opened) == expected(lab, clock, datetime(2000, 1, 1), AS_OF)


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_weeks_equal_review_time_weekly(
    browser: Browser, answers: Path, lab: MetricsLab, clock: str
) -> None:
    column = {
        "opened": "review_time_hours",
        "ready": "pickup_time_hours",
        "business": "review_time_business_hours",
    }[clock]
    opened = Opened(browser, answers, view=f"#scope=repository:octo/steady&range=1y&clock={clock}")
    opened.page.click("#trend summary")
    opened.page.wait_for_selector("#trend details tbody tr")
    opened.page.click("#trend details .more")
    shown = {date.fromisoformat(row[0]): row[1:5] for row in opened.table("#trend details") if row[3] != "0"}
    table = lab.rows(
        f"SELECT week, {column}_median AS median, {column}_p90 AS p90, n, n - {column}_nulls AS reviewed "
        "FROM metrics.review_time_weekly WHERE repository_id = 1"
    )
    assert len(shown) > 90
    assert shown == {
        row["week"]: [as_shown(row["median"]), as_shown(row["p90"]), str(row["n"]), str(row["reviewed"])]
        for row in table
        if row["week"] in shown
    }
    assert {row["week"] for row in table if row["week"] >= min(shown)} == set(shown)


def test_work_in_progress_equals_open_daily(browser: Browser, answers: Path, lab: MetricsLab) -> None:
    opened = Opened(browser, answers, view="#range=12w")
    opened.page.click("#work summary")
    opened.page.wait_for_selector("#work details tbody tr")
    opened.page.click("#work details .more")
    table = lab.rows(
        "SELECT day, sum(open)::INT AS open, sum(waiting)::INT AS waiting, sum(draft)::INT AS draft FROM metrics.open_daily "
        "WHERE day >= ? GROUP BY day",
        [AS_OF.date() - timedelta(days=84)],
    )
    assert {row[0]: row[1:4] for row in opened.table("#work details")} == {
        row["day"].isoformat(): [str(row["open"]), str(row["waiting"]), str(row["draft"])] for row in table
    }


def test_stages_equal_the_table(browser: Browser, answers: Path, lab: MetricsLab) -> None:
    opened = Opened(browser, answers, view="#range=1y")
    table = lab.rows(
        """
        SELECT stage, count(*) AS n, sum(seconds) AS total FROM (
            SELECT stage, pull_request_id, sum(date_diff('second', started_at, ended_at)) AS seconds
            FROM metrics.pull_request_stages JOIN metrics.counted_times USING (pull_request_id)
            WHERE merged_at > ? GROUP BY ALL
        ) GROUP BY stage
        """,
        [AS_OF - timedelta(days=365)],
    )
    total = sum(row["total"] for row in table)
    names = {
        "draft": "Draft",
        "waiting_for_review": "Waiting for review",
        "in_review": "In review",
        "approved": "Approved",
    }
    shown = {row[0]: row[1:4:2] for row in opened.table("#stages-table")}
    assert {names[row["stage"]]: [f"{100 * row['total'] / total:.0f} %", str(row["n"])] for row in table} == {
        name: shown[name] for name in names.values() if shown[name][1] != "0"
    }


def working_seconds(moment: datetime) -> int:
    """Since the calendar began, by its intervals."""
    second = int((moment - datetime(1970, 1, 1)).total_seconds())
    intervals = working_intervals(MetricSettings().calendar, 2023, 2027)
    return sum(max(0, min(second, one.end) - one.start) for one in intervals)


@pytest.mark.parametrize(
    ("clock", "words"), [("opened", "24 hours"), ("ready", "24 hours"), ("business", "8 business")]
)
def test_the_target_counts_what_was_due(
    browser: Browser, answers: Path, lab: MetricsLab, clock: str, words: str
) -> None:
    """Of those whose time was over in the range: reviewed within it."""
    opened = Opened(browser, answers, view=f"#range=12w&clock={clock}")
    found = lab.rows(
        "SELECT times.created_at, ready_at, review_time_business_hours AS business, review_time_hours AS opened, "
        "pickup_time_hours AS ready FROM metrics.counted_times AS times JOIN ("
        "SELECT pull_request_id, ready_at FROM metrics.pull_request_times) USING (pull_request_id)"
    )
    lo, hi = AS_OF - timedelta(days=84), AS_OF
    due = []
    for row in found:
        if clock == "business":
            is_due = (
                working_seconds(lo) < working_seconds(row["created_at"]) + 8 * 3600 <= working_seconds(hi)
            )
        else:
            start = row["created_at"] if clock == "opened" else row["ready_at"]
            is_due = start is not None and lo < start + timedelta(days=1) <= hi
        if is_due:
            due.append(row[clock])
    limit = (8 if clock == "business" else 24) * 3600
    met = sum(seconds is not None and seconds <= limit for seconds in due)
    card = opened.page.inner_text("#cards .figure:nth-child(3)")
    assert words in card
    assert f"n = {len(due)}" in card
    assert f"{100 * met / len(due):.0f}\n%".replace("\n", " ") in card.replace("\n", " ")
    opened.page.click("#cards .figure:nth-child(3) button")
    assert opened.page.inner_text("#list-note").startswith(f"{len(due) - met} pull request")


def test_reviewers_of_a_week_equal_reviewer_weekly(browser: Browser, answers: Path, lab: MetricsLab) -> None:
    monday = date(2026, 5, 18)
    opened = Opened(browser, answers, view=f"#range=free&from={monday}&to={monday + timedelta(days=6)}")
    table = lab.rows(
        "SELECT reviewer_login AS login, sum(verdicts)::INT AS verdicts, sum(reviews)::INT AS reviews, "
        "sum(pull_requests)::INT AS pull_requests FROM metrics.reviewer_weekly WHERE week = ? GROUP BY ALL HAVING sum(reviews) > 0",
        [monday],
    )
    shown = {row[0]: (row[1], row[3], row[5]) for row in opened.table("#reviewers-table")}
    assert len(shown) == 3
    assert shown == {
        row["login"]: (str(row["verdicts"]), str(row["reviews"]), str(row["pull_requests"])) for row in table
    }


@pytest.mark.parametrize("one_by_one", [10, 60], ids=["range cut", "period before cut"])
def test_a_cut_page_says_the_same_of_the_presets(
    browser: Browser, lab: MetricsLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_by_one: int
) -> None:
    """Where the pull requests of a range are not in the page, its figures come from sums, by SQL."""
    monkeypatch.setattr("prpipeline.report.write.ONE_BY_ONE", one_by_one)
    with open_published(lab.publish(tmp_path)) as connection:
        write_report(connection, tmp_path / "report.html", options())
    opened = Opened(browser, tmp_path / "report.html", view="#range=1y")
    lo = AS_OF - timedelta(days=365)
    assert figures(opened) == expected(lab, "opened", lo, AS_OF)
    row = opened.page.locator("#compare tbody tr", has_text="steady")
    _, median, _ = expected(lab, "opened", lo, AS_OF, 1)
    assert row.locator("span[title]").nth(0).get_attribute("title") == f"{median:.2f}\xa0h"
    opened.choose("range", "12 weeks")
    middle, first = (AS_OF - timedelta(days=days) for days in (84, 168))
    row = opened.page.locator("#compare tbody tr", has_text="steady")
    before = row.locator("span[title]").nth(1).get_attribute("title")
    assert before == as_shown(expected(lab, "opened", first, middle, 1)[1])
    assert f"compared with {first:%Y-%m-%d}" in opened.page.inner_text("#headline")
    opened.choose("range", "1 year")
    opened.choose("clock", "Business hours")
    n, median, _ = expected(lab, "business", lo, AS_OF)
    assert figures(opened)[0] == n
    assert figures(opened)[1] == pytest.approx(median, abs=0.0101)
    assert "Cut, to keep the page small" in opened.page.inner_text("#data-note")
    assert opened.said == []


def test_authors_teams_are_those_of_the_opening(browser: Browser, answers: Path, lab: MetricsLab) -> None:
    opened = Opened(browser, answers, view="#range=1y")
    opened.choose("compare-kind", "Teams of authors")
    assert opened.page.evaluate("location.hash") == "#range=1y&compare=author_teams"
    lo = AS_OF - timedelta(days=PRESETS["1y"])
    table = {
        row["author_team"]: (row["n"], as_shown(row["median"]))
        for row in lab.rows(
            "SELECT author_team, count(*) AS n, metrics.rounded_hours(median(times.review_time_hours)) AS median "
            "FROM metrics.counted_times AS times JOIN metrics.review_time_hours AS facts USING (pull_request_id) "
            "WHERE author_team IS NOT NULL AND facts.first_review_at > ? AND facts.first_review_at <= ? GROUP BY ALL",
            [lo, AS_OF],
        )
    }
    rows = opened.page.locator("#compare tbody tr")
    shown = {
        rows.nth(place).locator("th").inner_text(): (
            int(rows.nth(place).locator("td").nth(2).inner_text()),
            rows.nth(place).locator("span[title]").nth(0).get_attribute("title"),
        )
        for place in range(rows.count())
    }
    assert shown == table
    assert shown.keys() == {"red", "blue"}
    assert opened.said == []
