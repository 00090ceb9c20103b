"""Chromium without a window, for looking at Dagster's UI as a person does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from prpipeline_tests.support import chromium
from prpipeline_tests.support.dagster_server import ENDED, DagsterServer, wait_for


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


def open_dialog(page: Page, dagster: DagsterServer, asset: str | None = None) -> None:
    """Lineage → Materialize all, or the page of one asset → Materialize."""
    page.goto(f"{dagster.url}/assets/{asset}" if asset else f"{dagster.url}/asset-groups")
    page.get_by_role("button", name="Materialize all" if asset is None else "Materialize").first.click()
    page.get_by_text("Partition selection").wait_for()


def launch(page: Page, dagster: DagsterServer) -> dict[str, str]:
    """Click, and wait for the end of the run; the run as the list of runs shows it."""
    before = {run["runId"] for run in dagster.runs()}
    page.get_by_role("button", name="Launch 1 run").click()
    run_id = wait_for(
        "The run",
        lambda: next(
            (
                r["runId"]
                for r in dagster.runs()
                if r["runId"] not in before and r["jobName"] not in {"sync", "publish"}
            ),
            None,
        ),
    )
    return ended(dagster, run_id)


def ended(dagster: DagsterServer, run_id: str) -> dict[str, str]:
    def look() -> dict[str, str] | None:
        run = next(r for r in dagster.runs() if r["runId"] == run_id)
        return run if run["status"] in ENDED else None

    return wait_for("The end of the run", look) or {}
