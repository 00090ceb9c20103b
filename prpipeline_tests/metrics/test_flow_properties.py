"""Random histories of work: the SQL of its flow agrees with replays in plain Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prpipeline import metrics
from prpipeline.settings import MetricSettings
from prpipeline_tests.metrics.test_properties import PEOPLE, START, histories, metric_settings
from prpipeline_tests.support import flow_reference as reference
from prpipeline_tests.support.flow_reference import Members, Team, Work
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab

# Few different seconds, so that ties are common; some eight days.
moments = st.integers(0, 60).map(lambda n: START + timedelta(seconds=n * 11_502))
SUBJECTS = [*PEOPLE, Team(7, "octo/core"), Team(2, "octo/bobs"), Team(None, None)]


@st.composite
def works(draw: st.DrawFn) -> Work:
    history = draw(histories())
    work = Work(**vars(history))
    for review in work.reviews:
        review.at = START + (review.at - START) * 9
    work.toggles = [(START + (at - START) * 9, event) for at, event in work.draft_toggles]
    end = draw(moments) + timedelta(hours=draw(st.integers(0, 1)))
    work.merged_at, work.closed_at = work.merged_at and end, work.closed_at and end
    work.first_commit_at = draw(st.none() | moments.map(lambda at: at - timedelta(days=4)))
    opens = False
    for at in sorted(draw(st.lists(moments, max_size=4))):
        work.switches.append((at, "reopened" if opens else "closed"))
        opens = not opens if draw(st.integers(0, 9)) else opens  # now and then an event is missing
    events = st.sampled_from(["review_requested", "review_requested", "review_request_removed"])
    work.requests = []
    work.asks = draw(st.lists(st.tuples(moments, events, st.sampled_from(SUBJECTS)), max_size=8))
    return work


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[MetricsLab]:
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    yield lab
    lab.connection.close()


def filled(
    lab: MetricsLab, found: list[Work], chosen: MetricSettings, members: Mapping[int, Members] = {}
) -> None:
    ids = iter(range(100, 10_000))
    for work in found:
        for review in work.reviews:
            review.id = next(ids)
    lab.clear()
    reference.store(lab, found)
    reference.store_members(lab, members)
    lab.rebuild(chosen, aggregates=False)


days = st.integers(0, 9).map(lambda n: START.date() + timedelta(days=n))
teams = st.dictionaries(
    st.sampled_from([team.id for team in SUBJECTS if isinstance(team, Team) and team.id]),
    st.builds(
        Members,
        days,
        st.dictionaries(
            st.sampled_from([person.id for person in PEOPLE if person.id]),
            st.tuples(st.none() | days, st.none() | days.map(lambda day: day + timedelta(days=9))),
        ),
    ),
)


@pytest.mark.examples
@example(
    [Work(PEOPLE[0], START, switches=[(START, "closed")])], MetricSettings(), {}
)  # open now: a reopening is missing
@given(st.lists(works(), min_size=1, max_size=15), metric_settings, teams)
def test_the_flow_equals_a_replay(
    shared_lab: MetricsLab, found: list[Work], chosen: MetricSettings, members: dict[int, Members]
) -> None:
    filled(shared_lab, found, chosen, members)
    check_stages(shared_lab, found, chosen)
    check_days(shared_lab, found, chosen)
    check_requests(shared_lab, found, chosen, members)


def check_stages(lab: MetricsLab, found: list[Work], chosen: MetricSettings) -> None:
    """They add up, too."""
    rows = lab.rows("FROM metrics.pull_request_stages ORDER BY number, started_at")
    for number, work in enumerate(found, 1):
        of_one = [row for row in rows if row["number"] == number]
        periods_of_stages = [(row["stage"], row["started_at"], row["ended_at"]) for row in of_one]
        assert periods_of_stages == reference.stages(work, chosen, AS_OF)
        periods = [(start, min(end, AS_OF)) for start, end in reference.open_periods(work)]
        whole = sum((end - start for start, end in periods), timedelta())
        if work.first_commit_at:
            whole += max(timedelta(), work.created_at - work.first_commit_at)
        assert sum(((end or AS_OF) - start for _, start, end in periods_of_stages), timedelta()) == whole
        assert all(one[2] is not None and one[2] <= two[1] for one, two in pairwise(periods_of_stages))
        for row in of_one:
            span = (row["ended_at"] or AS_OF) - row["started_at"]
            assert row["hours"] == round(span.total_seconds() / 3600, 2) >= 0


def check_days(lab: MetricsLab, found: list[Work], chosen: MetricSettings) -> None:
    rows = lab.rows("FROM metrics.open_daily ORDER BY day")
    days = [START.date() + timedelta(days=n) for n in range((AS_OF.date() - START.date()).days + 1)]
    assert [row["day"] for row in rows] == days
    before = {"open": 0, "bots_open": 0}
    for row in rows:
        check_day(row, found, chosen, before)
        before = row
    (open_now,) = lab.rows("SELECT count(*) AS n FROM raw.pull_requests WHERE state = 'open'")
    assert rows[-1]["open"] + rows[-1]["bots_open"] == open_now["n"]


def check_day(row: dict, found: list[Work], chosen: MetricSettings, before: dict) -> None:  # type: ignore[type-arg]
    that: date = row["day"]
    if that < START.date() + timedelta(days=12) or that == AS_OF.date():
        people = reference.day(found, that, chosen, bots=False)
        bots = reference.day(found, that, chosen, bots=True)
        assert people == {name: row[name] for name in people}
        assert bots == {name: row[f"bots_{name}"] for name in bots}
    for whose in ("", "bots_"):
        flow = sum(row[whose + name] for name in ("opened", "reopened"))
        flow -= sum(row[whose + name] for name in ("closed", "merged"))
        assert row[f"{whose}open"] == before[f"{whose}open"] + flow
        assert row[f"{whose}open"] >= row[f"{whose}draft"] + row[f"{whose}waiting"]


def check_requests(
    lab: MetricsLab, found: list[Work], chosen: MetricSettings, members: dict[int, Members]
) -> None:
    rows = lab.rows("FROM metrics.review_requests")
    for number, work in enumerate(found, 1):
        expected = reference.requests(work, chosen, members)
        of_one = [row for row in rows if row["number"] == number]
        names = expected[0] if expected else []
        assert sorted(({name: row[name] for name in names} for row in of_one), key=repr) == expected
        for row in of_one:
            assert (row["hours"] is None) == (row["business_hours"] is None) == (row["answered_at"] is None)
            assert (row["waiting_hours"] is not None) == (row["outcome"] == "pending")
            assert row["hours"] is None or 0 <= row["business_hours"] <= row["hours"]
        asked = sum(event == "review_requested" for _, event, _ in work.asks)
        assert sum(row["times_asked"] for row in of_one) == asked


@pytest.mark.slow
@pytest.mark.examples
@given(st.lists(works(), min_size=1, max_size=8), metric_settings, st.booleans(), st.integers(0, 40))
def test_what_goes_on_by_itself_is_what_a_rebuild_gives(
    shared_lab: MetricsLab, found: list[Work], chosen: MetricSettings, untracked: bool, hours: int
) -> None:
    """In every table: time passes, or the repository is no longer tracked since some day."""
    filled(shared_lab, found, chosen)
    later = AS_OF + timedelta(hours=hours)
    if untracked:
        shared_lab.untrack(START + timedelta(hours=hours * 10))
    metrics.rebuild_aggregates(shared_lab.connection, chosen, later)
    by_itself = contents(shared_lab)
    metrics.rebuild(shared_lab.connection, None, chosen, later)
    metrics.rebuild_aggregates(shared_lab.connection, chosen, later)
    assert contents(shared_lab) == by_itself
    shared_lab.track()


def contents(lab: MetricsLab) -> dict[str, list[str]]:
    return {
        table: sorted(map(repr, lab.rows(f"FROM metrics.{table}"))) for table in metrics.published_tables()
    }
