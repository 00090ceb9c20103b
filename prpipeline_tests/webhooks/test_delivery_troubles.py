"""Deliveries that come late, twice, never, or while GitHub fails: nothing is lost and nothing is removed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Fault
from prpipeline.sandbox.github import rest_objects as objects
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.delivery_lab import DeliveryLab, delivery_lab, first, settle


def test_what_github_does_not_show_in_time_is_parked_and_nothing_is_removed(lab: DeliveryLab) -> None:
    held = lab.held()
    new = lab.world.open_pull_request("octo/app", "ada", "Not shown yet")
    body = objects.pull_request(new, "http://localhost", detailed=True)
    repository = objects.repository(new.repository, "http://localhost")
    lab.world.delete_pull_request(new)
    settle(lab)
    lab.take()
    lab.tell("pull_request", {"action": "opened", "pull_request": body, "repository": repository}, "lagging")
    for _ in range(3):
        assert lab.drained() == {"new": 1}
        assert lab.drained() == {"new": 1}  # not due before 5, 15 and 60 s
        lab.hurry()
    assert lab.drained() == {"parked": 1}
    assert lab.held() == held


def test_shown_late_it_is_read_at_the_next_attempt(lab: DeliveryLab) -> None:
    pull_request = first(lab)
    lab.world.edit_title(pull_request, "Told before it is shown")
    told = pull_request.updated_at
    settle(lab)
    pull_request.updated_at, before = told - timedelta(minutes=4), pull_request.title
    pull_request.title = "As a replica has it"
    lab.arrive()
    assert lab.drained() == {"new": 1}
    pull_request.updated_at, pull_request.title = told, before
    lab.hurry()
    assert lab.drained() == {"done": 1}
    lab.assert_equal()


@pytest.mark.parametrize("status", [502, 401])
def test_while_github_fails_deliveries_stay(lab: DeliveryLab, status: int) -> None:
    lab.world.edit_title(first(lab), "In an outage")
    settle(lab)
    lab.arrive()
    fault = lab.server.faults.add(Fault("status", status=status, times=None))
    (result,) = lab.drain()
    assert result.failed
    assert lab.states() == {"new": 1}
    assert lab.tracked().last_error is None
    fault.times = 0
    assert lab.drained() == {"done": 1}
    lab.assert_equal()


def test_a_lost_delivery_is_healed_by_the_next_increment(lab: DeliveryLab) -> None:
    for n in range(4):
        lab.world.review(first(lab, n), "zoe")
        settle(lab)
    lab.arrive(lab.take()[::2])
    assert lab.drained() == {"done": 2}
    lab.sync()
    lab.assert_equal()


def test_drained_twice_is_drained_once(lab: DeliveryLab) -> None:
    """A drain that was killed after the warehouse's commit leaves its deliveries as they were."""
    lab.world.review(first(lab), "zoe", "APPROVED")
    lab.hear()
    held = lab.held()
    with lab.inbox.transaction() as connection:
        connection.execute("UPDATE deliveries SET state = 'new', done_at = NULL")
    assert lab.drained() == {"done": 1}
    assert lab.held() == held


def test_one_bad_pull_request_does_not_hold_up_the_others(lab: DeliveryLab) -> None:
    bad, good = first(lab, 1), first(lab, 2)
    for each in (bad, good):
        lab.world.edit_title(each, "Changed")
    lab.world.miscount(bad, 50)
    settle(lab)
    lab.arrive()
    lab.drain()
    assert lab.states().get("done") == 1
    lab.world.miscount(bad, 0)
    assert lab.drained() == {"done": 2}
    lab.assert_equal()


def test_reconciling_after_deliveries_changes_nothing(lab: DeliveryLab) -> None:
    lab.world.review(first(lab), "zoe", "APPROVED")
    lab.hear()
    held = lab.held()
    lab.sync(SyncOptions(reconcile=True))
    assert lab.held() == held


def test_an_edited_body_is_read_for_its_keys_and_kept_nowhere(tmp_path: Path) -> None:
    with delivery_lab(tmp_path, links_from=("title", "body")) as lab:
        lab.world.edit_body(first(lab), "Wherefore ABC-7, and ABC-8")
        settle(lab)
        lab.arrive()
        (result,) = lab.drain()
        assert (result.mode, result.pull_requests) == ("increment", 1)
        with lab.warehouse.transaction() as connection:
            kept = connection.execute(
                "SELECT number, key, position FROM raw.pull_request_body_keys ORDER BY 3"
            )
            assert kept.fetchall() == [(first(lab).number, "ABC-7", 1), (first(lab).number, "ABC-8", 2)]
        inbox = list(tmp_path.rglob("webhooks.sqlite*"))
        assert inbox
        assert not [file for file in inbox if b"Wherefore" in file.read_bytes()]
