"""Large made-up repositories, for measuring. The same seed and the same `now` give the same world."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from prpipeline.sandbox.clock import Clock, SystemClock, whole_second
from prpipeline.sandbox.github.model import Actor, PullRequest, Repository, Review, TimelineEvent
from prpipeline.sandbox.github.world import World


def generated_world(
    repositories: int = 1,
    pull_requests: int = 1000,
    reviews_per_pr: int = 4,
    seed: int = 7,
    clock: Clock | None = None,
    now: datetime | None = None,
) -> World:
    """Repositories `bulk/repository-1`… with `pull_requests` pull requests each, four of five merged; no hard cases."""
    clock = clock or SystemClock()
    world = World(clock)
    end = whole_second(now or clock.now())
    people = [world.add_user(f"person-{number}") for number in range(1, 41)]
    with _garbage_uncollected():
        for number in range(1, repositories + 1):
            repository = world.add_repository(f"bulk/repository-{number}", at=end - timedelta(days=1100))
            chance = random.Random(seed * 100_003 + number).random
            _fill(world, repository, people, pull_requests, reviews_per_pr, chance, end)
    return world


@contextmanager
def _garbage_uncollected() -> Iterator[None]:
    """Turn garbage collection off: a million new objects, all alive, would be traversed over and over."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _fill(
    world: World,
    repository: Repository,
    people: Sequence[Actor],
    pull_requests: int,
    reviews_per_pr: int,
    chance: Callable[[], float],
    end: datetime,
) -> None:
    step = timedelta(days=1000) / max(1, pull_requests)
    started = end - timedelta(days=1000)
    for number in range(1, pull_requests + 1):
        opened = (started + step * (number - 1)).replace(microsecond=0)
        author = people[int(chance() * len(people))]
        pr = PullRequest(
            world.next_id("pull_request"), repository, number, author, f"Change {number}", opened, opened,
            additions=1 + int(chance() * 400), deletions=int(chance() * 200), changed_files=1 + int(chance() * 8),
        )  # fmt: skip
        moment = opened
        for _ in range(reviews_per_pr):
            moment = moment + timedelta(seconds=600 + int(chance() * 40_000))
            reviewer = people[int(chance() * len(people))]
            state = "COMMENTED" if chance() < 0.5 else "APPROVED"
            pr.reviews.append(
                Review(
                    world.next_id("review"),
                    pr,
                    reviewer,
                    state,
                    moment,
                    moment,
                    moment,
                    commit_oid=pr.head_oid,
                )
            )
        if number % 5:
            moment = moment + timedelta(minutes=5)
            pr.state, pr.closed_at, pr.merged_at, pr.merged_by = "MERGED", moment, moment, author
            pr.events.append(TimelineEvent(world.next_id("event"), pr, "closed", author, moment))
        pr.updated_at = moment
        world.adopt(pr)
