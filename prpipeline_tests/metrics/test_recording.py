"""A real repository's recording, against what two other projects' own code computes from it.

The recording has reviews but no events, so nothing in it shows when a draft became ready. The other projects saw the
events; for the second comparison, events are derived from their results (im_ready_for_review_at, im_in_draft_s).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prpipeline.publish.reader import open_published
from prpipeline_tests.support import other_tools
from prpipeline_tests.support.metrics_lab import MetricsLab, rows
from prpipeline_tests.support.recorded import lines, load, third_party_times

Row = dict[str, Any]


pytestmark = pytest.mark.xdist_group("recording")  # its fixtures are made once


@pytest.fixture(scope="module")
def theirs(recording: Path) -> dict[int, Row]:
    return third_party_times(recording)


@pytest.fixture(scope="module")
def recorded(recording: Path) -> Iterator[MetricsLab]:
    lab = MetricsLab()
    lab.repository(1, "bitcoin-core/secp256k1")
    load(recording, lab)
    lab.rebuild()
    yield lab
    lab.connection.close()


@pytest.fixture(scope="module")
def as_recorded(recorded: MetricsLab) -> dict[int, Row]:
    return {row["number"]: row for row in recorded.rows("FROM metrics.review_time_hours")}


@pytest.fixture(scope="module")
def with_events(recorded: MetricsLab, as_recorded: dict[int, Row], theirs: dict[int, Row]) -> dict[int, Row]:
    """The same with the missing events added; runs after as_recorded was read."""
    with recorded.gathering():
        for number, row in as_recorded.items():
            key = {name: row[name] for name in ("repository_id", "pull_request_id", "number")}
            for at, event in _missing_events(row, theirs[number]):
                recorded.event(key, at, event)
    recorded.rebuild(aggregates=False)
    return {row["number"]: row for row in recorded.rows("FROM metrics.review_time_hours")}


def _missing_events(row: Row, theirs: Row) -> list[tuple[datetime, str]]:
    ready, draft = _ready(theirs), _seconds(theirs, "im_in_draft_s")
    if ready is None or row["is_draft"]:
        return []
    first = ready - row["created_at"]
    if draft is None or draft == first:
        return [(ready, "ready_for_review")]
    if draft < first:  # opened ready, made a draft later
        return [(ready - draft, "converted_to_draft"), (ready, "ready_for_review")]
    again = ready + timedelta(seconds=1)  # a second draft period, at an unknown time
    return [
        (ready, "ready_for_review"),
        (again, "converted_to_draft"),
        (again + draft - first, "ready_for_review"),
    ]


def _ready(theirs: Row) -> datetime | None:
    text = theirs["im_ready_for_review_at"]
    return datetime.fromisoformat(text.removesuffix("Z")) if text else None


def _seconds(theirs: Row, column: str) -> timedelta | None:
    return timedelta(seconds=float(theirs[column])) if theirs[column] is not None else None


def _hours(theirs: Row, column: str) -> float | None:
    span = _seconds(theirs, column)
    return None if span is None else round(span.total_seconds() / 3600, 2)


def _differences(rows: dict[int, Row], theirs: dict[int, Row], ours: str, column: str) -> dict[int, Row]:
    return {number: row for number, row in rows.items() if row[ours] != _hours(theirs[number], column)}


def test_every_pull_request_is_compared(as_recorded: dict[int, Row], theirs: dict[int, Row]) -> None:
    assert as_recorded.keys() == theirs.keys()


def test_review_time_equals_the_other_projects(as_recorded: dict[int, Row], theirs: dict[int, Row]) -> None:
    different = _differences(as_recorded, theirs, "review_time_hours", "im_first_review_s")
    # They count a review after the merge, we do not: only then we have none.
    assert {row["null_reason"] for row in different.values()} == {"only_after_merge"}
    assert len(as_recorded) - len(different) == 1305


@pytest.fixture(scope="module")
def published(
    recorded: MetricsLab, with_events: dict[int, Row], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A release of the recording with the missing events added."""
    return recorded.publish(tmp_path_factory.mktemp("recording"))


@pytest.mark.parametrize("tool", other_tools.TOOLS)
def test_other_tools_views_equal_their_arithmetic(published: Path, tool: str) -> None:
    with open_published(published) as connection:
        assert other_tools.differences(connection, tool) == []


def test_their_views_equal_their_results(
    with_events: dict[int, Row], theirs: dict[int, Row], published: Path
) -> None:
    with open_published(published) as connection:
        compat = {row["number"]: row for row in rows(connection, "FROM compat_issue_metrics")}
    assert compat.keys() == theirs.keys()
    different = Counter(
        (with_events[number]["is_draft"], _ready(theirs[number]) is not None)
        for number, row in compat.items()
        if row["time_to_first_review_seconds"] != _int(theirs[number]["im_first_review_after_ready_s"])
    )
    assert not different


def _int(text: str | None) -> int | None:
    return None if text is None else int(text)


def _why_pickup_differs(row: Row, theirs: Row, *, events_known: bool) -> str | None:
    ready, draft = _ready(theirs), _seconds(theirs, "im_in_draft_s")
    if row["is_draft"] and row["ready_at"] is None and ready is None:
        return "a draft: no clock of ours runs, theirs runs from the opening"
    if row["reviewed_after_merge"] and row["merged_at"] is not None:
        first = _seconds(theirs, "im_first_review_after_ready_s")
        if first is not None and (ready or row["created_at"]) + first > row["merged_at"]:
            return "they count a review after the merge"
    if ready is not None and not events_known:
        return "the recording lacks the event by which it became ready"
    if ready is not None and draft is not None and draft < ready - row["created_at"]:
        return "opened ready, a draft later: our clock runs from the opening, theirs from the event"
    return None


@pytest.mark.parametrize("events_known", [False, True])
def test_pickup_differs_for_known_reasons_only(
    as_recorded: dict[int, Row], with_events: dict[int, Row], theirs: dict[int, Row], events_known: bool
) -> None:
    rows = with_events if events_known else as_recorded
    different = _differences(rows, theirs, "pickup_time_hours", "im_first_review_after_ready_s")
    why = {n: _why_pickup_differs(row, theirs[n], events_known=events_known) for n, row in different.items()}
    assert [number for number, reason in why.items() if reason is None] == []
    if events_known:
        # Nothing is left that an event could explain.
        assert not any("recording" in str(reason) for reason in why.values())


def _why_draft_differs(row: Row, theirs: Row, *, events_known: bool) -> str | None:
    ready, draft = _ready(theirs), _hours(theirs, "im_in_draft_s")
    if row["draft_hours"] == 0 and draft is None and ready is None:
        return "never a draft: our 0 is their empty"
    if row["is_draft"] and (draft is None or draft <= row["draft_hours"]):
        return "a draft to its end: they count only draft periods that ended, we up to the end"
    if row["state"] == "open" and draft is None:
        return "they say nothing of open pull requests"
    if ready is not None and not events_known:
        return "the recording lacks the events"
    return None


@pytest.mark.parametrize("events_known", [False, True])
def test_draft_time_differs_for_known_reasons_only(
    as_recorded: dict[int, Row], with_events: dict[int, Row], theirs: dict[int, Row], events_known: bool
) -> None:
    rows = with_events if events_known else as_recorded
    different = _differences(rows, theirs, "draft_hours", "im_in_draft_s")
    why = {n: _why_draft_differs(row, theirs[n], events_known=events_known) for n, row in different.items()}
    assert [number for number, reason in why.items() if reason is None] == []
    if events_known:
        assert not any("recording" in str(reason) for reason in why.values())


def test_all_checks_pass(recorded: MetricsLab, with_events: dict[int, Row]) -> None:
    from prpipeline import metrics

    found = {check.name: recorded.rows(check.sql) for check in metrics.all_checks(None)}
    assert {name: rows for name, rows in found.items() if rows} == {}


SIZES = {
    "Competing ends": """
        SELECT count(*) FILTER (review_time_hours IS NULL), count(*),
            count(*) FILTER (review_time_hours IS NULL AND closed_at >= '2016-09-14'),
            count(*) FILTER (closed_at >= '2016-09-14')
        FROM review_time_hours WHERE state <> 'open'
    """,
    "Deleted accounts": """
        SELECT
            (SELECT count(*) FROM reviews WHERE reviewer_id IS NULL), (SELECT count(*) FROM reviews),
            (SELECT count(DISTINCT pull_request_id) FROM reviews WHERE reviewer_id IS NULL),
            count(*) FILTER (author_id IS NULL), count(*)
        FROM review_time_hours
    """,
    "Before reviews, and imported repositories": """
        SELECT count(*), (SELECT count(*) FROM review_evidence WHERE hours_since_created < 0)
        FROM pull_requests ANTI JOIN reviews USING (pull_request_id) WHERE closed_at < '2016-09-14'
    """,
    "Approvals of drafts": """
        SELECT sum(early), sum(n), count(*) FILTER (early = n) FROM (
            SELECT count(*) AS n, count(*) FILTER (NOT is_since_ready) AS early FROM review_evidence
            WHERE is_qualifying AND original_state = 'APPROVED' GROUP BY pull_request_id
        )
    """,
    "What reconciling cannot see": """
        SELECT count(*) FILTER (closed_at < last_change - INTERVAL 30 DAY), count(*)
        FROM pull_requests, (SELECT max(updated_at) AS last_change FROM pull_requests)
    """,
}


def test_the_page_says_how_large_each_doubt_is(published: Path, recording: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "what-numbers-cannot-tell.md").read_text(encoding="utf-8")
    sections = re.split(r"^## (.+)$", page, flags=re.MULTILINE)[1:]
    said = {
        title: [int(size.replace(",", "")) for size in re.findall(r"\*\*([\d,]+)\*\*", text)]
        for title, text in zip(sections[::2], sections[1::2], strict=True)
    }
    pulls = list(lines(recording / "pulls.jsonl.gz"))
    texts = [pull["body"].lower() for pull in pulls if pull.get("body")]
    commits = sum(pull["commits"] > 1 for pull in pulls)
    found = {"Co-authors": [commits, len(pulls), sum("co-authored-by" in text for text in texts), len(texts)]}
    with open_published(published) as connection:
        for title, sql in SIZES.items():
            found[title] = list(connection.execute(sql).fetchall()[0])
        nobody_first = connection.execute(
            "SELECT count(*) FROM review_time_hours WHERE first_review_id IS NOT NULL AND first_reviewer_login IS NULL"
        ).fetchall()
    assert found == said
    assert nobody_first == [(0,)]
