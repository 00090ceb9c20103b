"""A browser, and the report of repositories with an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prpipeline.publish.reader import open_published
from prpipeline.report import write_report
from prpipeline_tests.support import report_world
from prpipeline_tests.support.metrics_lab import MetricsLab
from prpipeline_tests.support.report_browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def lab() -> Iterator[MetricsLab]:
    lab = MetricsLab()
    report_world.fill(lab)
    yield lab
    lab.connection.close()


@pytest.fixture(scope="module")
def answers(lab: MetricsLab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("answers")
    with open_published(lab.publish(folder)) as connection:
        write_report(connection, folder / "report.html", report_world.options())
    return folder / "report.html"
