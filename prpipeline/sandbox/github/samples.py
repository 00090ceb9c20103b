"""Made-up repositories with a little of everything, for the demo and tests.

Deterministic: the same seed and the same `now` give the same world, to the byte.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from prpipeline.sandbox.clock import Clock, SystemClock, whole_second
from prpipeline.sandbox.github.model import Actor, PullRequest, Repository, Review
from prpipeline.sandbox.github.sample_titles import HARD_TITLES, SUBJECTS
from prpipeline.sandbox.github.world import World
from prpipeline.sandbox.messages import Request

HISTORY = timedelta(days=270)
WEEKDAY_WEIGHT = (5, 6, 6, 5, 4, 1, 1)
HOUR_WEIGHT = (1, 0, 0, 0, 0, 0, 1, 3, 6, 9, 10, 9, 7, 8, 10, 9, 8, 6, 4, 3, 2, 2, 1, 1)

# Hedy does not tell hers.
NAMES = {
    "ada": "Ada L.",
    "edsger": "Edsger D.",
    "grace": "Grace H.",
    "linus": "Linus T.",
    "margaret": "Margaret H.",
    "radia": "Radia P.",
    "tim": "Tim B.",
}


def sample_world(clock: Clock | None = None, now: datetime | None = None, seed: int = 7) -> World:
    """A few repositories with about 330 pull requests of the last nine months, hard cases among them.

    `now` is where the history ends, the clock's time by default.
    """
    clock = clock or SystemClock()
    return _Sampler(World(clock), random.Random(seed), whole_second(now or clock.now())).build()


def sample_teams(now: datetime) -> dict[str, dict[str, list[str | dict[str, object]]]]:
    """The teams of the sample world, as a repositories file lists them: GitHub need not know them.

    Margaret moved 90 days before ``now``, Radia is in two teams, Hedy in none, and nobody knows Katherine yet.
    """
    moved = now.date() - timedelta(days=90)
    stayed: dict[str, object] = {"login": "margaret", "until": moved - timedelta(days=1)}
    came: dict[str, object] = {"login": "margaret", "from": moved}
    return {
        "Flight": {
            "people": ["ada", "edsger", "radia", stayed],
            "repositories": ["octo-labs/rocket", "moonbase/*"],
        },
        "Platform": {
            "people": ["grace", "linus", "tim", "radia", came, "katherine"],
            "repositories": ["octo-labs/*"],
        },
    }


def with_a_new_login(world: World) -> Callable[[Request], None]:
    """A hook of the server: Hedy bears another login until the last repository is asked for, and so has a former one."""
    hedy = world.rename_user("hedy", "hedwig")

    def change(request: Request) -> None:
        if hedy.login == "hedwig" and b"lander" in request.body:
            world.rename_user(hedy, "hedy")

    return change


class _Sampler:
    """Builds the sample world; one method per kind of content."""

    def __init__(self, world: World, dice: random.Random, now: datetime) -> None:
        self.world = world
        self.dice = dice
        self.more_dice = random.Random(8)  # for what was added later, so that all else stays as it was
        self.ticket_dice = random.Random(9)
        self.now = now

    def build(self) -> World:
        for login in ("dependabot", "github-actions", "review-robot"):
            self.world.add_bot(login)
        plan = {
            "octo-labs/rocket": (150, ("ada", "grace", "linus", "margaret", "edsger"), 30.0),
            "octo-labs/website": (90, ("ada", "tim", "hedy", "margaret"), 12.0),
            "octo-labs/infra": (60, ("linus", "radia", "grace"), 20.0),
            "moonbase/lander": (30, ("radia", "hedy", "edsger"), 45.0),
        }
        started = self.now - HISTORY
        for name, (count, people, hours) in plan.items():
            repository = self.world.add_repository(name, at=started - timedelta(days=30))
            for opened in self._openings(count, started):
                self._pull_request(repository, opened, people, hours)
        self._hard_cases()
        for login, name in NAMES.items():
            self.world.actor(login).name = name
        return self.world

    def _openings(self, count: int, started: datetime) -> list[datetime]:
        moments: list[datetime] = []
        while len(moments) < count:
            moment = started + timedelta(seconds=self.dice.randrange(int(HISTORY.total_seconds()) - 3600))
            if self.dice.random() * 60 < WEEKDAY_WEIGHT[moment.weekday()] * HOUR_WEIGHT[moment.hour]:
                moments.append(moment)
        return sorted(moments)

    def _pull_request(
        self, repository: Repository, opened: datetime, people: Sequence[str], hours: float
    ) -> None:
        world, dice = self.world, self.dice
        by_bot = dice.random() < 0.12
        author = "dependabot[bot]" if by_bot else dice.choice(people)
        number = repository.last_number + 1
        if by_bot:
            title = f"Bump {dice.choice(('requests', 'lodash', 'serde', 'urllib3'))} from 1.{number} to 1.{number + 1}"
        else:
            title = HARD_TITLES[number // 9 % len(HARD_TITLES)] if number % 9 == 0 else dice.choice(SUBJECTS)
        ticket = None if by_bot or number % 9 == 0 else self._ticket(repository, number)
        if ticket and self.ticket_dice.random() < 0.5:
            title, ticket = f"{ticket}: {title}", None
        draft = not by_bot and dice.random() < 0.2
        size = int(dice.lognormvariate(3.8, 1.2)) + 1
        pr = world.open_pull_request(
            repository,
            author,
            title,
            draft=draft,
            base="main" if dice.random() < 0.9 else "release/2.x",
            additions=size,
            deletions=int(size * dice.random()),
            changed_files=1 + size // 40,
            at=opened,
            **self._branch(number, title, opened, ticket, by_bot=by_bot),
        )
        if dice.random() < 0.15:
            world.label(pr, dice.choice(("bug", "docs", "performance")), at=opened + timedelta(minutes=1))
        ready = opened
        if draft:
            ready = self._drafts(pr, opened)
        reviewers = [p for p in people if p != author]
        self._requests(pr, ready, reviewers, author)
        self._reviews(pr, ready, reviewers, hours)

    def _ticket(self, repository: Repository, number: int) -> str | None:
        """Every other pull request is about a ticket, and some are about the same one of their repository."""
        prefix = "MOON" if repository.owner.login == "moonbase" else "OCTO"
        first = 100 * len(self.world.repositories)
        return f"{prefix}-{first + number // 3}" if self.ticket_dice.random() < 0.5 else None

    def _branch(
        self, number: int, title: str, opened: datetime, ticket: str | None, *, by_bot: bool
    ) -> dict[str, Any]:
        """The branch, what it is about, and when work on it began: after a rebase that seems later than the opening."""
        dice = self.more_dice
        words = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")[:30] or "change"
        words = f"{ticket}-{words}" if ticket else words
        labels = (
            ["dependencies"]
            if by_bot
            else dice.choice(([], [], ["enhancement"], ["refactoring", "good first issue"]))
        )
        hours = -dice.expovariate(1 / 20) if dice.random() < 0.9 else dice.uniform(0.5, 30)
        return {
            "head": f"dependabot/{words}"
            if by_bot
            else f"{dice.choice(('feature', 'fix', 'task'))}/{words}-{number}",
            "fork": None if by_bot else dice.choice((None,) * 8 + ("there", "gone")),
            "labels": labels,
            "milestone": dice.choice((None, None, "1.0", "2.0")),
            "commits": 1 if by_bot else 1 + int(dice.expovariate(1 / 3)),
            "first_commit_at": opened if by_bot else opened + timedelta(hours=hours),
        }

    def _drafts(self, pr: PullRequest, opened: datetime) -> datetime:
        ready = self._work_time(opened, self.dice.expovariate(1 / 30))
        if ready >= self.now:
            return self.now
        self.world.ready_for_review(pr, at=ready)
        if self.dice.random() < 0.25:
            back = ready + timedelta(hours=self.dice.uniform(0.5, 4))
            again = back + timedelta(hours=self.dice.uniform(1, 20))
            if again < self.now:
                self.world.convert_to_draft(pr, at=back)
                self.world.ready_for_review(pr, at=again)
        return ready

    def _requests(self, pr: PullRequest, ready: datetime, reviewers: Sequence[str], author: str) -> None:
        owner = pr.repository.owner.login
        moment = ready + timedelta(seconds=2)
        if moment >= self.now:
            return
        if self.dice.random() < 0.5:
            self.world.request_review(pr, self.dice.choice(reviewers), at=moment)
        # GitHub requests code owners in the same second in which a pull request becomes ready.
        if pr.number % 4 == 0:
            self.world.request_review(pr, f"{owner}/maintainers", by="github-actions[bot]", at=moment)
        if self.dice.random() < 0.08:
            someone = self.dice.choice(reviewers)
            self.world.request_review(pr, someone, at=moment + timedelta(minutes=3))
            self.world.remove_review_request(pr, someone, at=moment + timedelta(minutes=9))

    def _reviews(self, pr: PullRequest, ready: datetime, reviewers: Sequence[str], hours: float) -> None:
        dice = self.dice
        if dice.random() < 0.4:
            self._review(
                pr, "review-robot[bot]", "COMMENTED", ready + timedelta(seconds=dice.randrange(20, 200))
            )
        if dice.random() < 0.12 and pr.author and pr.author.kind == "User":
            self._review(pr, pr.author, "COMMENTED", ready + timedelta(minutes=dice.randrange(3, 50)))
        # The team gets faster over the months, so that charts have something to show.
        age = (self.now - ready) / HISTORY
        moment = self._work_time(ready, dice.expovariate(1 / (hours * (0.35 + 1.1 * age))))
        approved = None
        if dice.random() < 0.9:
            for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 4))):
                state = dice.choices(("APPROVED", "CHANGES_REQUESTED", "COMMENTED"), (5, 2, 3))[0]
                review = self._review(pr, dice.choice(reviewers), state, moment)
                if review and state == "APPROVED":
                    approved = review
                moment = self._work_time(moment, dice.expovariate(1 / 6))
        if dice.random() < 0.3:
            self._comment(pr, dice.choice(reviewers), ready + timedelta(minutes=dice.randrange(2, 300)))
        self._end(pr, moment, approved, reviewers)

    def _end(
        self, pr: PullRequest, moment: datetime, approved: Review | None, reviewers: Sequence[str]
    ) -> None:
        world, dice = self.world, self.dice
        if moment >= self.now or dice.random() < 0.05:
            return
        if approved and dice.random() < 0.08:
            world.dismiss_review(approved, by=dice.choice(reviewers), at=moment)
        fate = dice.random()
        if fate < 0.1:
            world.close(pr, by=dice.choice(reviewers), at=moment)
            later = moment + timedelta(days=1)
            if fate < 0.03 and later < self.now:
                world.reopen(pr, at=later)
        elif not pr.is_draft:
            world.merge(pr, by=dice.choice(reviewers), at=moment)
            if fate > 0.94:
                self._review(
                    pr, dice.choice(reviewers), "COMMENTED", moment + timedelta(hours=dice.uniform(1, 30))
                )

    def _hard_cases(self) -> None:
        world, now = self.world, self.now
        rocket = world.repository("octo-labs/rocket")
        start = now - timedelta(days=20, hours=3)

        crowded = world.open_pull_request(
            rocket, "ada", "The one with 130 reviews", additions=4_200, at=start
        )
        for minute in range(130):
            reviewer = "grace" if minute >= 100 else ("review-robot[bot]" if minute % 2 else "ada")
            world.review(
                crowded, reviewer, "COMMENTED", comments=1, at=start + timedelta(minutes=10 + minute)
            )
        world.review(crowded, "grace", "APPROVED", at=start + timedelta(hours=4))
        world.merge(crowded, "grace", at=start + timedelta(hours=5))

        departed = world.open_pull_request(rocket, "departed", "Written by someone who left", at=start)
        world.review(departed, "linus", "APPROVED", at=start + timedelta(hours=2))
        world.merge(departed, "linus", at=start + timedelta(hours=3))
        by_ghost = world.open_pull_request(rocket, "linus", "Reviewed by someone who left", at=start)
        world.review(by_ghost, "departed", "APPROVED", at=start + timedelta(hours=6))
        world.delete_user("departed")

        secret = world.open_pull_request(rocket, "edsger", "Somebody is still writing a review", at=start)
        world.review(secret, "margaret", "PENDING", at=start + timedelta(hours=1))
        late = world.open_pull_request(rocket, "margaret", "Started early, submitted late", at=start)
        pending = world.review(late, "ada", "PENDING", at=start + timedelta(hours=1))
        world.review(late, "grace", "COMMENTED", at=start + timedelta(hours=2))
        world.submit_review(pending, "APPROVED", at=start + timedelta(hours=9))

        waiting = world.open_pull_request(
            rocket, "grace", "Waiting for its first review", at=now - timedelta(days=3)
        )
        world.request_review(waiting, "octo-labs/maintainers", at=now - timedelta(days=3))
        world.open_pull_request(
            rocket, "tim", "A draft that was never ready", draft=True, at=now - timedelta(days=6)
        )

    def _work_time(self, moment: datetime, hours: float) -> datetime:
        """Some time later, moved into the person's working day."""
        later = moment + timedelta(hours=hours)
        while later.weekday() >= 5 and self.dice.random() < 0.9:
            later += timedelta(days=1)
        if not 7 <= later.hour < 20 and self.dice.random() < 0.9:
            later = later.replace(hour=self.dice.randrange(8, 18)) + timedelta(days=later.hour >= 20)
        return whole_second(max(later, moment + timedelta(minutes=2)))

    def _review(self, pr: PullRequest, who: Actor | str, state: str, at: datetime) -> Review | None:
        if at >= self.now:
            return None
        body = self.more_dice.choice(("", "", "Please see the remarks.", "Thank you!", " "))
        return self.world.review(pr, who, state, comments=self.dice.choice((0, 0, 1, 2, 5)), body=body, at=at)

    def _comment(self, pr: PullRequest, who: str, at: datetime) -> None:
        if at < self.now:
            self.world.comment(pr, who, at=at)
