"""Aggregates add up to the rows, count NULLs, and show what waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from prpipeline import metrics
from prpipeline.settings import MetricSettings
from prpipeline.warehouse.summary import summaries, weeks_of_all
from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.reference import History, Person, Review

ANN, BOB, CAT, ROBOT = Person(1, "ann"), Person(2, "bob"), Person(3, "cat"), Person(9, "robot[bot]", True)
MONDAY = datetime(2026, 5, 4, 10, 0)


def reviewed(hours: float, by: Person = BOB, *, opened: datetime = MONDAY, review_id: int = 1) -> History:
    return History(ANN, opened, reviews=[Review(review_id, by, "COMMENTED", opened + timedelta(hours=hours))])


@pytest.fixture(scope="module")
def busy() -> Iterator[MetricsLab]:
    """One week: reviewed after 1, 2, 3 and 10 hours; only by a bot; not at all. And one of the week after."""
    lab = MetricsLab()
    lab.repository(1, "octo/app", "core")
    lab.store(
        [
            *(reviewed(hours, review_id=n) for n, hours in enumerate([1, 2, 3, 10], 1)),
            reviewed(1, ROBOT, review_id=5),
            History(ANN, MONDAY + timedelta(hours=2)),
            reviewed(4, opened=MONDAY + timedelta(days=7), review_id=6),
        ]
    )
    lab.rebuild()
    yield lab
    lab.connection.close()


def test_week(busy: MetricsLab) -> None:
    week, next_week = busy.rows("FROM metrics.review_time_weekly ORDER BY week")
    assert (week["week"], week["repository"], week["team"]) == (date(2026, 5, 4), "octo/app", "core")
    assert (week["n"], week["n_null_only_bots"], week["n_null_no_reviews"]) == (6, 1, 1)
    assert (week["review_time_hours_nulls"], week["review_time_hours_median"]) == (2, 2.5)
    assert (week["review_time_hours_p75"], week["review_time_hours_p90"]) == (4.75, 7.9)
    assert (week["time_to_merge_hours_nulls"], week["time_to_merge_hours_median"]) == (6, None)
    assert (next_week["n"], next_week["review_time_hours_median"]) == (1, 4.0)


def test_weeks_add_up_to_the_rows(busy: MetricsLab) -> None:
    (rows,) = busy.rows(
        "SELECT count(*) AS n, count(*) - count(review_time_hours) AS nulls FROM metrics.review_time_hours"
    )
    nulls = dict.fromkeys(("review_time_weekly", "author_weekly", "team_weekly"), "review_time_hours_nulls")
    for table, column in (nulls | {"review_time_survival": "n - n_reviewed"}).items():
        (sums,) = busy.rows(f"SELECT sum(n) AS n, sum({column}) AS nulls FROM metrics.{table}")
        assert sums == rows, table
    (sums,) = busy.rows("SELECT sum(reviews) AS n FROM metrics.reviewer_weekly")
    (qualifying,) = busy.rows("SELECT count(*) AS n FROM metrics.review_evidence WHERE is_qualifying")
    assert sums == qualifying


def test_weeks_in_the_ui_equal_the_table(busy: MetricsLab) -> None:
    """Also before the aggregates are computed again, and for all repositories together."""
    with busy.undone():
        busy.repository(2, "octo/lib")
        busy.store([reviewed(6, opened=MONDAY, review_id=20)], repository_id=2)
        metrics.rebuild(busy.connection, [2], MetricSettings(), AS_OF)
        before = summaries(busy.connection, [1, 2])
        metrics.rebuild_aggregates(busy.connection, MetricSettings(), AS_OF)
        for repository_id, summary in before.items():
            table = busy.rows(
                "SELECT week, n, review_time_hours_median FROM metrics.review_time_weekly "
                "WHERE repository_id = ? ORDER BY week",
                [repository_id],
            )
            assert [(w.week, w.pull_requests, w.median_hours) for w in summary.weeks] == [
                tuple(row.values()) for row in table
            ]
        together = [(w.week, w.pull_requests, w.median_hours) for w in weeks_of_all(busy.connection)]
    assert together == [(date(2026, 5, 4), 7, 3.0), (date(2026, 5, 11), 1, 4.0)]


def test_a_changed_login_shows_in_every_week(lab: MetricsLab) -> None:
    later = MONDAY + timedelta(days=8)
    renamed = History(Person(1, "annabel"), later + timedelta(hours=1))
    by_old_and_new_bob = [
        reviewed(1, BOB, review_id=1),
        reviewed(1, Person(2, "robert"), opened=later, review_id=2),
    ]
    lab.store([*by_old_and_new_bob, renamed, History(Person(None, None), MONDAY)])
    lab.rebuild(aggregates=False)
    rows = lab.rows("FROM metrics.author_weekly ORDER BY author_id, week")
    assert [(row["author_login"], row["n"]) for row in rows] == [("annabel", 1), ("annabel", 2), (None, 1)]
    rows = lab.rows("FROM metrics.reviewer_weekly")
    assert [row["reviewer_login"] for row in rows] == ["robert", "robert"]


@pytest.fixture(scope="module")
def others() -> Iterator[MetricsLab]:
    """Pull requests that wait in octo/app, and reviews that were asked for in octo/lib; neither has a team."""
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    lab.repository(2, "octo/lib")
    _store_queue(lab)
    _store_requests(lab)
    lab.rebuild()
    yield lab
    lab.connection.close()


def _store_requests(lab: MetricsLab) -> None:
    lab.store(
        [reviewed(5, BOB, review_id=1), reviewed(2, CAT, review_id=2), reviewed(30, BOB, review_id=3)], 2
    )
    for number, hours, event, who in [
        (1, 1, "review_requested", BOB),  # answered after 4 hours
        (2, 1, "review_requested", BOB),  # not answered: cat did it
        (3, 1, "review_requested", BOB),  # taken back, then asked again and answered after 6 hours
        (3, 2, "review_request_removed", BOB),
        (3, 24, "review_requested", BOB),
    ]:
        key = {"repository_id": 2, "pull_request_id": 2_000_000 + number, "number": number}
        lab.event(key, MONDAY + timedelta(hours=hours), event, subject_id=who.id, subject_login=who.login)


def _store_queue(lab: MetricsLab) -> None:
    # It was requested and has reviewed since, so it is no longer requested.
    by_bot = Review(90, Person(9, "robot[bot]", True), "COMMENTED", MONDAY + timedelta(hours=5))
    lab.store(
        [
            History(ANN, MONDAY + timedelta(days=1), title="Younger"),
            History(ANN, MONDAY, title="Oldest", reviews=[by_bot]),
            History(ANN, MONDAY, is_draft=True, title="Draft"),
            reviewed(1),
            History(ANN, MONDAY, closed_at=MONDAY + timedelta(days=1), title="Closed"),
        ]
    )
    key = {"repository_id": 1, "pull_request_id": 1_000_002, "number": 2}
    lab.event(key, MONDAY, "review_requested", subject_id=2, subject_login="bob")
    for hour, event in ((1, "review_requested"), (2, "review_request_removed")):
        lab.event(key, MONDAY + timedelta(hours=hour), event, subject_id=3, subject_login="cat")
    lab.event(key, MONDAY + timedelta(hours=3), "review_requested", subject_id=7, subject_login="octo/core")
    lab.event(key, MONDAY + timedelta(hours=4), "review_requested", subject_id=9, subject_login="robot[bot]")


def test_repositories_without_a_team_are_in_no_team_week(others: MetricsLab) -> None:
    assert others.rows("FROM metrics.review_time_weekly")
    assert others.rows("FROM metrics.team_weekly") == []


def test_reviewer_week(others: MetricsLab) -> None:
    bob, cat = others.rows("FROM metrics.reviewer_weekly WHERE repository_id = 2 ORDER BY reviewer_login")
    assert (bob["reviews"], bob["pull_requests"], bob["share_of_reviews"]) == (2, 2, 0.6667)
    assert (bob["requests"], bob["requests_unanswered"], bob["response_hours_median"]) == (4, 2, 5.0)
    assert (cat["reviews"], cat["requests"], cat["response_hours_median"]) == (1, 0, None)


def test_queue_shows_the_longest_wait_first_and_the_requested_reviewers(others: MetricsLab) -> None:
    rows = others.rows("FROM metrics.review_queue ORDER BY place")
    assert [(row["place"], row["title"]) for row in rows] == [(1, "Oldest"), (2, "Younger")]
    assert [row["requested_reviewers"] for row in rows] == ["bob, octo/core", None]
    assert [row["requested"] for row in rows] == [2, 0]
    assert rows[0]["waiting_hours"] == (AS_OF - MONDAY).total_seconds() / 3600
