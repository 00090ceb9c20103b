"""What the report answers, by clicking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from prpipeline_tests.support.report_browser import Opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


def test_which_got_slower_which_waited_longest_and_why(browser: Browser, answers: Path) -> None:
    opened = Opened(browser, answers)
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


def test_few_are_faded_and_not_judged(browser: Browser, answers: Path) -> None:
    opened = Opened(browser, answers)
    row = opened.page.locator("#compare tbody tr", has_text="few")
    assert "(n = 1)" in row.inner_text()
    assert row.locator(".badge").count() == 0
    assert row.locator(".few").count() >= 3
    assert opened.table("#compare")[-1][0].replace("\n", "") == "octo/few"
    opened.page.select_option("#scope", label="octo/few")
    assert opened.page.locator("#cards .badge.good, #cards .badge.bad").count() == 0


def test_a_view_can_be_sent(browser: Browser, answers: Path) -> None:
    opened = Opened(browser, answers)
    opened.page.select_option("#scope", label="core")
    opened.choose("range", "12 weeks")
    opened.choose("clock", "Business hours")
    opened.choose("compare-kind", "First reviewers")
    address = opened.page.evaluate("location.hash")
    assert address == "#scope=team%3Acore&range=12w&clock=business&compare=reviewers"
    summary, table = opened.page.inner_text("#summary"), opened.table("#compare")
    other = Opened(browser, answers, view=address)
    assert (other.page.inner_text("#summary"), other.table("#compare")) == (summary, table)
    assert other.page.input_value("#scope") == "team:core"
    dates = "#range=free&from=2026-05-04&to=2026-05-10"
    other.page.evaluate(f"location.hash = {dates!r}")
    other.page.wait_for_function(
        "document.querySelector('#headline').textContent.startsWith('The days 2026-05-04 to 2026-05-10')"
    )
    assert other.page.input_value("#from") == "2026-05-04"
    wrong = Opened(browser, answers, view="#scope=team:gone&range=x&clock=y&compare=z&from=1")
    assert wrong.page.inner_text("#summary") == Opened(browser, answers).page.inner_text("#summary")
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
def test_a_click_lists_the_pull_requests(browser: Browser, answers: Path, place: str, at: Any) -> None:
    opened = Opened(browser, answers, view="#range=12w")
    opened.page.click(place, position=at)
    opened.page.wait_for_selector("#list[open]")
    listed = len(opened.table("#list"))
    assert listed > 0
    assert opened.page.inner_text("#list-note").startswith(f"{listed} pull request")
    opened.page.keyboard.press("Escape")
    assert opened.page.is_hidden("#list")
    assert opened.said == []
