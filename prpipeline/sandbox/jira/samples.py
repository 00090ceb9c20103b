"""Made-up projects of any size."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from prpipeline.sandbox.clock import ManualClock
from prpipeline.sandbox.jira.world import World

_END = datetime(2026, 11, 20, 12, tzinfo=UTC)
_KINDS = (("10001", "Story", 0), ("10002", "Bug", 0), ("10003", "Task", 0))


def generated_world(keys: tuple[str, ...] = ("ABC", "OPS"), issues: int = 200, seed: int = 7) -> World:
    """Projects with so many issues each, that go through their statuses over two years."""
    chance = random.Random(seed)
    clock = ManualClock(_END - timedelta(days=730))
    world = World(clock)
    people = [world.add_user(f"5e00000000000000000000{n:02}", f"Person {n}") for n in range(1, 9)]
    projects = [world.add_project(key) for key in keys]
    step = timedelta(days=729) / max(1, issues * len(projects))
    for number in range(issues * len(projects)):
        project = projects[number % len(projects)]
        issue = world.create(
            project, f"Work item {number}", kind=chance.choice(_KINDS), reporter=chance.choice(people)
        )
        world.set_points(issue, chance.choice([None, 1, 2, 3, 5]))
        world.assign(issue, chance.choice(people))
        for status in ("3", "4", "10")[: chance.randint(0, 3)]:
            world.transition(issue, status, author=chance.choice(people))
        clock.advance(step)
    clock.set(_END)
    return world
