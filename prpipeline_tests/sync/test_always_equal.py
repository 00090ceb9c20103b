"""After any changes on GitHub, at any time, syncs and a reconciliation make the warehouse equal to it."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prpipeline.sandbox.github import ManualClock, PullRequest, Sandbox, World
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.sync_lab import SyncLab, new_folder, small_world

REPOSITORIES = ("octo/app", "octo/lib")
LOUD = (
    "review",
    "self_review",
    "bot_review",
    "merge",
    "close",
    "reopen",
    "draft",
    "title",
    "request",
    "push",
    "open",
    "force_push",
    "label",
    "milestone",
    "comment",
)
SILENT = (
    "delete_review",
    "dismiss",
    "delete_plus_add",
    "delete_pull_request",
    "silent_ready",
    "rename_account",
    "delete_account",
    "vanish",
)

changes = st.tuples(
    st.sampled_from(LOUD + SILENT), st.sampled_from(REPOSITORIES), st.integers(0, 40), st.integers(0, 90)
)
# The changes between syncs, and those during a sync: before its n-th request.
steps = st.lists(
    st.tuples(st.lists(changes, max_size=5), st.lists(st.tuples(st.integers(0, 6), changes), max_size=4)),
    min_size=1,
    max_size=4,
)


def change(world: World, what: tuple[str, str, int, int]) -> None:
    kind, name, pick, seconds = what
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(timedelta(seconds=seconds))
    pulls = list(world.repository(name).pull_requests.values())
    if kind == "open" or not pulls:
        fork: Literal["there", "gone"] | None = (None, "there", "gone", None)[pick % 4]
        world.open_pull_request(
            name, "ada", f"New {pick}", draft=pick % 3 == 0, head=f"topic-{pick}", fork=fork, commits=pick % 4
        )
        return
    pull_request = pulls[pick % len(pulls)]
    author = pull_request.author
    submitted = [r for r in pull_request.reviews if r.submitted_at and r.state != "DISMISSED"]
    if kind == "review":
        world.review(
            pull_request,
            f"dev-{pick % 5}",
            ("APPROVED", "COMMENTED", "CHANGES_REQUESTED")[pick % 3],
            body=("", " ", "Why?")[seconds % 3],
        )
    elif kind == "self_review" and author and not author.deleted:
        world.review(pull_request, author, "COMMENTED")
    elif kind == "bot_review":
        world.review(pull_request, "robot[bot]", "COMMENTED")
    elif kind == "title":
        world.edit_title(pull_request, f"Title {pick} {seconds}")
    elif kind == "request":
        world.request_review(pull_request, "octo/core" if pick % 2 else "grace")
    elif kind == "push":
        world.push(pull_request)
    elif kind == "force_push":
        world.force_push(pull_request, world.clock.now() - timedelta(hours=pick - 20), commits=pick % 3)
    elif kind == "label" and pick % 2 and pull_request.labels:
        world.unlabel(pull_request, pull_request.labels[pick % len(pull_request.labels)].name)
    elif kind == "label":
        world.label(pull_request, f"label {pick}")
    elif kind == "milestone":
        world.set_milestone(pull_request, f"v{pick}" if pick % 3 else None)
    elif kind == "comment":
        world.comment(pull_request, "ada")
    elif kind == "delete_review" and pull_request.reviews:
        world.delete_review(pull_request.reviews[pick % len(pull_request.reviews)])
    elif kind == "dismiss" and submitted:
        world.dismiss_review(submitted[pick % len(submitted)], by="ada")
    elif kind == "delete_plus_add" and submitted:
        before = pull_request.updated_at
        world.delete_review(submitted[pick % len(submitted)])
        world.review(pull_request, f"dev-{pick % 5}", submitted[pick % len(submitted)].state)
        pull_request.updated_at = before
    elif kind == "rename_account" and author and not author.deleted:
        world.rename_user(author, f"renamed-{pick}-{seconds}")
    elif kind == "delete_account" and author and not author.deleted and pick % 4 == 0:
        world.delete_user(author)
    elif kind == "vanish" and pull_request.events:
        world.delete_event(pull_request.events[pick % len(pull_request.events)])
    elif kind == "delete_pull_request" and pick % 4 == 0:
        world.delete_pull_request(pull_request)
    else:
        _change_state(world, kind, pull_request)


def _change_state(world: World, kind: str, pull_request: PullRequest) -> None:
    if kind == "reopen" and pull_request.state == "CLOSED":
        world.reopen(pull_request)
    elif pull_request.state != "OPEN":
        return
    elif kind == "merge" and not pull_request.is_draft:
        world.merge(pull_request, "grace")
    elif kind == "close":
        world.close(pull_request)
    elif kind == "draft" and not pull_request.is_draft:
        world.convert_to_draft(pull_request)
    elif kind == "silent_ready" and pull_request.is_draft:
        world.ready_for_review(pull_request)


@pytest.mark.slow
@given(
    steps=steps,
    api=st.sampled_from(["graphql", "rest"]),
    page_size=st.sampled_from([2, 5, 25]),
    overlap=st.sampled_from([0, 15]),
    are_old=st.booleans(),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_warehouse_equals_github(
    steps: list[tuple[list[tuple[str, str, int, int]], list[tuple[int, tuple[str, str, int, int]]]]],
    api: str,
    page_size: int,
    overlap: int,
    are_old: bool,
) -> None:
    world = small_world(pull_requests=6, repositories=REPOSITORIES)
    folder = new_folder()
    with Sandbox(world) as server:
        lab = SyncLab(
            world,
            server,
            folder,
            api,
            page_size=page_size,
            overlap_minutes=overlap,
            first_commit_by_rest=True,
        )
        if are_old:
            lab.sync()
            lab.make_old()
        for between, during in steps:
            for what in between:
                change(world, what)
            asked = [0]

            def meanwhile(
                request: object,
                asked: list[int] = asked,
                during: list[tuple[int, tuple[str, str, int, int]]] = during,
            ) -> None:
                for at, what in during:
                    if at == asked[0]:
                        change(world, what)
                asked[0] += 1

            server.before_request = meanwhile
            assert not any(result.failed for result in lab.sync())
            server.before_request = None
        results = lab.sync(SyncOptions(reconcile=True))
        assert not any(result.failed for result in results)
        lab.assert_equal()
    shutil.rmtree(folder)
