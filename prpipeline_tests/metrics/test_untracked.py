"""A repository that is no longer tracked: its clocks end at its last sync, and nothing of it waits now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from prpipeline import metrics
from prpipeline.metrics.checks import all_checks, find
from prpipeline.settings import MetricSettings
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.reference import History, Person, Review
from prpipeline_tests.support.slow import some_slow

ANN, BOB = Person(1, "ann"), Person(2, "bob")
OPENED = AS_OF - timedelta(hours=50)
LAST_SYNC = AS_OF - timedelta(hours=20)


@pytest.fixture(scope="module")
def computed() -> Iterator[MetricsLab]:
    """Each with a pull request that waits and a draft; a third one with one that waits and one that was reviewed."""
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    lab.repository(2, "octo/lib")
    for repository_id in (1, 2):
        lab.store([History(ANN, OPENED), History(ANN, OPENED, is_draft=True)], repository_id)
    lab.repository(3, "octo/web")
    review = Review(7, BOB, "APPROVED", OPENED + timedelta(hours=40))
    lab.store([History(ANN, OPENED), History(ANN, OPENED, reviews=[review])], 3)
    lab.rebuild()
    yield lab
    lab.connection.close()


@pytest.fixture
def two(computed: MetricsLab) -> Iterator[MetricsLab]:
    with computed.undone() as lab:
        yield lab


def hours(lab: MetricsLab, repository_id: int) -> tuple[float, float]:
    """waiting_hours of the first, draft_hours of the second pull request."""
    waiting, draft = lab.rows(
        "FROM metrics.review_time_hours WHERE repository_id = ? ORDER BY number", [repository_id]
    )
    return waiting["waiting_hours"], draft["draft_hours"]


def queue(lab: MetricsLab) -> list[str]:
    """Of the first two."""
    found = lab.rows("FROM metrics.review_queue WHERE repository_id < 3 ORDER BY place")
    return [row["repository"] for row in found]


def derive(lab: MetricsLab, how: str, as_of: datetime = AS_OF) -> None:
    """Everything anew, or only what goes on without a change in raw."""
    if how == "rebuilt":
        metrics.rebuild(lab.connection, None, MetricSettings(), as_of)
    metrics.rebuild_aggregates(lab.connection, MetricSettings(), as_of)


@pytest.mark.parametrize("how", some_slow(["rebuilt", "running on"], "running on"))
def test_hours_end_at_the_last_sync_and_the_queue_forgets_it(two: MetricsLab, how: str) -> None:
    assert queue(two) == ["octo/app", "octo/lib"]
    two.untrack(LAST_SYNC)
    derive(two, how)
    assert hours(two, 1) == (30.0, 30.0)
    assert hours(two, 2) == (50.0, 50.0)
    assert queue(two) == ["octo/lib"]
    assert {
        found.check.name: found.count for found in find(two.connection, all_checks(None)) if found.count
    } == {}

    derive(two, "running on", AS_OF + timedelta(hours=1))
    assert (hours(two, 1), hours(two, 2)) == ((30.0, 30.0), (51.0, 51.0))
    two.track()
    derive(two, how, AS_OF + timedelta(hours=1))
    assert hours(two, 1) == (51.0, 51.0)
    assert queue(two) == ["octo/app", "octo/lib"]


def test_it_is_tracked_as_long_as_one_of_its_names_is(two: MetricsLab) -> None:
    two.untrack(LAST_SYNC)
    two.repository(1, "octo/renamed")
    derive(two, "rebuilt")
    assert hours(two, 1) == (50.0, 50.0)
    assert len(queue(two)) == 2


def test_the_check_finds_what_waits_in_the_queue_though_it_is_not_tracked(two: MetricsLab) -> None:
    two.untrack(LAST_SYNC)
    (check,) = [check for check in all_checks(None) if check.name == "queue_is_what_waits"]
    (found,) = find(two.connection, [check])
    assert (found.count, found.rows["number"].tolist()) == (1, [1])


def test_it_was_seen_unreviewed_until_its_last_sync(two: MetricsLab) -> None:
    """One is reviewed after 40 hours. The other is seen without a review for 50 hours, or for 30: then nobody knows."""
    estimate = "SELECT median_hours, p90_hours FROM metrics.review_time_survival WHERE repository_id = 3"
    assert two.connection.execute(estimate).fetchall() == [(40.0, None)]
    two.untrack(LAST_SYNC, 3)
    two.rebuild()
    assert two.connection.execute(estimate).fetchall() == [(40.0, 40.0)]
