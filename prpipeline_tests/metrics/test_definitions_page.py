"""The example in docs/definitions.md, played on the sandbox, gives its numbers; explain describes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from prpipeline.app import explain
from prpipeline.publish.reader import open_published
from prpipeline.sandbox.github import ManualClock, Sandbox, World
from prpipeline.settings import GitHubSettings
from prpipeline_tests.support.metrics_lab import rows
from prpipeline_tests.support.stories import DAY_1, Stage

PAGE = Path(__file__).parents[2] / "docs" / "definitions.md"
STORY = [
    "10:00 ann opens a draft",
    "10:01 robot[bot] reviews",
    "11:00 ann asks bob for a review",
    "12:00 bob requests changes",
    "14:00 ann marks it ready",
    "15:00 ann reviews",
    "16:00 bob approves",
    "18:00 ann merges",
    "20:00 cat approves",
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the example in octo/app, and in octo/late a pull request that was reviewed after its merge."""
    world = World(ManualClock(DAY_1))
    with Sandbox(world) as sandbox:
        folder = tmp_path_factory.mktemp("definitions")
        stage = Stage(folder, sandbox, world, names=("octo/app", "octo/late"))
        stage.act(STORY)
        with stage.of("octo/late"):
            stage.act(["10:00 ann opens", "18:00 ann merges", "20:00 cat approves"])
        stage.sync()
        stage.pipeline.aggregate()
    return stage.pipeline.publish().path


def only_rows(published: Path, repository: str, *queries: str) -> list[dict[str, Any]]:
    """The one row of this repository of each query."""
    with open_published(published) as connection:
        return [
            row for query in queries for row in rows(connection, f"{query} WHERE repository = '{repository}'")
        ]


def test_the_example_lists_the_same_events() -> None:
    found = re.findall(r"^\| (\d\d:\d\d) \| (\S+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found == [tuple(step.split()[:2]) for step in STORY]


def test_the_example_gives_its_numbers(published: Path) -> None:
    numbers = re.findall(r"^\| `(\w+)\.(\w+)` \| (\S+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(numbers) == 22
    queries = (f"SELECT {column} AS value FROM {table}" for table, column, _ in numbers)
    computed = only_rows(published, "octo/app", *queries)
    assert [str(row["value"]) for row in computed] == [value for *_, value in numbers]


def test_only_a_review_after_the_merge(published: Path) -> None:
    tables = "review_time_hours compat_origin compat_devlake compat_middleware compat_issue_metrics"
    ours, origin, devlake, middleware, issue_metrics = only_rows(
        published, "octo/late", *(f"FROM {table}" for table in tables.split())
    )
    assert (ours["review_time_hours"], ours["null_reason"]) == (None, "only_after_merge")
    assert (devlake["pr_pickup_time_minutes"], devlake["pr_review_time_minutes"]) == (600, None)
    assert (middleware["first_response_time_seconds"], middleware["merge_time_seconds"]) == (36_000, None)
    assert issue_metrics["time_to_first_review_seconds"] == 36_000
    assert origin["review_time_hours"] == 10.0


def test_explain_describes_the_example(published: Path) -> None:
    with open_published(published) as connection:
        story = explain.explain(connection, "Octo/App#1")
        with pytest.raises(explain.ExplainError, match="no pull request #2"):
            explain.explain(connection, "octo/app#2")
        with pytest.raises(explain.ExplainError, match="is not in this database"):
            explain.explain(connection, "octo/other#1")
    found = [(f"{step.at:%H:%M}", step.what, step.note) for step in story.steps]
    assert found == [
        ("10:00", "ann opened it as a draft", "review and cycle time start; draft time starts"),
        ("10:01", "robot[bot] reviewed it", "does not count: by a bot"),
        ("11:00", "ann asked bob for a review", ""),
        (
            "12:00",
            "bob requested changes",
            "review time stops; before it was ready: pickup time has not started",
        ),
        ("14:00", "ann marked it ready for review", "draft time stops; pickup and merge time start"),
        ("15:00", "ann reviewed it", "does not count: by the author"),
        ("16:00", "bob approved it", "pickup time stops; time to first approval stops"),
        ("18:00", "it was merged", "cycle and merge time stop"),
        ("20:00", "cat approved it", "does not count: after the merge"),
    ]
    metrics_of = {metric.name: metric for metric in story.metrics}
    assert metrics_of["review_time_hours"].value == 2.0
    assert metrics_of["waiting_hours"].because == "it is merged"
    assert (
        metrics_of["pickup_time_hours"].because
        == "from 2026-01-05 14:00, when it became ready, to the first review"
    )
    assert set(story.flags) == {"reviewed_in_draft", "reviewed_after_merge"}
    lines = story.lines()
    assert lines[0] == "octo/app#1  A change"
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("name", ["", "octo/app", "octo#1", "octo/app#x", "a/b/c#1"])
def test_an_invalid_pull_request_is_refused(name: str) -> None:
    with pytest.raises(explain.ExplainError, match="no pull request; write one like"):
        explain.named(name, GitHubSettings())
