"""What moves `updatedAt` and what does not, and how people appear after renames and deletions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from prpipeline.sandbox.github import SILENT, ManualClock, PullRequest, Sandbox, World
from prpipeline_tests.support.github_client import Client

Step = Callable[[World, PullRequest], object]

MOVES: dict[str, Step] = {
    "review": lambda w, p: w.review(p, "linus"),
    "submit a pending review": lambda w, p: w.submit_review(p.reviews[-1], "APPROVED"),
    "close": lambda w, p: w.close(p),
    "reopen": lambda w, p: w.reopen(p),
    "merge": lambda w, p: w.merge(p),
    "request a review": lambda w, p: w.request_review(p, "linus"),
    "remove a request": lambda w, p: w.remove_review_request(p, "linus"),
    "label": lambda w, p: w.label(p, "bug"),
    "convert to draft": lambda w, p: w.convert_to_draft(p),
    "ready": lambda w, p: w.ready_for_review(p),
    "push": lambda w, p: w.push(p),
    "edit the title": lambda w, p: w.edit_title(p, "Another title"),
    "edit the body": lambda w, p: w.edit_body(p, "Another text"),
    "comment": lambda w, p: w.comment(p, "linus"),
}
STAYS: dict[str, Step] = {
    "start a pending review": lambda w, p: w.review(p, "linus", "PENDING"),
    "dismiss": lambda w, p: w.dismiss_review(p.reviews[0]),
    "delete a review": lambda w, p: w.delete_review(p.reviews[0]),
    "edit a review": lambda w, p: w.edit_review(p.reviews[0], "Another text"),
    "delete a comment": lambda w, p: w.delete_comment(p.events[0]),
    "rename the repository": lambda w, p: w.rename_repository(p.repository, "other"),
    "rename the author": lambda w, p: w.rename_user("ada", "countess"),
    "delete the author": lambda w, p: w.delete_user("ada"),
}


@pytest.fixture
def pull_request(world: World) -> PullRequest:
    pull_request = world.open_pull_request("octo/app", "ada")
    world.comment(pull_request, "grace")
    world.review(pull_request, "grace", "APPROVED")
    world.review(pull_request, "linus", "PENDING")
    return pull_request


def updated_at(client: Client) -> str:
    order = {"field": "UPDATED_AT", "direction": "DESC"}
    nodes: list[dict[str, Any]] = client.pulls(order=order)["data"]["repository"]["pullRequests"]["nodes"]
    return next(str(node["updatedAt"]) for node in nodes if node["number"] == 8)


@pytest.mark.parametrize("step", MOVES.values(), ids=list(MOVES))
def test_moves_updated_at(
    client: Client, world: World, clock: ManualClock, pull_request: PullRequest, step: Step
) -> None:
    clock.advance(timedelta(hours=1))
    step(world, pull_request)
    assert updated_at(client) == clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("step", STAYS.values(), ids=list(STAYS))
def test_leaves_updated_at(
    client: Client, world: World, clock: ManualClock, pull_request: PullRequest, step: Step
) -> None:
    before = updated_at(client)
    clock.advance(timedelta(hours=1))
    step(world, pull_request)
    assert updated_at(client) == before


def test_what_is_silent_is_a_matter_of_the_world(clock: ManualClock) -> None:
    world = World(clock, silent=(SILENT - {"dismiss_review"}) | {"ready_for_review"})
    pull_request = world.open_pull_request(world.add_repository("octo/app"), "ada", draft=True)
    review = world.review(pull_request, "grace")
    before = clock.now()
    clock.advance(timedelta(hours=1))
    world.ready_for_review(pull_request)
    assert pull_request.updated_at == before
    world.dismiss_review(review)
    assert pull_request.updated_at == clock.now()


def test_reviews_are_listed_as_they_were_made_whatever_their_times(client: Client, world: World) -> None:
    pull_request = world.open_pull_request("octo/app", "ada")
    day = pull_request.created_at
    pending = world.review(pull_request, "grace", "PENDING")
    world.review(pull_request, "linus", at=day + timedelta(hours=1))
    world.submit_review(pending, "APPROVED", at=day + timedelta(hours=5))
    world.review(pull_request, "linus", at=day + timedelta(hours=2))
    reviews = client.pulls()["data"]["repository"]["pullRequests"]["nodes"][-1]["reviews"]["nodes"]
    assert [r["submittedAt"][11:13] for r in reviews] == ["15", "11", "12"]


def test_a_new_login_shows_on_old_work_and_ids_stay(client: Client, world: World) -> None:
    before = client.get("/repos/octo/app/pulls/1").json()["user"]
    world.rename_user("ada", "countess")
    after = client.get("/repos/octo/app/pulls/1").json()["user"]
    assert (before["login"], after["login"]) == ("ada", "countess")
    assert (before["id"], before["node_id"]) == (after["id"], after["node_id"])
    assert world.actor("countess").id == before["id"]


def test_a_renamed_owner_takes_the_repositories_along(client: Client, world: World) -> None:
    world.rename_user("octo", "octo-labs")
    assert client.get("/repos/octo-labs/app").status_code == 200
    assert client.get("/repos/octo/app").status_code == 301


def test_a_taken_name_no_longer_redirects(client: Client, world: World) -> None:
    moved = world.rename_repository("octo/app", "old-app")
    taken = world.add_repository("octo/app")
    assert client.get("/repos/octo/app").json()["id"] == taken.id
    assert client.get("/repos/octo/old-app").json()["id"] == moved.id


def test_a_submitted_review_ends_the_request(client: Client, world: World) -> None:
    pull_request = world.open_pull_request("octo/app", "ada")
    world.request_review(pull_request, "grace")
    world.request_review(pull_request, "octo/core")
    world.review(pull_request, "grace")
    listed = client.get("/repos/octo/app/pulls/8").json()
    assert listed["requested_reviewers"] == []
    assert [t["slug"] for t in listed["requested_teams"]] == ["core"]


def test_a_hook_may_change_the_world_before_a_request_is_answered(
    client: Client, server: Sandbox, world: World
) -> None:
    server.before_request = lambda _request: world.edit_title(
        world.repository("octo/app").pull_requests[1], "New"
    )
    assert client.get("/repos/octo/app/pulls/1").json()["title"] == "New"
