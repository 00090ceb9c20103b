"""The views compat_* against the other tools' arithmetic in plain Python, on random pull requests and on named cases.

A recorded repository is compared in test_recording.py.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prpipeline import metrics
from prpipeline.metrics.statements import sql_file
from prpipeline.publish import dictionary
from prpipeline.publish.reader import open_published
from prpipeline_tests.support import other_tools
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab, rows
from prpipeline_tests.support.other_tools_stories import (
    ANN,
    BOB,
    CAT,
    DEPENDABOT,
    GONE,
    HELPER,
    OPENED,
    OTHER_ROBOT,
    ROBOT,
    RUNNER,
    Story,
    random_story,
    write,
)

LAST_SYNC = AS_OF - timedelta(days=3)  # of the repository that is no longer tracked

Row = dict[str, Any]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    lab, dice = MetricsLab(), random.Random(19)
    lab.repository(1, "octo/app", "core")
    lab.repository(2, "octo/lib")
    for repository_id in (1, 2):
        write(lab, [random_story(dice) for _ in range(100)], repository_id)
    lab.repository(3, "octo/named")
    write(lab, [story for story, _, _ in cases().values()], 3)
    lab.untrack(LAST_SYNC, 2)
    lab.rebuild(aggregates=False)
    with open_published(lab.publish(tmp_path_factory.mktemp("published"))) as connection:
        yield connection


@pytest.mark.parametrize("tool", ["middleware", "devlake", "fivetran", "issue_metrics"])
def test_every_cell_is_what_the_tool_computes(published: Any, tool: str) -> None:
    assert other_tools.differences(published, tool) == []
    assert len(rows(published, f"FROM compat_{tool}")) > 50


def test_what_runs_on_ends_at_the_last_sync_of_a_repository_that_is_no_longer_tracked(published: Any) -> None:
    found = rows(
        published,
        "SELECT repository_id, max(hours_request_review_to_first_review) AS hours, count(*) AS n FROM compat_fivetran "
        "WHERE repository_id < 3 GROUP BY repository_id ORDER BY repository_id",
    )
    tracked, untracked = found
    assert 16 * 24 < untracked["hours"] <= 17 * 24 < 19 * 24 < tracked["hours"] <= 20 * 24
    assert untracked["n"] > 20


def cases() -> dict[str, tuple[Story, str, Row]]:
    """By name a story, the view, and what it says of the story."""
    hour = 3600
    to_draft, ready, ask = "converted_to_draft", "ready_for_review", "review_requested"
    first, rework = "first_response_time_seconds", "rework_time_seconds"
    pickup, review = "pr_pickup_time_minutes", "pr_review_time_minutes"
    in_draft, to_review = "time_in_draft_seconds", "time_to_first_review_seconds"
    many = tuple((10 + n, ask, ANN, BOB) for n in range(50))
    return {
        "from the ready event": (
            Story(
                closed=9 * hour,
                events=((2 * hour, ready, ANN, None),),
                reviews=((3 * hour, BOB, "APPROVED"),),
            ),
            "middleware",
            {first: hour, rework: 0, "merge_time_seconds": 6 * hour, "cycle_time_seconds": 7 * hour},
        ),
        "reviewed before it was ready": (
            Story(
                closed=9 * hour,
                events=((2 * hour, ready, ANN, None),),
                reviews=((hour, BOB, "COMMENTED"), (3 * hour, BOB, "APPROVED")),
            ),
            "middleware",
            {first: -hour, rework: 2 * hour},
        ),
        "a second before it was ready": (
            Story(closed=99, events=((61, ready, ANN, None),), reviews=((60, BOB, "COMMENTED"),)),
            "middleware",
            {first: None, "cycle_time_seconds": 38},
        ),
        "ready a second after the merge": (
            Story(closed=60, events=((61, ready, ANN, None),)),
            "middleware",
            {"cycle_time_seconds": None},
        ),
        "bots by type and by name, and deleted accounts": (
            Story(
                closed=9 * hour,
                events=(
                    (1, ready, GONE, None),
                    (2, ready, HELPER, None),
                    (3, ready, ROBOT, None),
                    (60, ready, ANN, None),
                ),
                reviews=(
                    (61, HELPER, "APPROVED"),
                    (62, RUNNER, "APPROVED"),
                    (63, ROBOT, "APPROVED"),
                    (64, GONE, "APPROVED"),
                    (120, DEPENDABOT, "COMMENTED"),
                    (180, CAT, "DISMISSED"),
                ),
            ),
            "middleware",
            {first: 60, rework: None, "cycle_time_seconds": 9 * hour - 60},
        ),
        "closed, not merged": (
            Story(closed=99, is_merged=False, reviews=((60, ANN, "APPROVED"),)),
            "middleware",
            {first: 60, rework: 0, "merge_time_seconds": None, "cycle_time_seconds": None},
        ),
        "59 seconds after the merge": (
            Story(closed=60, reviews=((119, BOB, "APPROVED"),)),
            "devlake",
            {pickup: 2, review: 0, "pr_cycle_time_minutes": 1},
        ),
        "60 seconds after the merge": (
            Story(closed=60, reviews=((120, BOB, "APPROVED"),)),
            "devlake",
            {pickup: 2, review: None},
        ),
        "a deleted reviewer": (Story(closed=99, reviews=((60, GONE, "APPROVED"),)), "devlake", {pickup: 1}),
        "a bot": (Story(closed=99, reviews=((60, ROBOT, "APPROVED"),)), "devlake", {pickup: 1}),
        "bots and deleted accounts are one account": (
            Story(ROBOT, closed=99, reviews=((1, OTHER_ROBOT, "APPROVED"), (2, GONE, "APPROVED"))),
            "devlake",
            {pickup: None},
        ),
        "the 101st review": (
            Story(
                closed=99, reviews=(*((n, ANN, "COMMENTED") for n in range(1, 101)), (101, BOB, "APPROVED"))
            ),
            "devlake",
            {pickup: None},
        ),
        "asked of a team": (
            Story(
                closed=9 * hour,
                events=((hour, ask, ANN, "octo/core"),),
                reviews=((2 * hour, BOB, "APPROVED"),),
            ),
            "fivetran",
            {"hours_request_review_to_first_review": 1.0, "hours_request_review_to_first_action": 8.0},
        ),
        "asked after the merge": (
            Story(closed=hour, events=((2 * hour, ask, ANN, BOB),)),
            "fivetran",
            {
                "hours_request_review_to_merge": -1.0,
                "hours_request_review_to_first_action": -1.0,
                "hours_request_review_to_first_review": 478.0,
            },
        ),
        "ready and a draft again in one second": (
            Story(
                closed=99,
                events=(
                    (60, ready, ANN, None),
                    (60, to_draft, ANN, None),
                    (90, ready, ANN, None),
                ),
            ),
            "issue_metrics",
            {in_draft: 90, "ready_for_review_at": OPENED + timedelta(seconds=60)},
        ),
        "a draft and ready again in one second": (
            Story(closed=99, events=((60, to_draft, ANN, None), (60, ready, ANN, None))),
            "issue_metrics",
            {in_draft: 60},  # nothing came before the ready event, so it is taken for a draft from the start
        ),
        "repeated events": (
            Story(
                closed=99,
                events=((10, to_draft, ANN, None), (30, to_draft, ANN, None), (90, ready, ANN, None)),
            ),
            "issue_metrics",
            {in_draft: 60},
        ),
        "closed as a draft": (
            Story(closed=99, is_merged=False, is_draft=True),
            "issue_metrics",
            {in_draft: None},
        ),
        "open as a draft": (Story(is_draft=True), "issue_metrics", {in_draft: 20 * 86_400}),
        "the 50th event": (
            Story(closed=99, events=(*many[:49], (70, ready, ANN, None)), reviews=((90, BOB, "APPROVED"),)),
            "issue_metrics",
            {to_review: 20},
        ),
        "the 51st event": (
            Story(closed=99, events=(*many, (70, ready, ANN, None)), reviews=((90, BOB, "APPROVED"),)),
            "issue_metrics",
            {to_review: 90, "ready_for_review_at": None, in_draft: 70},
        ),
        "a deleted account reviewed first": (
            Story(closed=99, reviews=((1, ANN, "COMMENTED"), (2, GONE, "APPROVED"), (3, BOB, "APPROVED"))),
            "issue_metrics",
            {to_review: None, "time_to_merge_seconds": 99},
        ),
        "a deleted account reviewed later": (
            Story(closed=99, reviews=((3, BOB, "APPROVED"), (4, GONE, "APPROVED"))),
            "issue_metrics",
            {to_review: 3},
        ),
        "a deleted account asked first": (
            Story(closed=99, events=((1, ask, GONE, BOB), (9, ready, ANN, None))),
            "issue_metrics",
            {"ready_for_review_at": None, in_draft: None, "time_to_merge_seconds": 99},
        ),
        "a deleted account asked later": (
            Story(closed=99, events=((9, ready, ANN, None), (10, ask, GONE, BOB))),
            "issue_metrics",
            {"time_to_merge_seconds": 90, in_draft: None},
        ),
    }


def test_named_cases(published: Any) -> None:
    named = cases()
    found = {}
    for number, (name, (_, tool, expected)) in enumerate(named.items(), 1):
        (row,) = rows(published, f"FROM compat_{tool} WHERE repository = 'octo/named' AND number = {number}")
        found[name] = {column: row[column] for column in expected}
    assert found == {name: expected for name, (*_, expected) in named.items()}


@pytest.mark.parametrize("view", [view for view in metrics.published_views() if view.startswith("compat_")])
def test_version_and_files_are_named_wherever_the_view_is_explained(view: str) -> None:
    head = " ".join(sql_file(view).definition.split())
    page = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text(encoding="utf-8")
    described = dictionary.load().table(view).description
    for text in (head, described):
        assert "deleted account" in text.lower()
    if view == "compat_origin":
        assert all("no public version" in text for text in (head, described))
        return
    (source,) = re.findall(r"From (\S+ at [0-9a-f]{8} \([^)]*\))[,:]", head)
    files = re.findall(r"\w+\.(?:py|go|sql)\b", head.partition(source)[2].partition(". ")[0])
    assert len(files) >= 3
    for name in (source, *files):
        assert name in described
        assert name in page
