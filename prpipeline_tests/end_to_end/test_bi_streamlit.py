"""The app in docs/, opened in a browser."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from prpipeline_tests.end_to_end.conftest import Published
from prpipeline_tests.support.bi_environments import foreign_environment, of_page
from prpipeline_tests.support.bi_page import ROOT, recipe
from prpipeline_tests.support.bi_server import serving
from prpipeline_tests.support.dagster_server import free_port
from prpipeline_tests.support.report_browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def app(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address, started as the page says."""
    port = free_port()
    shutil.copy(ROOT / "docs" / "review_times_app.py", checkout / "docs")
    options = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
    home = tmp_path_factory.mktemp("home")
    environment = foreign_environment(of_page("streamlit").path) | {"HOME": str(home)}
    url = f"http://127.0.0.1:{port}/"
    with serving(
        [*shlex.split(recipe("streamlit")), *options, "--browser.gatherUsageStats=false"],
        f"{url}_stcore/health",
        checkout,
        environment,
        home / "log",
    ):
        yield url


def opened(browser: Browser, url: str, scheme: str = "light", width: int = 1280) -> Page:
    """The page once all of it is drawn."""
    page = browser.new_page(
        viewport={"width": width, "height": 1600},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(url)
    page.get_by_role("heading", name="What waits for its first review now?").wait_for(timeout=60_000)
    page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").nth(1).wait_for()
    return page


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 420)])
def test_all_is_drawn(browser: Browser, app: str, checkout: Path, scheme: str, width: int) -> None:
    page = opened(browser, app, scheme, width)
    assert page.locator("[data-testid=stException], [data-testid=stAlert]").all_inner_texts() == []
    numbers = page.locator("[data-testid=stMetricValue]").all_inner_texts()
    with duckdb.connect(str(checkout / "data/published/prpipeline.duckdb"), read_only=True) as connection:
        asked = connection.execute("""
            SELECT printf('%.1f', median(review_time_hours)), count(*)::VARCHAR,
                   (SELECT count(*) FROM review_queue WHERE NOT is_bot_author)::VARCHAR
            FROM review_time_hours, pipeline_status
            WHERE is_counted AND created_at >= as_of - INTERVAL 84 DAY""").fetchone()
    assert asked is not None
    assert numbers[:3] == list(asked)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_view_is_in_the_address(browser: Browser, app: str) -> None:
    page = opened(browser, f"{app}?clock=in+business+hours")
    assert page.get_by_text("Median hours to the first review, in business hours").is_visible()
    page.close()


def test_an_open_page_follows_the_next_release(browser: Browser, app: str, published: Published) -> None:
    """Nobody reloads it."""
    page = opened(browser, app)
    opened_before = int(page.locator("[data-testid=stMetricValue]").nth(1).inner_text())
    published.world.open_pull_request("octo-labs/rocket", "ada", "One more")
    published.publish_again()
    page.locator("[data-testid=stMetricValue]", has_text=str(opened_before + 1)).wait_for(timeout=60_000)
    assert page.locator("[data-testid=stException]").count() == 0
    page.close()


def test_without_a_publication_it_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    environment = foreign_environment(of_page("streamlit").path) | {"HOME": str(tmp_path)}
    command = ["streamlit", "run", str(ROOT / "docs" / "review_times_app.py"), "--server.headless=true"]
    with serving(
        [*command, f"--server.port={port}"],
        f"http://127.0.0.1:{port}/_stcore/health",
        tmp_path,
        environment,
        tmp_path / "log",
    ):
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_text("run 'prpipeline sync'").wait_for(timeout=60_000)
        assert page.locator("[data-testid=stException]").count() == 0
