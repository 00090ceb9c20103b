"""Every check passes on correct data, and finds its kind of damage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from prpipeline import metrics
from prpipeline.metrics.checks import all_checks, find
from prpipeline_tests.support.metrics_lab import MetricsLab
from prpipeline_tests.support.reference import History, Person, Review

OPENED = datetime(2026, 5, 4, 10, 0)
REVIEW = Review(7, Person(2, "bob"), "APPROVED", OPENED + timedelta(hours=1))

DAMAGE = {
    "count_equals_github": "UPDATE meta.repositories SET pull_requests_on_github = 3, history_done_at = now()::TIMESTAMP",
    "no_review_before_pull_request": "UPDATE raw.reviews SET submitted_at = TIMESTAMP '2001-01-01'",
    "watermark_is_current": "UPDATE meta.repositories SET watermark_at = TIMESTAMP '2001-01-01'",
    "authors_add_up": "DELETE FROM metrics.author_weekly",
    "events_have_pull_request": "DELETE FROM raw.pull_requests WHERE number = 1",
    "months_add_up": "DELETE FROM metrics.review_time_survival",
    "queue_is_what_waits": "INSERT INTO metrics.review_queue FROM metrics.review_queue",
    "reviewers_add_up": "UPDATE metrics.reviewer_weekly SET reviews = reviews + 1",
    "states_agree_with_times": "UPDATE raw.pull_requests SET state = 'merged' WHERE number = 1",
    "teams_add_up": "DELETE FROM metrics.team_weekly",
    "times_match_reviews": "DELETE FROM raw.reviews",
    "business_hours_within_hours": "UPDATE metrics.pull_request_times SET review_time_business_hours = 99 WHERE number = 1",
    "draft_events_agree": "UPDATE metrics.pull_request_times SET draft_hours = NULL WHERE number = 1",
    "lists_are_whole": "INSERT INTO meta.shortfalls SELECT 1, 7, 1, 3, 2, TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-01'",
    "metric_version_current": "UPDATE metrics.pull_request_times SET metric_version = 0",
    "no_future_reviews": "UPDATE raw.reviews SET submitted_at = TIMESTAMP '2099-01-01'",
    "no_future_times": "UPDATE raw.pull_requests SET merged_at = TIMESTAMP '2099-01-01'",
    "no_negative_hours": "UPDATE metrics.pull_request_times SET cycle_time_hours = -1",
    "null_reasons_complete": "UPDATE metrics.pull_request_times SET null_reason = NULL",
    "reviews_have_pull_request": "DELETE FROM raw.pull_requests WHERE number = 1",
    "row_per_pull_request": "DELETE FROM metrics.pull_request_times WHERE number = 1",
    "row_per_review": "DELETE FROM raw.pull_requests",
    "unique_pull_requests": "INSERT INTO raw.pull_requests FROM raw.pull_requests",
    "unique_review_events": "INSERT INTO raw.review_events FROM raw.review_events",
    "unique_reviews": "INSERT INTO raw.reviews FROM raw.reviews",
    "days_add_up": "UPDATE metrics.open_daily SET open = 9",
    "requests_add_up": "UPDATE raw.review_events SET event = 'review_requested'",
    "stages_follow_states": "DELETE FROM metrics.pull_request_stages",
    "waiting_is_known": "UPDATE metrics.pull_request_times SET waiting_hours = NULL",
    "weeks_add_up": "DELETE FROM metrics.review_time_weekly",
}


@pytest.fixture(scope="module")
def of_module() -> Iterator[MetricsLab]:
    lab = MetricsLab()
    lab.repository(1, "octo/app")
    lab.connection.execute("UPDATE meta.repositories SET team = 'platform', watermark_at = now()::TIMESTAMP")
    toggles = [(OPENED + timedelta(hours=1), "ready_for_review")]
    lab.store(
        [
            History(Person(1, "ann"), OPENED, reviews=[REVIEW], toggles=toggles),
            History(Person(1, "ann"), OPENED),
        ]
    )
    lab.rebuild()
    yield lab
    lab.connection.close()


@pytest.fixture
def sound(of_module: MetricsLab) -> Iterator[MetricsLab]:
    """Correct data; what a test does to them is undone after it."""
    of_module.connection.execute("BEGIN")
    yield of_module
    of_module.connection.execute("ROLLBACK")


ALL_CHECKS = all_checks(timedelta(hours=24))


def test_every_check_has_its_damage() -> None:
    assert {check.name for check in ALL_CHECKS} == set(DAMAGE)
    assert {check.name for check in all_checks(None)} == set(DAMAGE) - {"watermark_is_current"}


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda check: check.name)
def test_check(sound: MetricsLab, check: metrics.Check) -> None:
    (before,) = find(sound.connection, [check])
    assert (before.count, len(before.rows)) == (0, 0)
    sound.connection.execute(DAMAGE[check.name])
    (after,) = find(sound.connection, [check])
    assert after.count == len(after.rows) > 0
    assert check.description.endswith(".")
    assert check.table.split(".")[0] in {"raw", "metrics"}


def test_findings_name_the_repository(sound: MetricsLab) -> None:
    sound.connection.execute("UPDATE raw.reviews SET submitted_at = TIMESTAMP '2001-01-01'")
    (found,) = find(sound.connection, [c for c in ALL_CHECKS if c.name == "no_review_before_pull_request"])
    assert list(found.rows["repository"]) == ["octo/app"]


def test_a_freshness_check_states_its_limit(sound: MetricsLab) -> None:
    """Two periods of the schedule."""
    sound.connection.execute("UPDATE meta.repositories SET watermark_at = now()::TIMESTAMP - INTERVAL 3 HOUR")
    for hours, count in ((1, 1), (2, 0)):
        check = all_checks(timedelta(hours=hours))[-1]
        assert f"up to {2 * hours} hours ago" in check.description
        assert [found.count for found in find(sound.connection, [check])] == [count]
