"""The questions of docs/bi.md: the same answers by every client version, and sensible ones."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prpipeline_tests.support.bi_environments import Environment, run

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
QUESTIONS = sorted((ROOT / "docs" / "questions").glob("*.sql"))
ASK = """
import duckdb, json, pathlib, sys
connection = duckdb.connect("data/published/prpipeline.duckdb", read_only=True)
answers = {}
for file in sorted(pathlib.Path("docs/questions").glob("*.sql")):
    result = connection.execute(file.read_text())
    columns = [column[0] for column in result.description]
    answers[file.stem] = [dict(zip(columns, row)) for row in result.fetchall()]
json.dump(answers, sys.stdout, default=str)
"""


@pytest.fixture(scope="module")
def answers(clients: dict[str, Environment], checkout: Path) -> Any:
    return json.loads(run([clients["2.0"].python, "-c", ASK], checkout))


@pytest.mark.parametrize("version", ["1.2", "1.4", "1.5"])
def test_every_version_gives_the_same_answers(
    clients: dict[str, Environment], checkout: Path, answers: dict[str, Any], version: str
) -> None:
    assert json.loads(run([clients[version].python, "-c", ASK], checkout)) == answers


def test_twenty_questions_are_asked_and_listed() -> None:
    page = (ROOT / "docs" / "bi.md").read_text()
    assert len(QUESTIONS) == 20
    for file in QUESTIONS:
        assert file.read_text().startswith("-- "), file
        assert f"questions/{file.name}" in page


def test_answers_are_sane(answers: dict[str, list[dict[str, Any]]], checkout: Path) -> None:
    """Invariants of each answer, and comparisons with plain Python over the published rows."""
    with duckdb.connect(str(checkout / "data/published/prpipeline.duckdb"), read_only=True) as connection:
        rows = connection.execute("FROM review_time_hours").df().to_dict("records")
    people = [row for row in rows if not row["is_bot_author"]]
    weeks = answers["01-how-long-do-we-wait"]
    assert [week["created_week"] for week in weeks] == sorted(
        {w["created_week"] for w in weeks}, reverse=True
    )
    reviewed = {
        f"{row['created_week']:%Y-%m-%d}"
        for row in people
        if row["review_time_hours"] == row["review_time_hours"]
    }
    for week in weeks:
        assert (week["median_hours"] is not None) == (week["created_week"] in reviewed)
        assert week["median_hours"] is None or week["median_hours"] <= week["p90_hours"]
    assert {row["period"] for row in answers["02-are-we-getting-faster"]} == {"last 4 weeks", "the 4 before"}
    waits = [row["days"] for row in answers["03-what-waits-now"]]
    assert len(waits) == sum(row["waiting_hours"] == row["waiting_hours"] for row in people)
    assert all(one >= other for one, other in pairwise(waits))
    assert len(answers["04-which-repositories-are-slow"]) == 4
    assert sum(row["percent_of_verdicts"] for row in answers["05-who-carries-the-load"]) == pytest.approx(
        100, abs=1
    )
    assert all(row["unanswered"] <= row["requests"] for row in answers["06-how-fast-are-requests-answered"])
    unreviewed = answers["07-what-is-merged-unreviewed"]
    assert sum(row["merged"] for row in unreviewed) == sum(row["state"] == "merged" for row in people)
    assert sum(row["without_review"] for row in unreviewed) == sum(
        row["merged_without_review"] for row in people
    )
    assert [row["name"] for row in answers["08-when-is-a-bad-time-to-open"]] == [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"
    ]  # fmt: skip
    assert sum(row["n"] for row in answers["09-do-large-ones-wait-longer"]) == len(people)
    for row in answers["10-where-does-the-time-go"]:
        parts = (
            row["before_ready_hours"] + row["waiting_for_review_hours"] + row["from_review_to_merge_hours"]
        )
        assert parts == pytest.approx(row["cycle_hours"], abs=0.2)
