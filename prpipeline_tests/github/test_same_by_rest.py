"""GraphQL and REST fill the warehouse with the same rows, whatever people do on GitHub."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from prpipeline.sandbox.github import ManualClock, PullRequest, Sandbox, World
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.sync_lab import SyncLab, new_folder

WHO = st.sampled_from(["ada", "grace", "robot[bot]", "departed"])
# (what, whom, a number to choose by): a day on GitHub.
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "open", "draft", "ready", "unready", "ask", "ask_team", "unask", "approve", "comment", "object",
                "begin_review", "dismiss", "push", "title", "close", "reopen", "merge", "delete_review",
                "delete_pull_request", "rename", "leave", "remark", "fork", "label", "unlabel", "milestone",
                "force_push",
            ]
        ),
        WHO,
        st.integers(0, 20),
    ),
    max_size=25,
)  # fmt: skip
TITLES = ["plain", "🚀 ünïcode", "<script>alert(1)</script>", "null\0byte", "a'; DROP TABLE x; --", ""]

BODIES = ["", " \n\t", "Why?", "<!-- hidden -->", "\u00a0"]


def do(world: World, deed: str, who: str, n: int) -> None:
    repository = next(iter(world.repositories.values()))
    pulls = list(repository.pull_requests.values())
    if deed in {"open", "draft"} or not pulls:
        world.open_pull_request(repository, who, TITLES[n % len(TITLES)], draft=deed == "draft", additions=n)
        return
    if deed == "fork":
        fork: Literal["there", "gone"] = "gone" if n % 2 else "there"
        world.open_pull_request(repository, who, head=f"topic/{n}", fork=fork, commits=n % 4)
        return
    pr = pulls[n % len(pulls)]
    body = BODIES[n % len(BODIES)]
    simple: dict[str, Any] = {
        "ready": lambda: world.ready_for_review(pr, who),
        "unready": lambda: world.convert_to_draft(pr, who),
        "ask": lambda: world.request_review(pr, who),
        "ask_team": lambda: world.request_review(pr, "octo/core"),
        "unask": lambda: world.remove_review_request(pr, who),
        "approve": lambda: world.review(pr, who, "APPROVED"),
        "comment": lambda: world.review(pr, who, "COMMENTED", body=body),
        "object": lambda: world.review(pr, who, "CHANGES_REQUESTED", body=body),
        "begin_review": lambda: world.review(pr, who, "PENDING"),
        "push": lambda: world.push(pr),
        "title": lambda: world.edit_title(pr, TITLES[n % len(TITLES)]),
        "close": lambda: world.close(pr, who),
        "reopen": lambda: world.reopen(pr, who),
        "merge": lambda: world.merge(pr, who),
        "remark": lambda: world.comment(pr, who),
        "rename": lambda: world.rename_repository(repository, f"app-{n}"),
        "leave": lambda: world.delete_user("departed"),
        "dismiss": lambda: _to_a_review(world, pr, "dismiss"),
        "delete_review": lambda: _to_a_review(world, pr, "delete"),
        "label": lambda: world.label(pr, TITLES[n % len(TITLES)]),
        "unlabel": lambda: pr.labels and world.unlabel(pr, pr.labels[0].name),
        "milestone": lambda: world.set_milestone(pr, TITLES[n % len(TITLES)] if n % 2 else None),
        "force_push": lambda: world.force_push(pr, world.clock.now() - timedelta(hours=n - 5), commits=n % 3),
        "delete_pull_request": lambda: world.delete_pull_request(pr),
    }
    simple[deed]()


def _to_a_review(world: World, pr: PullRequest, what: str) -> None:
    submitted = [review for review in pr.reviews if review.submitted_at]
    if submitted and what == "dismiss":
        world.dismiss_review(submitted[0], "grace")
    elif submitted:
        world.delete_review(submitted[-1])


@pytest.mark.examples
@given(before=DEEDS, after=DEEDS)
@example(before=[("open", "departed", 1), ("approve", "robot[bot]", 0), ("leave", "ada", 0)], after=[])
@example(
    before=[("draft", "ada", 2), ("ask_team", "ada", 0), ("object", "grace", 0), ("ready", "ada", 0)],
    after=[
        ("dismiss", "ada", 0),
        ("unready", "ada", 0),
        ("rename", "ada", 3),
        ("delete_pull_request", "ada", 0),
    ],
)
def test_the_same_content(before: list[tuple[str, str, int]], after: list[tuple[str, str, int]]) -> None:
    world = World(ManualClock())
    world.add_repository("octo/app")
    clock: ManualClock = world.clock  # type: ignore[assignment]

    def live(deeds: list[tuple[str, str, int]]) -> None:
        for deed in deeds:
            clock.advance(timedelta(minutes=7))
            do(world, *deed)
        clock.advance(timedelta(minutes=7))

    live(before)
    with Sandbox(world) as server:
        labs = [
            SyncLab(world, server, new_folder(), api, page_size=3, first_commit_by_rest=True)
            for api in ("graphql", "rest")
        ]
        for options in (SyncOptions(), SyncOptions(reconcile=True)):
            for here in labs:
                assert [result.error for result in here.sync(options)] == [None]
            held = [here.held() for here in labs]
            assert held[0] == held[1]
            titles = sorted(row[4].replace("\0", "") for row in labs[0].expected()["pull_requests"])
            assert sorted(row[4] for row in held[0]["pull_requests"]) == titles
            live(after if options == SyncOptions() else [])
        assert labs[0].tracked().repository == labs[1].tracked().repository
        assert labs[0].tracked().pull_requests_on_github == labs[1].tracked().pull_requests_on_github
