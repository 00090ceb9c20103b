"""Takes the screenshot of the report for the README: python scripts/screenshot_report.py [REPORT] [PNG]

Needs the development packages and a Chromium. The default of REPORT is the one in data/published.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent


def take(report: Path, picture: Path, scheme: str = "light") -> None:
    """The report's first screen, in a size that a README shows without scaling it up."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": 1200, "height": 860},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        page.goto(report.resolve().as_uri())
        page.locator("#trend svg").wait_for()
        picture.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    report, picture = [
        *(Path(argument) for argument in sys.argv[1:]),
        *(ROOT / "data/published/review_time_report.html", ROOT / "docs/report.png")[len(sys.argv) - 1 :],
    ]
    take(report, picture)
