"""What the report answers, by clicking; and that its numbers are those of the tables, for each range and clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from prpipeline.metrics.calendar import working_intervals
from prpipeline.publish.reader import open_published
from prpipeline.report import ReportOptions, write_report
from prpipeline.report.content import PRESETS
from prpipeline.settings import MetricSettings
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.reference import History, Person, Review
from prpipeline_tests.support.report_browser import Opened, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

ANN, BOB, CAT, APP = Person(1, "ann"), Person(2, "bob"), Person(3, "cat"), Person(8, "app[bot]", True)
CLOCKS = {"opened": "Since opened", "ready": "Since ready", "business": "Business hours"}
RANGES = {"4w": "4 weeks", "12w": "12 weeks", "6m": "6 months", "1y": "1 year"}


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def reviewed(number: int, opened: datetime, after: timedelta, title: str = "A change") -> History:
    return History(
        (ANN, BOB, CAT)[number % 3],
        opened,
        title=title,
        merged_at=opened + after + hours(3),
        reviews=[Review(number * 10, (BOB, CAT, ANN)[number % 3], "APPROVED", opened + after)],
        requests=[(opened + timedelta(minutes=5), "review_requested", (BOB, CAT, ANN)[number % 3])],
    )


def steady(first: int) -> list[History]:
    """Two years of it, with drafts, bots' pull requests, and some that nobody reviewed."""
    found = []
    for number in range(260):
        opened = (
            AS_OF
            - hours(
                6 + number * 67 + number % 5,
            )
            - timedelta(seconds=7 * number)
        )
        history = reviewed(first + number, opened, hours(5) + timedelta(seconds=number * 131 % 7200))
        if number % 4 == 0:  # reviewed once as a draft, and again since it was ready
            ready = opened + hours(7)
            history.toggles.append((ready, "ready_for_review"))
            history.reviews.append(
                Review((first + number) * 10 + 1, history.reviews[0].by, "APPROVED", ready + hours(2))
            )
            history.merged_at = ready + hours(4)
        if number % 9 == 0:
            history.author = APP
        if number % 11 == 0:
            history.reviews, history.merged_at = [], None
        found.append(history)
    return found


def slower(first: int) -> list[History]:
    """Since four weeks it takes 30 hours instead of 4. The three longest waits have three reasons."""
    found = [reviewed(first + day, AS_OF - timedelta(days=day), hours(4)) for day in range(30, 56)]
    found += [reviewed(first + day, AS_OF - timedelta(days=day), hours(30)) for day in range(3, 20)]
    draft = reviewed(first + 90, AS_OF - timedelta(days=12), timedelta(days=9), "Long a draft")
    draft.toggles.append((draft.created_at + timedelta(days=8), "ready_for_review"))
    unasked = reviewed(first + 91, AS_OF - timedelta(days=11), timedelta(days=7), "Nobody was asked")
    unasked.requests = [(unasked.created_at + timedelta(days=6), "review_requested", BOB)]
    silent = reviewed(first + 92, AS_OF - timedelta(days=10), timedelta(days=6), "Asked in vain")
    waiting = History(ANN, AS_OF - timedelta(days=4), title="Still unanswered")
    waiting.requests.append((waiting.created_at + hours(1), "review_requested", CAT))
    forgotten = History(BOB, AS_OF - timedelta(days=3), title="Still unasked")
    unfinished = History(CAT, AS_OF - timedelta(days=5), is_draft=True, title="Still a draft")
    unfinished.toggles.append((AS_OF - timedelta(days=4), "converted_to_draft"))
    return [*found, draft, unasked, silent, waiting, forgotten, unfinished]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def lab() -> Iterator[MetricsLab]:
    lab = MetricsLab()
    worlds = {
        "octo/steady": steady(1000),
        "octo/slower": slower(2000),
        "octo/few": [reviewed(3000 + day, AS_OF - timedelta(days=day), hours(90)) for day in (5, 6, 40)],
    }
    for repository_id, (name, histories) in enumerate(worlds.items(), 1):
        lab.repository(repository_id, name, "core" if repository_id < 3 else None)
        lab.store(histories, repository_id)
    lab.connection.execute("UPDATE raw.pull_requests SET additions = number * 37 % 900, deletions = 3")
    lab.rebuild(MetricSettings())
    yield lab
    lab.connection.close()


@pytest.fixture(scope="module")
def report(lab: MetricsLab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("answers")
    calendar = [(one.start, one.end) for one in working_intervals(MetricSettings().calendar, 2023, 2027)]
    with open_published(lab.publish(folder)) as connection:
        write_report(connection, folder / "report.html", ReportOptions(working_time=calendar))
    return folder / "report.html"


def test_which_got_slower_which_waited_longest_and_why(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report)
    page = opened.page
    first = opened.table("#compare")[0]
    assert first[0].replace("\n", "") == "octo/slower"
    assert "▲" in first[1]
    page.click("#compare tbody tr:first-child th button")
    assert page.input_value("#scope") == "repository:octo/slower"
    ended = opened.table("#ended")[:3]
    assert [(row[0], row[1].split("\n")[0], row[2].split("\n")[0]) for row in ended] == [
        ("9\xa0days", "Long a draft", "Draft"),
        ("7\xa0days", "Nobody was asked", "Nobody asked"),
        ("6\xa0days", "Asked in vain", "Asked and silent"),
    ]
    assert ended[0][2].split("\n")[1] == "8\xa0days as a draft, 24\xa0h asked, without an answer"
    assert page.get_attribute("#ended tbody a >> nth=0", "href") == "https://github.com/octo/app/pull/44"
    assert [(row[1].split("\n")[0], row[2], row[3]) for row in opened.table("#queue")] == [
        ("Still unanswered", "Asked and silent", "cat"),
        ("Still unasked", "Nobody asked", "nobody"),
    ]
    opened.choose("queue-authors", "Drafts")
    assert [(row[1].split("\n")[0], row[2]) for row in opened.table("#queue")] == [("Still a draft", "Draft")]
    assert opened.said == []


def test_few_are_faded_and_not_judged(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report)
    row = opened.page.locator("#compare tbody tr", has_text="few")
    assert "(n = 1)" in row.inner_text()
    assert row.locator(".badge").count() == 0
    assert row.locator(".few").count() >= 3
    assert opened.table("#compare")[-1][0].replace("\n", "") == "octo/few"
    opened.page.select_option("#scope", label="octo/few")
    assert opened.page.locator("#cards .badge.good, #cards .badge.bad").count() == 0


def test_a_view_can_be_sent(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report)
    opened.page.select_option("#scope", label="core")
    opened.choose("range", "12 weeks")
    opened.choose("clock", "Business hours")
    opened.choose("compare-kind", "First reviewers")
    address = opened.page.evaluate("location.hash")
    assert address == "#scope=team%3Acore&range=12w&clock=business&compare=reviewers"
    summary, table = opened.page.inner_text("#summary"), opened.table("#compare")
    other = Opened(browser, report, view=address)
    assert (other.page.inner_text("#summary"), other.table("#compare")) == (summary, table)
    assert other.page.input_value("#scope") == "team:core"
    dates = "#range=free&from=2026-05-04&to=2026-05-10"
    other.page.evaluate(f"location.hash = {dates!r}")
    other.page.wait_for_function(
        "document.querySelector('#headline').textContent.startsWith('The days 2026-05-04 to 2026-05-10')"
    )
    assert other.page.input_value("#from") == "2026-05-04"
    wrong = Opened(browser, report, view="#scope=team:gone&range=x&clock=y&compare=z&from=1")
    assert wrong.page.inner_text("#summary") == Opened(browser, report).page.inner_text("#summary")
    assert wrong.said == []


@pytest.mark.parametrize(
    ("place", "at"),
    [
        ("#trend .chart", {"x": 600, "y": 120}),
        ("#trend .chart", {"x": 600, "y": 330}),
        ("#distribution .chart", {"x": 140, "y": 200}),
        ("#sizes .chart", {"x": 260, "y": 150}),
        ("#stages .chart", {"x": 120, "y": 65}),
        ("#work .chart", {"x": 600, "y": 100}),
        ("#reviewers .chart", {"x": 300, "y": 20}),
        ("#opened .chart", {"x": 300, "y": 150}),
        ("#reviews .chart", {"x": 300, "y": 150}),
        (".heat td.filled >> nth=0", {"x": 3, "y": 3}),
        ("#cards button >> nth=0", None),
        ("#compare td button >> nth=0", None),
    ],
)
def test_a_click_lists_the_pull_requests(browser: Browser, report: Path, place: str, at: Any) -> None:
    opened = Opened(browser, report, view="#range=12w")
    opened.page.click(place, position=at)
    opened.page.wait_for_selector("#list[open]")
    listed = len(opened.table("#list"))
    assert listed > 0
    assert opened.page.inner_text("#list-note").startswith(f"{listed} pull request")
    opened.page.keyboard.press("Escape")
    assert opened.page.is_hidden("#list")
    assert opened.said == []


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
    browser: Browser, report: Path, lab: MetricsLab, clock: str
) -> None:
    opened = Opened(browser, report)
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
    browser: Browser, report: Path, lab: MetricsLab, clock: str
) -> None:
    column = {
        "opened": "review_time_hours",
        "ready": "pickup_time_hours",
        "business": "review_time_business_hours",
    }[clock]
    opened = Opened(browser, report, view=f"#scope=repository:octo/steady&range=1y&clock={clock}")
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


def test_work_in_progress_equals_open_daily(browser: Browser, report: Path, lab: MetricsLab) -> None:
    opened = Opened(browser, report, view="#range=12w")
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


def test_stages_equal_the_table(browser: Browser, report: Path, lab: MetricsLab) -> None:
    opened = Opened(browser, report, view="#range=1y")
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


def test_the_target_counts_what_was_due(browser: Browser, report: Path, lab: MetricsLab) -> None:
    """Of those whose 24 hours were over in the range: reviewed within them."""
    opened = Opened(browser, report, view="#range=12w")
    (found,) = lab.rows(
        """
        SELECT count(*) AS due, count(*) FILTER (review_time_hours <= 86400) AS met FROM metrics.counted_times
        WHERE created_at + INTERVAL 1 DAY > ? AND created_at + INTERVAL 1 DAY <= ?
        """,
        [AS_OF - timedelta(days=84), AS_OF],
    )
    card = opened.page.inner_text("#cards .figure:nth-child(3)")
    assert f"n = {found['due']}" in card
    assert f"{100 * found['met'] / found['due']:.0f} %" in card
    opened.page.click("#cards .figure:nth-child(3) button")
    assert opened.page.inner_text("#list-note").startswith(f"{found['due'] - found['met']} pull request")


@pytest.mark.parametrize("one_by_one", [10, 60], ids=["range cut", "period before cut"])
def test_a_cut_page_says_the_same_of_the_presets(
    browser: Browser, lab: MetricsLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_by_one: int
) -> None:
    """Where the pull requests of a range are not in the page, its figures come from sums, by SQL."""
    monkeypatch.setattr("prpipeline.report.write.ONE_BY_ONE", one_by_one)
    calendar = [(one.start, one.end) for one in working_intervals(MetricSettings().calendar, 2023, 2027)]
    with open_published(lab.publish(tmp_path)) as connection:
        write_report(connection, tmp_path / "report.html", ReportOptions(working_time=calendar))
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
