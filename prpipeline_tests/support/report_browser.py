"""Pages of the report in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from prpipeline_tests.support.chromium import NAMES, OPTIONS, executable

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own browser; skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = executable()
    if found is None:
        pytest.skip(f"no browser here: install one of {', '.join(NAMES)}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


class Opened:
    """A page, with all it said and asked for."""

    def __init__(
        self,
        browser: Browser,
        file: Path,
        scheme: Literal["light", "dark"] = "light",
        width: int = 1280,
        view: str = "",
    ) -> None:
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        self.said: list[str] = []
        self.asked_for: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self.asked_for.append(request.url))
        self.page.goto(file.as_uri() + view)
        self.page.wait_for_selector("body.drawn", state="attached")

    def _dismiss(self, dialog: Dialog) -> None:
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def choose(self, group: str, label: str) -> None:
        """Click one of the buttons of a group, as people do."""
        self.page.click(f"#{group} label:has-text('{label}')")

    def table(self, place: str) -> list[list[str]]:
        """The cells of a table's rows as they are read."""
        rows: list[list[str]] = self.page.evaluate(
            "place => [...document.querySelectorAll(`${place} tbody tr`)].map(tr => [...tr.children].map(td => td.innerText.trim()))",
            place,
        )
        return rows

    def points(self, chart: str) -> int:
        """How many shapes with an extent a chart consists of."""
        return int(
            self.page.evaluate(
                "id => [...document.querySelectorAll(`#${id} svg path`)]"
                ".filter(p => { const b = p.getBBox(); return b.width + b.height > 1 }).length",
                chart,
            )
        )
