"""Pull requests for the comparison with other tools: named people, what happens to them, and random ones."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import NamedTuple

from prpipeline_tests.support.metrics_lab import AS_OF, MetricsLab
from prpipeline_tests.support.reference import Person

OPENED = AS_OF - timedelta(days=20)
ANN, BOB, CAT = Person(1, "ann"), Person(2, "bob"), Person(3, "cat-abbot")
HELPER, RUNNER, DEPENDABOT = Person(4, "helper_bot"), Person(5, "ci-bot-1"), Person(6, "dependabot")
ROBOT, OTHER_ROBOT = Person(7, "robot[bot]", True), Person(8, "renovate[bot]", True)
GONE = Person(None, None)
EVERYBODY = (ANN, ANN, BOB, BOB, CAT, HELPER, RUNNER, DEPENDABOT, ROBOT, OTHER_ROBOT, GONE)
ANYBODY_BUT_GONE = EVERYBODY[:-1]

Event = tuple[int, str, Person, Person | str | None]
"""When, what, by whom, and of whom a review was requested: a team by its name."""


class Story(NamedTuple):
    """A pull request with what happened to it, in seconds from its opening and in the order in which GitHub lists it."""

    author: Person = ANN
    closed: int | None = None
    is_merged: bool = True
    is_draft: bool = False
    reviews: tuple[tuple[int, Person, str], ...] = ()
    events: tuple[Event, ...] = ()


def write(lab: MetricsLab, stories: list[Story], repository_id: int = 1) -> None:
    with lab.gathering():
        for number, story in enumerate(stories, 1):
            _write(lab, story, repository_id, number)


def _write(lab: MetricsLab, story: Story, repository_id: int, number: int) -> None:
    common = {
        "repository_id": repository_id,
        "pull_request_id": repository_id * 1_000_000 + number,
        "number": number,
    }
    closed_at = None if story.closed is None else OPENED + timedelta(seconds=story.closed)
    state = "open" if closed_at is None else "merged" if story.is_merged else "closed"
    lab.insert(
        "raw.pull_requests",
        common
        | {"node_id": f"PR_{number}", "title": "A change", "state": state, "url": "", "synced_at": AS_OF}
        | {"author_id": story.author.id, "author_login": story.author.login}
        | {"author_is_bot": story.author.is_bot, "is_draft": story.is_draft}
        | {"created_at": OPENED, "updated_at": OPENED, "closed_at": closed_at}
        | {"merged_at": closed_at if state == "merged" else None},
    )
    for at, by, said in story.reviews:
        lab.insert(
            "raw.reviews",
            common
            | {"review_id": next(IDS), "node_id": "R", "reviewer_id": by.id, "reviewer_login": by.login}
            | {"reviewer_is_bot": by.is_bot, "state": said}
            | {"submitted_at": OPENED + timedelta(seconds=at)},
        )
    for at, event, by, subject in story.events:
        is_team = isinstance(subject, str)
        person = subject if isinstance(subject, Person) else GONE
        lab.insert(
            "raw.review_events",
            common
            | {
                "event_id": f"E_{next(IDS):09}",
                "event": event,
                "actor_id": by.id,
                "actor_login": by.login,
            }
            | {"subject_id": 2 if is_team else person.id, "subject_is_team": is_team}
            | {"subject_login": subject if is_team else person.login}
            | {"created_at": OPENED + timedelta(seconds=at)},
        )


IDS = itertools.count(1)

# Times that meet: in the same second, a second and a minute apart.
MOMENTS = (0, 1, 30, 59, 60, 61, 119, 120, 3600, 3601, 3660, 7200, 7201, 86_400, 90_000)


def random_story(dice: random.Random) -> Story:
    def moment() -> int:
        return dice.choice(MOMENTS)

    is_draft, toggles = _random_toggles(dice)
    actors = ANYBODY_BUT_GONE if dice.random() < 0.9 else EVERYBODY
    events: list[Event] = [(at, what, dice.choice(actors), None) for at, what in toggles]
    for _ in range(dice.choice((0, 0, 1, 2, 3))):
        subject = dice.choice((BOB, CAT, ROBOT, GONE, "octo/core"))
        what = dice.choice(("review_requested", "review_requested", "review_request_removed"))
        events.append((moment(), what, dice.choice(actors), subject))
    count = dice.choice((0, 1, 1, 2, 3, 4)) if dice.random() < 0.97 else dice.choice((49, 50, 51, 100, 101))
    reviewers = EVERYBODY if count < 9 else (ANN, ANN, ANN, ROBOT, ANN, BOB)[: dice.choice((3, 4, 6))]
    states = ("APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED")
    reviews = [(moment(), dice.choice(reviewers), dice.choice(states)) for _ in range(count)]
    return Story(
        dice.choice((ANN, ANN, ANN, BOB, ROBOT, GONE)),
        closed=dice.choice((None, *(moment() for _ in range(3)))),
        is_merged=dice.random() < 0.8,
        is_draft=is_draft,
        reviews=tuple(sorted(reviews, key=lambda review: review[0])),
        events=tuple(sorted(events, key=lambda event: event[0])),
    )


def _random_toggles(dice: random.Random) -> tuple[bool, list[tuple[int, str]]]:
    """Whether it is a draft now, and its draft events: in turns, often in one second; or any, in seconds of their own."""
    count = dice.choice((0, 0, 1, 2, 3, 4, 6))
    if dice.random() < 0.3:
        kinds = ("ready_for_review", "converted_to_draft")
        return dice.random() < 0.3, [(at, dice.choice(kinds)) for at in sorted(dice.sample(MOMENTS, count))]
    is_draft, toggles = dice.random() < 0.5, []
    for at in sorted(dice.choice(MOMENTS) for _ in range(count)):
        toggles.append((at, "ready_for_review" if is_draft else "converted_to_draft"))
        is_draft = not is_draft
    return is_draft, toggles
