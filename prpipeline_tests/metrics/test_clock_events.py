"""The published clock events give the published numbers: the hours between starts and stops equal the columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prpipeline import metrics
from prpipeline.app.pipeline import Pipeline
from prpipeline.model.repository import RepositoryName
from prpipeline.model.sql import Connection
from prpipeline.publish.reader import open_published
from prpipeline.sandbox.github import Sandbox, World, sample_world
from prpipeline.settings import MetricSettings, load_settings
from prpipeline.sync import SyncOptions
from prpipeline_tests.metrics.test_properties import histories, metric_settings
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab, rows, with_own_reviews
from prpipeline_tests.support.reference import History, Person, Review
from prpipeline_tests.support.sync_lab import small_world

COLUMNS = {
    "review_time": "review_time_hours",
    "review_time_any": "review_time_hours_any",
    "pickup_time": "pickup_time_hours",
    "time_to_first_approval": "time_to_first_approval_hours",
    "time_to_merge": "time_to_merge_hours",
    "cycle_time": "cycle_time_hours",
    "draft": "draft_hours",
    "waiting": "waiting_hours",
}
OPENED = datetime(2026, 5, 4, 10)
ANN, BOB = Person(1, "ann"), Person(2, "bob")


def hours(moments: list[tuple[datetime, datetime]]) -> float:
    return round(sum((stop - start).total_seconds() for start, stop in moments) / 3600, 2)


def expected_hours(
    clock: str, starts: list[datetime], stops: list[datetime], as_of: datetime
) -> float | None:
    """The hours between the starts and stops of one clock of one pull request, as its column has them."""
    assert len(stops) <= len(starts) <= (99 if clock in ("draft", "waiting") else 1), clock
    if clock == "waiting" and not (
        starts and (len(stops) < len(starts) or stops[-1] == max(starts[-1], as_of))
    ):
        return None
    if clock in ("draft", "waiting"):
        ends = [*stops, as_of][: len(starts)]
        assert len(ends) == len(starts)
        return hours([(start, max(start, end)) for start, end in zip(starts, ends, strict=True)])
    return hours([(starts[0], stops[0])]) if stops else None


def compare(connection: Connection, as_of: datetime | None = None) -> int:
    """How many clocks were compared, of all pull requests of a published file."""
    as_of = as_of or connection.execute("SELECT as_of FROM pipeline_status").fetchone()[0]
    moments: dict[tuple[int, str, str], list[datetime]] = defaultdict(list)
    for row in rows(connection, "FROM clock_events ORDER BY happened_at"):  # type: ignore[arg-type]
        assert row["clock"] in COLUMNS
        assert row["what"] in {"starts", "stops"}
        assert (row["review_id"] is not None) == (row["event"] == "review")
        moments[row["pull_request_id"], row["clock"], row["what"]].append(row["happened_at"])
    compared = 0
    for times in rows(connection, "FROM review_time_hours"):  # type: ignore[arg-type]
        number = times["pull_request_id"]
        for clock, column in COLUMNS.items():
            starts, stops = (
                moments.pop((number, clock, "starts"), []),
                moments.pop((number, clock, "stops"), []),
            )
            if clock == "draft" and times[column] is None:
                assert not starts + stops
                continue
            assert expected_hours(clock, starts, stops, as_of) == times[column], (times, clock, starts, stops)
            compared += 1
    assert not moments, "clocks of no pull request"
    return compared


def sample_data() -> World:
    return sample_world(now=datetime(2026, 5, 4, 12).astimezone())


@pytest.mark.slow
@pytest.mark.parametrize("make", [sample_data, small_world])
def test_clocks_of_a_synced_world_give_the_numbers(tmp_path: Path, make: Callable[[], World]) -> None:
    world = make()
    (tmp_path / "none.yaml").write_text("repositories: []\n", encoding="utf-8")
    with Sandbox(world, tokens=["sandbox-token"]) as sandbox:
        environment = {
            "PRPIPELINE_DATA_DIR": str(tmp_path),
            "PRPIPELINE_REPOSITORIES": str(tmp_path / "none.yaml"),
            "GITHUB_API_URL": sandbox.url,
            "GITHUB_TOKEN": "sandbox-token",
        }
        pipeline = Pipeline(load_settings(environment))
        names = [repository.full_name for repository in world.repositories.values()]
        pipeline.tracking.track([RepositoryName.parse(name) for name in names], tracked_by="cli")
        assert not [result.error for result in pipeline.sync(names, SyncOptions()) if result.error]
    pipeline.aggregate()
    with open_published(pipeline.publish().path) as connection:
        in_world = sum(len(repository.pull_requests) for repository in world.repositories.values())
        assert compare(connection) > 7.9 * in_world > 100


@pytest.fixture(scope="module")
def shared() -> Iterator[MetricsLab]:
    """A lab with the published tables as views over the warehouse's tables."""
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    for table in ("review_time_hours", "review_evidence", "draft_periods"):
        lab.connection.execute(f"CREATE VIEW main.{table} AS FROM metrics.{table}")
    lab.connection.execute("CREATE VIEW main.pipeline_status AS SELECT as_of FROM metrics.metric_settings")
    lab.connection.execute(
        "CREATE VIEW main.repositories AS SELECT repository_id, as_of, "
        "CASE WHEN is_tracked THEN 'ok' ELSE 'untracked' END AS status FROM metrics.repository_clocks"
    )
    lab.connection.execute(
        "CREATE VIEW main.review_events AS SELECT *, 'octo/app' AS repository FROM raw.review_events"
    )
    lab.connection.execute(f"CREATE OR REPLACE VIEW clock_events AS {metrics.published_view('clock_events')}")
    yield lab
    lab.connection.close()


@pytest.mark.examples
@given(st.lists(histories(), min_size=1, max_size=25), metric_settings)
def test_clocks_of_random_histories_give_the_numbers(
    shared: MetricsLab, found: list[History], chosen: MetricSettings
) -> None:
    shared.clear()
    shared.store(with_own_reviews(found))
    shared.rebuild(chosen, aggregates=False)
    assert compare(shared.connection) >= 7 * len(found)


Clocks = list[tuple[float, str, str, str, int | None]]


def clocks(lab: MetricsLab, histories: list[History]) -> list[Clocks]:
    """Of each history its events: hours since the opening, clock, what happens, by which event and review."""
    lab.clear()
    lab.store(with_own_reviews(histories))
    lab.rebuild(aggregates=False)
    found: list[Clocks] = [[] for _ in histories]
    for row in lab.rows("FROM clock_events ORDER BY happened_at, what DESC, clock"):
        hour = (row["happened_at"] - OPENED) / timedelta(hours=1)
        event = (hour, *(row[name] for name in ("clock", "what", "event", "review_id")))
        found[row["pull_request_id"] - 1_000_001].append(event)
    return found


def later(number: float) -> datetime:
    return OPENED + timedelta(hours=number)


def opened(reviewed: bool = False, **more: Any) -> History:
    """A pull request; reviewed two hours after the opening or never."""
    reviews = [Review(7, BOB, "COMMENTED", later(2))] if reviewed else []
    return History(ANN, OPENED, reviews=reviews, **more)


TO_DRAFT, READY = (later(3), "converted_to_draft"), (later(4), "ready_for_review")
CLOSINGS = [(later(1), "closed"), (later(2), "reopened")]
START, REVIEWED = (0.0, "starts", "opened"), (2.0, "stops", "review")
DRAFT_STOPS, READY_STARTS = (3.0, "stops", "converted_to_draft"), (4.0, "starts", "ready_for_review")
CLOSED_AND_REOPENED = [START, (1.0, "stops", "closed"), (2.0, "starts", "reopened")]

# What happened, and the events of the waiting clock.
WAITING = [
    (opened(), [START]),
    (opened(reviewed=True), [START, REVIEWED]),
    (opened(closed_at=later(1)), [START, (1.0, "stops", "closed")]),
    (opened(merged_at=later(1), reviewed=True), [START, (1.0, "stops", "merged")]),
    (opened(is_draft=True, toggles=[TO_DRAFT]), [START, DRAFT_STOPS]),
    (opened(is_draft=True, toggles=[TO_DRAFT], reviewed=True), [START, REVIEWED]),
    (opened(toggles=[TO_DRAFT, READY]), [START, DRAFT_STOPS, READY_STARTS]),
    (opened(toggles=CLOSINGS), CLOSED_AND_REOPENED),
    (
        opened(toggles=[*CLOSINGS, (later(5), "closed")], closed_at=later(5)),
        [*CLOSED_AND_REOPENED, (5.0, "stops", "closed")],
    ),
    # Opened as a draft: waits from when it was ready, or not at all if it was reviewed before.
    (opened(toggles=[READY]), [READY_STARTS]),
    (opened(toggles=[READY], reviewed=True), []),
    # It is a draft, but no event shows since when.
    (opened(is_draft=True, toggles=[TO_DRAFT, READY]), []),
]


DRAFT_AT_THE_CLOSE = History(
    ANN,
    OPENED,
    is_draft=True,
    toggles=[(later(1), "ready_for_review"), (later(3), "converted_to_draft")],
    closed_at=later(5),
)
AFTER_THE_MERGE = History(
    ANN,
    OPENED,
    merged_at=later(1),
    reviews=[Review(7, BOB, "APPROVED", later(9))],
    toggles=[(later(9), "ready_for_review")],
)


@pytest.fixture(scope="module")
def of_cases(shared: MetricsLab) -> list[Clocks]:
    return clocks(shared, [*(history for history, _ in WAITING), DRAFT_AT_THE_CLOSE, AFTER_THE_MERGE])


def test_waiting_stops_at_the_first_review_or_end(of_cases: list[Clocks]) -> None:
    for (history, expected), found in zip(WAITING, of_cases, strict=False):
        waiting = [event for event in found if event[1] == "waiting"]
        assert [(at, what, event) for at, _, what, event, _ in waiting] == expected, history
        for *_, event, review_id in waiting:
            assert review_id == (history.reviews[0].id if event == "review" else None)


def test_draft_clock_stops_with_the_pull_request(of_cases: list[Clocks]) -> None:
    assert [row[:4] for row in of_cases[-2] if row[1] == "draft"] == [
        (0.0, "draft", "starts", "opened"),
        (1.0, "draft", "stops", "ready_for_review"),
        (3.0, "draft", "starts", "converted_to_draft"),
        (5.0, "draft", "stops", "closed"),
    ]


def test_events_after_the_merge_have_no_clock(of_cases: list[Clocks]) -> None:
    """Neither a draft that is marked ready after it, nor a review of it."""
    stopped = {(clock, at) for at, clock, what, *_ in of_cases[-1] if what == "stops"}
    assert stopped == {("cycle_time", 1.0), ("draft", 1.0), ("review_time_any", 9.0)}
    assert later(9) < AS_OF


def test_clocks_of_an_untracked_repository_stop_at_its_last_sync(shared: MetricsLab) -> None:
    last_sync = OPENED + timedelta(hours=6)
    was_draft = [
        (OPENED + timedelta(hours=n), event)
        for n, event in ((1, "ready_for_review"), (3, "converted_to_draft"))
    ]
    shared.untrack(last_sync)
    try:
        waits, _, draft, *_ = clocks(
            shared,
            [
                History(ANN, OPENED),
                History(ANN, last_sync + timedelta(hours=1)),  # by a clock that runs ahead
                History(ANN, OPENED, is_draft=True, toggles=was_draft),
                History(ANN, OPENED, is_draft=True),
                History(ANN, OPENED, closed_at=OPENED + timedelta(hours=1)),
                History(ANN, OPENED, reviews=[Review(7, BOB, "APPROVED", OPENED + timedelta(hours=2))]),
            ],
        )
        assert [row for row in waits if row[1] == "waiting"] == [
            (0.0, "waiting", "starts", "opened", None),
            (6.0, "waiting", "stops", "last_sync", None),
        ]
        assert [row for row in draft if row[0] == 6.0] == [(6.0, "draft", "stops", "last_sync", None)]
        (as_of,) = shared.connection.execute("SELECT as_of FROM metrics.repository_clocks").fetchone() or (
            None,
        )
        assert as_of == last_sync
        assert compare(shared.connection, as_of) == 6 * len(COLUMNS)
    finally:
        shared.track()
