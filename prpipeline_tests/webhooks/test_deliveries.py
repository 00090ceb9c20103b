"""What a drain makes of deliveries: the rows that a sync would have, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.sandbox.github import rest_objects as objects
from prpipeline.sync import SyncOptions
from prpipeline.warehouse import tracking
from prpipeline_tests.support.delivery_lab import DeliveryLab, delivery_lab
from prpipeline_tests.support.sync_lab import small_world


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[DeliveryLab]:
    with delivery_lab(tmp_path) as lab:
        yield lab


def first(lab: DeliveryLab, position: int = 1) -> Any:
    return list(lab.world.repository("octo/app").pull_requests.values())[position]


def settle(lab: DeliveryLab) -> None:
    lab.wait(seconds=5)


def watermark(lab: DeliveryLab) -> object:
    return lab.tracked().watermark_at


# ── what is read ─────────────────────────────────────────────────────────────────────────────────────


def test_opened_reviewed_and_merged_in_any_order_are_one_reading_and_equal_github(lab: DeliveryLab) -> None:
    before = watermark(lab)
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
    assert watermark(lab) == before
    lab.assert_equal()


def test_a_webhook_first_and_then_an_increment_has_the_reviews(lab: DeliveryLab) -> None:
    lab.world.review(first(lab), "zoe", "APPROVED")
    settle(lab)
    lab.arrive()
    lab.drained()
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
    with delivery_lab(tmp_path, page_size=25) as lab:
        made = [lab.world.open_pull_request("octo/app", "ada", f"Many {n}") for n in range(50)]
        for n in range(150):
            lab.world.edit_title(made[n % 50], f"Title {n}")
        settle(lab)
        lab.arrive()
        assert lab.drained() == {"done": 200}
        assert len(lab.server.requests) <= 3
        lab.assert_equal()


# ── who and what it is ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("is_held", [True, False])
def test_a_node_id_in_the_form_of_years_ago_is_neither_stored_nor_trusted(
    lab: DeliveryLab, is_held: bool
) -> None:
    pull_request = first(lab) if is_held else lab.world.open_pull_request("octo/app", "ada", "New")
    settle(lab)
    lab.world.edit_title(pull_request, "Changed")
    settle(lab)
    (*_, delivery) = lab.take()
    payload = json.loads(delivery.body)
    payload["pull_request"]["node_id"] = "MDExOlB1bGxSZXF1ZXN0Mjc5MTQ3NDM3"
    lab.tell("pull_request", payload, "legacy")
    assert lab.drained() == {"done": 1}
    lab.assert_equal()


def test_renamed_and_transferred_with_the_old_name_in_a_later_delivery(lab: DeliveryLab) -> None:
    lab.world.rename_repository("octo/app", "apple")
    lab.world.transfer_repository("octo/apple", "octo")
    lab.world.edit_title(first_of(lab, "octo/apple"), "After the rename")
    settle(lab)
    lab.arrive()
    lab.drained()
    assert lab.tracked("octo/app").repository == "octo/apple"
    lab.assert_equal()


def first_of(lab: DeliveryLab, name: str) -> Any:
    return next(iter(lab.world.repository(name).pull_requests.values()))


def test_a_repository_that_is_gone_has_the_status_a_sync_would_give_it_and_keeps_its_rows(
    tmp_path: Path,
) -> None:
    with delivery_lab(tmp_path, ("octo/app", "octo/lib")) as lab:
        held = len(lab.held()["pull_requests"])
        lab.world.edit_title(first(lab), "Last words")
        settle(lab)
        lab.world.delete_repository("octo/app")
        lab.arrive()
        (result,) = [r for r in lab.drain() if r.failed]
        assert result.tracked_as == "octo/app"
        after = lab.tracked("octo/app")
        assert (after.status, after.last_error) == ("gone", result.error)
        assert "new" not in lab.states()  # it was looked at; the next drain has nothing to fail at
        assert len(lab.held()["pull_requests"]) == held
        lab.sync()
        assert lab.tracked("octo/app").last_error == after.last_error


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("installation", {"action": "suspend"}),
        ("installation_repositories", {"action": "removed", "repositories_removed": [{"id": 0}]}),
    ],
)
def test_a_changed_installation_has_its_repositories_looked_at(
    lab: DeliveryLab, event: str, payload: dict[str, Any]
) -> None:
    number = lab.world.repository("octo/app").id
    for each in payload.get("repositories_removed", []):
        each["id"] = number
    lab.world.edit_title(first(lab), "Not announced")
    settle(lab)
    lab.take()
    lab.tell(event, payload, "roster")
    assert lab.drained() == {"done": 1}
    lab.assert_equal()


def test_hints_of_untracked_repositories_are_counted_and_not_kept(lab: DeliveryLab) -> None:
    lab.world.open_pull_request(lab.world.add_repository("octo/other"), "ada")
    lab.arrive()
    assert lab.drained() == {}
    assert lab.inbox.summary().untracked == 1
    assert lab.server.requests == []


def test_tracked_under_two_names_it_is_read_once(lab: DeliveryLab) -> None:
    lab.world.rename_repository("octo/app", "apple")
    lab.track(["octo/apple"])
    lab.names.append("octo/apple")
    lab.sync()
    lab.wait(minutes=5)
    lab.take()
    lab.world.edit_title(first_of(lab, "octo/apple"), "Twice tracked")
    settle(lab)
    lab.server.reset_requests()
    lab.arrive()
    assert lab.drained() == {"done": 1}
    assert len(lab.server.requests) == 1
    lab.assert_equal()
    lab.assert_no_row_twice()


def test_untracked_meanwhile(lab: DeliveryLab) -> None:
    lab.world.edit_title(first(lab), "Too late")
    lab.arrive()
    with lab.warehouse.transaction() as connection:
        tracking.update(connection, "octo/app", is_tracked=False)
    assert lab.drained() == {}
    assert lab.server.requests == []


def test_before_its_history_a_hint_is_kept_and_asks_nothing(tmp_path: Path) -> None:
    world = small_world()
    with Sandbox(world) as server:
        lab = DeliveryLab(world, server, tmp_path)
        world.edit_title(next(iter(world.repository("octo/app").pull_requests.values())), "Early")
        lab.wait(seconds=5)
        lab.arrive()
        assert lab.drained() == {"new": 1}
        assert server.requests == []
        lab.sync()
        lab.hurry()
        assert lab.drained() == {"done": 1}
        lab.assert_equal()


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────


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
    settle(lab)
    lab.arrive()
    lab.drained()
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
    settle(lab)
    lab.arrive()
    lab.drained()
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
