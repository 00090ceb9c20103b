"""What a drain makes of deliveries: the rows that a sync would have, and nothing else."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from prpipeline_tests.support.delivery_lab import DeliveryLab, delivery_lab, first, settle


def test_opened_reviewed_and_merged_in_any_order_are_one_reading_and_equal_github(lab: DeliveryLab) -> None:
    before = lab.tracked().watermark_at
    new = lab.world.open_pull_request(
        "octo/app", "ada", "New"
    )  # never seen: one by a review alone is read, too
    settle(lab)
    lab.world.review(new, "grace", "APPROVED", body="Good")
    settle(lab)
    lab.world.merge(new, "grace")
    settle(lab)
    lab.arrive(lab.take()[::-1])
    (result,) = lab.drain()
    assert (result.mode, result.pull_requests, result.reviews, result.requests) == ("increment", 1, 1, 1)
    assert lab.states() == {"done": 3}
    assert lab.tracked().watermark_at == before
    lab.assert_equal()


def test_metrics_follow_what_was_read_by_pull_request_and_by_repository(lab: DeliveryLab) -> None:
    def shown() -> set[str]:
        with lab.warehouse.transaction() as connection:
            rows = connection.execute("SELECT title FROM metrics.review_time_hours").fetchall()
            return {title for (title,) in rows}

    lab.world.edit_title(first(lab, 1), "Delivered")
    lab.hear()
    assert "Delivered" in shown()
    lab.world.edit_title(first(lab, 2), "Lost on the way")
    settle(lab)
    lab.take()
    lab.tell("installation", {"action": "suspend"}, "roster")
    assert lab.drained() == {"done": 2}
    assert "Lost on the way" in shown()


def test_a_webhook_first_and_then_an_increment_has_the_reviews(lab: DeliveryLab) -> None:
    lab.world.review(first(lab), "zoe", "APPROVED")
    lab.hear()
    lab.assert_equal()
    assert [result.mode for result in lab.sync()] == ["unchanged"]
    lab.assert_equal()


def test_a_review_of_a_pull_request_never_seen_is_read(lab: DeliveryLab) -> None:
    new = lab.world.open_pull_request("octo/app", "ada", "Unseen")
    lab.take()
    settle(lab)
    lab.world.review(new, "grace", "COMMENTED")
    settle(lab)
    lab.arrive()
    assert lab.drained() == {"done": 1}
    lab.assert_equal()


def test_a_dismissal_that_moves_no_time_is_asked_for_once(lab: DeliveryLab) -> None:
    pull_request = first(lab, 0)
    review = pull_request.reviews[-1]
    assert "dismiss_review" in lab.world.silent
    lab.world.dismiss_review(review, by="ada")
    settle(lab)
    lab.arrive()
    assert lab.drained() == {"done": 1}
    assert len(lab.server.requests) == 1
    lab.assert_equal()  # its state, and an event with the one before
    assert any(row[8] == "DISMISSED" for row in lab.held()["reviews"])


def test_a_hint_older_than_what_is_held_asks_nothing(lab: DeliveryLab) -> None:
    lab.world.edit_title(first(lab), "Newer")
    old = lab.take()
    settle(lab)
    lab.world.review(first(lab), "zoe")
    settle(lab)
    lab.sync()
    lab.server.reset_requests()
    lab.arrive(old)
    assert lab.drained() == {"done": 1}
    assert lab.server.requests == []


def test_a_burst_of_two_hooks_is_one_request(tmp_path: Path) -> None:
    with delivery_lab(tmp_path, hooks=2) as lab:
        for _ in range(15):
            lab.world.review(first(lab), "zoe", "COMMENTED")
        settle(lab)
        lab.arrive()
        assert lab.drained() == {"done": 30}
        assert len(lab.server.requests) == 1
        lab.assert_equal()


def test_two_changes_in_one_second_are_read_again(lab: DeliveryLab) -> None:
    lab.world.edit_title(first(lab), "One")
    lab.arrive()
    assert lab.drained() == {"new": 1}  # read in the second of its change: there may be another one
    lab.world.edit_title(first(lab), "Two")
    settle(lab)
    lab.hurry()
    assert lab.drained() == {"done": 1}
    lab.assert_equal()


def test_a_pull_request_is_read_when_it_is_quiet_or_has_waited_for_a_minute(lab: DeliveryLab) -> None:
    lab.world.edit_title(first(lab), "Busy")
    settle(lab)
    (delivery,) = lab.take()
    lab.arrive([delivery], ago=timedelta(seconds=1))
    assert lab.drained() == {"new": 1}
    lab.tell(delivery.event, json.loads(delivery.body), "an-older-one", ago=timedelta(seconds=61))
    assert lab.drained() == {"done": 2}


def test_many_hints_are_few_requests(tmp_path: Path) -> None:
    with delivery_lab(tmp_path, page_size=10) as lab:
        made = [lab.world.open_pull_request("octo/app", "ada", f"Many {n}") for n in range(20)]
        for n in range(60):
            lab.world.edit_title(made[n % 20], f"Title {n}")
        settle(lab)
        lab.arrive()
        assert lab.drained() == {"done": 80}
        assert len(lab.server.requests) <= 3
        lab.assert_equal()
