"""The report as people see it, in a browser."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from prpipeline.report import ReportOptions, write_report
from prpipeline_tests.support import report_samples as samples
from prpipeline_tests.support.report_browser import Opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

CHARTS = ("trend", "distribution", "sizes", "stages", "work", "reviewers", "opened", "reviews")
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "{{constructor.constructor('alert(3)')()}}",
    '"><svg onload=alert(4)>',
    "\u202egnp.exe {a|b} %s ${alert(5)}",
    "javascript:alert(6)",
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    with samples.create() as connection:
        samples.fill(connection, repositories=12, pull_requests=500, years=2, people=24)
        write_report(connection, path)
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_drawn_without_errors(
    browser: Browser, report: Path, scheme: Literal["light", "dark"]
) -> None:
    opened = Opened(browser, report, scheme)
    for chart in CHARTS:
        assert opened.points(chart) > 5, chart
        assert opened.page.get_attribute(f"#{chart} [role=img]", "aria-label")
    assert opened.page.locator(".heat td.filled").count() > 30
    assert opened.page.locator("#queue tbody tr").count() == 10
    assert opened.page.locator(".figure .value").count() == 6
    background = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(n) for n in background[4:-1].split(",")) < 120) is (scheme == "dark")
    assert opened.said == []
    assert [address for address in opened.asked_for if not address.startswith("blob:")] == [report.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(browser: Browser, report: Path, scheme: Literal["light", "dark"]) -> None:
    """Contrast of at least 4.5 (WCAG AA) between each text colour and what lies behind it."""
    opened = Opened(browser, report, scheme)
    ratios = opened.page.evaluate(
        """() => {
            const style = getComputedStyle(document.documentElement);
            const parse = name => style.getPropertyValue(name).trim().match(/\\w\\w/g).map(x => parseInt(x, 16) / 255);
            const light = name => parse(name).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
            const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) };
            return [['--ink', '--card'], ['--ink', '--page'], ['--ink', '--bad-soft'], ['--ink', '--warn-soft'],
                ['--muted', '--card'], ['--muted', '--page'], ['--muted', '--faint'], ['--median', '--card'],
                ['--median', '--faint'], ['--good', '--good-soft'], ['--bad', '--bad-soft'], ['--waiting', '--warn-soft']]
                .map(([a, b]) => [a + b, ratio(a, b)]);
        }"""
    )
    assert {pair: ratio for pair, ratio in ratios if ratio < 4.5} == {}


def test_scope_range_and_theme_redraw(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report)
    everything = opened.page.inner_text("#summary")
    opened.page.select_option("#scope", label="example-company/service-number-5")
    assert opened.page.inner_text("#summary") != everything
    assert opened.page.locator("#compare-kind label").count() == 2
    assert opened.points("trend") > 5
    opened.page.select_option("#scope", label="Team 3")
    assert "service-number-3" in opened.page.inner_text("#compare")
    opened.choose("range", "1 year")
    assert "106 weeks" in str(opened.page.get_attribute("#trend [role=img]", "aria-label"))
    opened.page.click("#theme")
    opened.page.click("#theme")
    assert opened.page.evaluate("document.documentElement.className") == "dark"
    assert opened.said == []


def test_works_with_the_keyboard_only(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report)
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the numbers"
    reached = []
    for _ in range(130):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.closest('section,header')?.querySelector('h1,h2').id ?? ''")
        )
    assert {
        "",
        "headline",
        "compare-title",
        "ended-title",
        "queue-title",
    } <= set(reached)
    page.focus("#queue thead button >> nth=1")
    page.keyboard.press("Enter")
    assert page.get_attribute("#queue thead th >> nth=1", "aria-sort") == "ascending"
    page.focus("#trend summary")
    page.keyboard.press("Enter")
    page.locator("#trend details tbody tr").first.wait_for()
    assert page.locator("#trend details tbody tr").count() == 9
    for group, value in (
        ("heat-measure", "opened"),
        ("range", "12w"),
        ("clock", "ready"),
        ("queue-authors", "drafts"),
    ):
        page.focus(f"#{group} input:checked")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.value") == value


def test_the_heat_map_names_its_time_zone(browser: Browser, tmp_path: Path) -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=timedelta(days=3), review_time_hours=2.0)
        write_report(connection, tmp_path / "report.html", ReportOptions(zone="America/New_York"))
    opened = Opened(browser, tmp_path / "report.html")
    assert "in America/New York" in opened.page.inner_text("#heat-note")
    opened.page.hover(".heat td.filled")
    assert "Friday 11:00" in opened.page.inner_text("#hint")
    assert opened.said == []


def test_tooltips_show_the_numbers(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report)
    opened.page.hover("#trend .chart", position={"x": 500, "y": 100})
    opened.page.wait_for_selector("#trend .tip >> text=90th percentile")
    opened.page.hover(".heat td.filled >> nth=3")
    assert "Reviews submitted" in opened.page.inner_text("#hint")
    assert opened.said == []


def test_fits_a_phone(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report, width=390)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
    assert opened.points("trend") > 5


def test_a_phone_labels_every_colour_and_bar(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report, width=390)
    trend = opened.page.text_content("#trend svg") or ""
    assert [
        name for name in ("Median", "Reviewed", "Still waiting", "Never or draft") if name not in trend
    ] == []
    distribution = opened.page.text_content("#distribution svg") or ""
    assert [
        name for name in ("8–24 h", "> 2 w", "waiting", "never", "draft") if name not in distribution
    ] == []
    heights = opened.page.evaluate("[theme, scope].map(id => id.getBoundingClientRect().height)")
    assert abs(heights[0] - heights[1]) < 8, "the button's text takes two lines"


def test_a_phone_shows_why_without_scrolling_and_says_what_scrolls(browser: Browser, report: Path) -> None:
    page = Opened(browser, report, width=390).page
    for place in ("#ended", "#queue"):
        reasons = page.locator(f"{place} .reason")
        assert reasons.count() > 3
        box = reasons.first.bounding_box()
        assert box
        assert box["x"] + box["width"] <= 390
    wide, hinted = page.evaluate(
        """() => {
            const boxes = [...document.querySelectorAll('.scroll')].filter(box => box.clientWidth);
            const hint = box => getComputedStyle(box, '::before').content;
            return [boxes.filter(box => box.scrollWidth > box.clientWidth + 1).map(hint), boxes.filter(box => box.scrollWidth <= box.clientWidth).map(hint)];
        }"""
    )
    assert wide
    assert set(wide) == {'"Scrolls sideways →"'}
    assert set(hinted) == {"none"}
    page.click("#cards button >> nth=0")
    box = page.locator("#list").bounding_box()
    assert box
    assert box["width"] <= 390


def test_prints_in_light_colours(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report, "dark")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.evaluate("document.documentElement.className") == "printing"
    width = opened.page.evaluate("document.querySelector('#trend svg').getBoundingClientRect().width")
    assert 600 < width < 720
    opened.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.page.evaluate("document.documentElement.className") == "dark"
    assert len(opened.page.pdf(prefer_css_page_size=True)) > 20_000


def test_print_says_what_it_leaves_out(browser: Browser, report: Path) -> None:
    page = Opened(browser, report).page
    page.emulate_media(media="print")
    assert page.is_hidden("#queue .more")
    assert page.is_hidden("#list")
    hints = page.evaluate(
        "[...document.querySelectorAll('.scroll')].map(box => getComputedStyle(box, '::before').content)"
    )
    assert set(hints) == {"none"}
    shown, waiting = page.inner_text("#queue .paper").removeprefix("The first ").rstrip(".").split(" of ")
    assert int(shown) == page.locator("#queue tbody tr").count() < int(waiting)
    page.emulate_media(media="screen")
    assert page.is_hidden("#queue .paper")
    page.click("#queue .more")
    page.emulate_media(media="print")
    assert page.locator("#queue .paper").count() == 0
    # Chromium leaves buttons out of the headings that it repeats on the next page, and keeps plain text.
    assert (
        page.evaluate("getComputedStyle(document.querySelector('#queue thead button')).display") == "contents"
    )


def test_text_from_github_stays_text(browser: Browser, tmp_path: Path) -> None:
    with samples.create() as connection:
        for number, text in enumerate(HOSTILE, start=1):
            samples.add_repository(connection, number, f"octo/{text}", last_error=text, status="failed")
            samples.add_pull_request(
                connection, number, opened=timedelta(days=number), title=text, author_login=text, url=text,
                repository=f"octo/{text}", repository_id=number, team=text, review_time_hours=None,
            )  # fmt: skip
            samples.add_pull_request(
                connection, 100 + number, opened=timedelta(days=9), repository_id=number, review_time_hours=2.0,
                first_review_id=number,
            )  # fmt: skip
            samples.insert(
                connection, "review_evidence", is_qualifying=True, is_verdict=True, is_inline_only=False, repository_id=number, pull_request_id=100 + number, review_id=number,
                reviewer_id=number, reviewer_login=text, is_self=False, is_bot=number % 2 == 0,
                submitted_at=samples.NOW - timedelta(days=8),
            )  # fmt: skip
            samples.insert(
                connection, "review_queue", pull_request_id=number, requested_reviewers=text,
            )  # fmt: skip
        write_report(connection, tmp_path / "report.html")
    opened = Opened(browser, tmp_path / "report.html")
    page = opened.page
    for text in HOSTILE:
        page.select_option("#scope", label=text)
        page.select_option("#scope", label=f"octo/{text}")
        assert text in page.inner_text("#queue")
    page.select_option("#scope", label="All repositories")
    for name in ("trend", "reviewers", "opened"):
        page.hover(f"#{name} .chart", position={"x": 200, "y": 60})
        page.wait_for_timeout(50)
    assert page.locator("#reviewers .tip").count() == 1
    assert page.locator("script").count() == 3  # the rows are gone once they are read
    assert page.locator("main img, main iframe, main [onerror], main [onload]").count() == 0
    assert page.locator("#queue tbody a").count() == 0
    assert opened.said == []


def test_policy_stops_unescaped_markup(browser: Browser, report: Path, tmp_path: Path) -> None:
    broken = tmp_path / "report.html"
    injected = "<img src=x onerror=\"console.log('ran')\"><script>console.log('ran')</script><main "
    broken.write_text(report.read_text().replace("<main ", injected))
    opened = Opened(browser, broken)
    assert opened.said
    assert not [text for text in opened.said if "ran" in text and "Content Security Policy" not in text]


def test_failed_syncs_are_shown(browser: Browser, tmp_path: Path) -> None:
    with samples.create() as connection:
        samples.add_repository(
            connection, 1, "octo/cat", last_error="GitHub did not answer.", status="failed"
        )
        samples.add_repository(connection, None, "octo/new", status="new", last_sync_at=None)  # type: ignore[arg-type]
        samples.add_repository(connection, 3, "octo/fine")
        connection.execute(
            "UPDATE pipeline_status SET jira_projects_failed = 2, oldest_jira_sync_at = '2026-01-02 03:04:05'"
        )
        write_report(connection, tmp_path / "report.html")
    opened = Opened(browser, tmp_path / "report.html")
    problems = opened.page.inner_text("#problems")
    assert "1 repository of 3 could not be synced" in problems
    assert "octo/cat (failed): GitHub did not answer." in problems
    assert "1 repository has not been synced yet" in problems
    assert "2 projects of Jira could not be synced; what is said of issues is old or missing." in problems
    assert "that went well was at 2026-01-02 03:04" in problems
    assert "Issues of Jira were last synced " in opened.page.inner_text("#published")
    assert "GitHub did not answer." in opened.page.inner_text("#data")


def test_sample_data_and_untracked_repositories_are_said_at_the_top(browser: Browser, tmp_path: Path) -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/left", status="untracked")
        samples.add_repository(connection, 2, "octo/fine")
        connection.execute("UPDATE pipeline_status SET is_sample_data = true")
        write_report(connection, tmp_path / "report.html")
    problems = Opened(browser, tmp_path / "report.html").page.inner_text("#problems")
    assert "Sample data." in problems
    assert "1 repository is no longer tracked and stays as last synced: octo/left." in problems


def test_without_failures_there_is_no_column_for_them(browser: Browser, tmp_path: Path) -> None:
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/fine")
        write_report(connection, tmp_path / "report.html")
    opened = Opened(browser, tmp_path / "report.html")
    assert "octo/fine" in opened.page.inner_text("#data")
    assert "Why it failed" not in opened.page.inner_text("#data")


@pytest.mark.parametrize(
    "state", ["nothing tracked", "never synced", "no pull requests", "one waiting", "one reviewed"]
)
def test_little_or_no_data_is_no_error(browser: Browser, tmp_path: Path, state: str) -> None:
    with samples.create() as connection:
        if state == "never synced":
            samples.add_repository(connection, None, "octo/cat", status="new", last_sync_at=None)  # type: ignore[arg-type]
        elif state != "nothing tracked":
            samples.add_repository(connection, 1, "octo/cat")
        if state.startswith("one"):
            hours = 0.0 if state == "one reviewed" else None
            samples.add_pull_request(connection, 1, opened=timedelta(days=2), review_time_hours=hours)
        write_report(connection, tmp_path / "report.html")
    opened = Opened(browser, tmp_path / "report.html")
    text = opened.page.inner_text("main")
    assert opened.said == []
    for wrong in ("NaN", "undefined", "null ", "Infinity"):
        assert wrong not in text
    assert (opened.points("trend") > 0) is state.startswith("one")
