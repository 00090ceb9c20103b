"""Chromium without a window, for looking at Dagster's UI as a person does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from prpipeline_tests.support import chromium


@contextmanager
def page(profile: Path) -> Iterator[Page]:
    """A page in a new browser profile."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium.executable(),
            headless=True,
            args=chromium.OPTIONS,
            viewport={"width": 1600, "height": 1000},
        )
        context.set_default_timeout(90_000)
        yield context.pages[0]
        context.close()
