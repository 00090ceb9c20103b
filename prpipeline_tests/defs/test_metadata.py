"""What the UI shows: text that stays text, pictures that are small, lineage that leads somewhere."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from prpipeline.defs import metadata, picture
from prpipeline.publish.release import Release
from prpipeline.sync import SyncResult
from prpipeline.warehouse.summary import Week


def test_signs_are_written_so_that_they_mean_themselves() -> None:
    assert metadata.plain("no_reviews") == "no&#95;reviews"
    assert metadata.plain("a & b <i> | `c`") == "a &#38; b &#60;i&#62; &#124; &#96;c&#96;"
    assert metadata.plain("line\nbreak \u202e turned") == "line break   turned"
    assert len(metadata.plain("x" * 500)) == 60


@pytest.mark.parametrize("medians", [[3.0], [None, 2.5, None, 114.0], [0.0, 0.0], [12345.678] * 40])
def test_the_picture_has_a_bar_a_week_and_is_shown_at_once(medians: list[float | None]) -> None:
    monday = date(2026, 1, 5)
    weeks = [Week(monday + timedelta(weeks=n), 1, median) for n, median in enumerate(medians)]
    svg = picture.review_time_by_week(weeks)
    path = ElementTree.fromstring(svg).findall("{http://www.w3.org/2000/svg}path")[0].attrib["d"]
    assert path.count("M") == min(26, sum(median is not None for median in medians))
    markdown = picture.markdown(svg, "Median hours until the first review, by week")
    address = re.fullmatch(r"!\[[^]]*]\(<data:image/svg\+xml,([^<>]*)>\)", markdown)
    assert address
    assert unquote(address[1]) == svg
    assert len(markdown) < 1000  # longer ones the UI hides behind a click


def test_weeks_without_a_pull_request_have_their_place() -> None:
    monday = date(2026, 5, 4)
    svg = picture.review_time_by_week([Week(monday, 1, 1.0), Week(monday + timedelta(weeks=3), 1, 1.0)])
    places = [int(x) for x in re.findall(r"M(\d+) \d+v", svg)]
    assert places[1] - places[0] == 3 * 16


def test_what_is_wrong_with_all_is_said_once() -> None:
    def failed(number: int, error: str) -> SyncResult:
        return SyncResult(f"octo/{number}", None, None, "failed", error=error)

    refused = [failed(number, "GitHub does not accept the token (401).") for number in range(12)]
    assert metadata.failures([*refused, failed(12, "No answer.")], 20, publishes=True) == (
        "13 of 20 repositories failed; the others are done, and published by this run. octo/0, octo/1, octo/2, octo/3, octo/4, octo/5, octo/6, "
        "octo/7, octo/8, octo/9 and 2 more: GitHub does not accept the token (401). octo/12: No answer. "
        + metadata.AGAIN
    )


def test_the_median_is_among_what_the_ui_plots_of_each_publication() -> None:
    release = Release(
        Path("file"), Path(), datetime(2026, 5, 18), {"review_time_hours": 2}, True, size_bytes=1, seconds=0.1
    )
    weeks = [Week(date(2026, 5, 4), 2, 3.456), Week(date(2026, 5, 11), 1, None)]
    assert metadata.of_release(release, weeks, [])["median hours, last week with reviews"] == 3.46
