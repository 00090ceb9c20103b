"""Whose deliveries are: repositories that are renamed, gone, untracked or not read yet, and odd ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline.warehouse import tracking
from prpipeline_tests.support.delivery_lab import DeliveryLab, delivery_lab, first, first_of, settle
from prpipeline_tests.support.sync_lab import small_world


def test_a_node_id_in_the_form_of_years_ago_is_neither_stored_nor_trusted(lab: DeliveryLab) -> None:
    held, new = first(lab), lab.world.open_pull_request("octo/app", "ada", "New")
    settle(lab)
    lab.take()
    for pull_request in (held, new):
        lab.world.edit_title(pull_request, "Changed")
    settle(lab)
    for delivery in lab.take():
        payload = json.loads(delivery.body)
        payload["pull_request"]["node_id"] = "MDExOlB1bGxSZXF1ZXN0Mjc5MTQ3NDM3"
        lab.tell("pull_request", payload, f"legacy-{delivery.guid}")
    assert lab.drained() == {"done": 2}
    lab.assert_equal()


def test_renamed_and_transferred_with_the_old_name_in_a_later_delivery(lab: DeliveryLab) -> None:
    lab.world.rename_repository("octo/app", "apple")
    lab.world.transfer_repository("octo/apple", "octo")
    lab.world.edit_title(first_of(lab, "octo/apple"), "After the rename")
    lab.hear()
    assert lab.tracked("octo/app").repository == "octo/apple"
    lab.assert_equal()


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
        pytest.param(
            "installation_repositories",
            {"action": "removed", "repositories_removed": [{"id": 0}]},
            marks=pytest.mark.slow,
        ),
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
