"""Issues that pull requests are about, with plausible lives: for the demo, whose sample repositories name their keys.

Deterministic: the same work and the same end give the same world.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from prpipeline.sandbox.clock import ManualClock
from prpipeline.sandbox.jira.model import POINTS, SPRINT, Issue, Project, Sprint, User
from prpipeline.sandbox.jira.world import World

_STORY, _BUG, _TASK, _EPIC = (
    ("10001", "Story", 0),
    ("10002", "Bug", 0),
    ("10003", "Task", 0),
    ("10000", "Epic", 1),
)
_PRIORITIES = [{"id": "2", "name": "High"}, {"id": "3", "name": "Medium"}, {"id": "4", "name": "Low"}]
_TO_DO, _IN_PROGRESS, _IN_REVIEW, _DONE, _WONT_DO = "1", "3", "4", "10", "11"
_SPRINT = timedelta(days=14)
_EPICS = ("Reliability", "Onboarding", "Cost")

Step = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Work:
    """A pull request that is about an issue."""

    key: str
    title: str
    author: str  # the name of a person of ``people``
    began_at: datetime
    opened_at: datetime
    merged_at: datetime | None
    closed_at: datetime | None


@dataclass
class _Life:
    """What becomes of an issue."""

    key: str
    works: list[Work] = field(default_factory=list)


def world_of_work(works: Iterable[Work], people: Sequence[str], now: datetime, seed: int = 7) -> World:
    """A Jira with an issue for each key, some others that nobody works at yet, epics and sprints; it ends ``now``."""
    lives: dict[str, _Life] = {}
    for work in sorted(works, key=lambda work: work.opened_at):
        lives.setdefault(work.key, _Life(work.key)).works.append(work)
    return _Writer(list(lives.values()), people, now, random.Random(seed)).written()


class _Writer:
    """Plans all that happens, then lets it happen in the order of time."""

    def __init__(
        self, lives: Sequence[_Life], people: Sequence[str], now: datetime, dice: random.Random
    ) -> None:
        self.now, self.dice, self.lives = now, dice, lives
        self.clock = ManualClock(now)
        self.world = World(self.clock)
        self.people = {
            name: self.world.add_user(f"557058:sample-{place:02}", name)
            for place, name in enumerate(people, 1)
        }
        self.customer = self.world.add_user("qm:sample-customer", "Annie E.", account_type="customer")
        self.plan: list[tuple[datetime, int, Step]] = []
        self.issues: dict[str, Issue] = {}
        self.sprints: list[Sprint] = []
        self.epics: dict[int, list[Issue]] = {}

    def written(self) -> World:
        first = min((life.works[0].began_at for life in self.lives), default=self.now)
        start = first - timedelta(days=30)
        self._sprints(start)
        for key in sorted({life.key.rpartition("-")[0] for life in self.lives}):
            self._project(key, start)
        for life in self.lives:
            self._life(life)
        for moment, _, step in sorted(self.plan, key=lambda planned: planned[:2]):
            if moment <= self.now:
                self.clock.set(moment)
                step()
        self.clock.set(self.now)
        return self.world

    def _at(self, moment: datetime, step: Step) -> None:
        self.plan.append((moment.replace(microsecond=0), len(self.plan), step))

    def _sprints(self, start: datetime) -> None:
        while start < self.now + _SPRINT:
            end = start + _SPRINT
            state = "closed" if end <= self.now else "active" if start <= self.now else "future"
            complete = end if state == "closed" else None
            name = f"Sprint {len(self.sprints) + 1}"
            self.sprints.append(
                self.world.add_sprint(name, state=state, start=start, end=end, complete=complete)
            )
            start = end

    def _project(self, key: str, start: datetime) -> None:
        project = self.world.add_project(key, f"{key.title()} Labs")
        epics = self.epics.setdefault(project.id, [])
        for name in _EPICS:
            self._at(start, partial(self._epic, project, epics, name))
        for number in range(1, 13):  # nobody works at these
            moment = self.now - timedelta(days=self.dice.uniform(1, 90))
            summary = f"Idea {number}: {self.dice.choice(('look into', 'plan', 'measure'))} it"
            self._at(moment, partial(self._created, project, summary, _TASK, None))

    def _epic(self, project: Project, epics: list[Issue], name: str) -> None:
        epics.append(self._created(project, name, _EPIC, None))

    def _created(
        self, project: Project, summary: str, kind: tuple[str, str, int], number: int | None, **more: Any
    ) -> Issue:
        last = project.last_number
        if number is not None:
            project.last_number = number - 1
        issue = self.world.create(project, summary, kind=kind, **more)
        project.last_number = max(last, issue.number) if number is None else last
        return issue

    def _life(self, life: _Life) -> None:
        dice, works = self.dice, life.works
        begun = min(min(work.began_at, work.opened_at) for work in works)
        born = begun - timedelta(hours=dice.expovariate(1 / 90) + 0.2)
        key, _, number = life.key.rpartition("-")
        kind = dice.choices((_STORY, _BUG, _TASK), (5, 3, 2))[0]
        reporter = self.customer if kind is _BUG and dice.random() < 0.3 else self._somebody()
        points = None if kind is _BUG else dice.choice((None, 1, 2, 3, 5, 8))
        priority, with_epic = dice.choice(_PRIORITIES), dice.random() < 0.6
        assignee = self.people.get(works[0].author)

        def create() -> None:
            project = self.world.find_project(key)
            assert project is not None
            more: dict[str, Any] = {"priority": priority, "reporter": reporter, POINTS: points}
            if with_epic:
                more["parent"] = dice.choice(self.epics[project.id]).id
            self.issues[life.key] = self._created(project, works[0].title, kind, int(number), **more)

        self._at(born, create)
        self._at(begun - timedelta(minutes=5), lambda: self._take_up(life.key, assignee))
        if dice.random() < 0.9:  # some work is begun before anybody says so
            self._at(begun, lambda: self._into(life.key, _IN_PROGRESS))
        self._at(
            works[0].opened_at + timedelta(minutes=2),
            lambda: self._into(life.key, _IN_REVIEW, (_TO_DO, _IN_PROGRESS)),
        )
        self._end(life)

    def _end(self, life: _Life) -> None:
        """When the last is merged or closed: done mostly soon after, or before, or never; and some come back."""
        dice = self.dice
        ends = [work.merged_at or work.closed_at for work in life.works]
        if not all(ends):
            return
        end = max(filter(None, ends))
        if not any(work.merged_at for work in life.works):
            self._at(end + timedelta(hours=1), lambda: self._into(life.key, _WONT_DO))
            return
        chance = dice.random()
        opened = life.works[0].opened_at
        if chance < 0.1:
            return
        done = (
            opened + (end - opened) * 0.7 if chance < 0.2 else end + timedelta(hours=dice.expovariate(1 / 12))
        )
        self._at(done, lambda: self._into(life.key, _DONE))
        if dice.random() < 0.1:
            back = done + timedelta(days=dice.uniform(1, 6))
            self._at(back, lambda: self._into(life.key, _IN_PROGRESS))
            self._at(back + timedelta(days=dice.uniform(0.5, 4)), lambda: self._into(life.key, _DONE))

    def _take_up(self, key: str, assignee: User | None) -> None:
        issue = self.issues[key]
        if assignee:
            self.world.assign(issue, assignee)
        running = [s for s in self.sprints if s.start and s.start <= self.world.now() < s.start + _SPRINT]
        if running and not issue.fields.get(SPRINT):
            self.world.set_sprints(issue, running)

    def _into(self, key: str, status: str, only_from: Sequence[str] = ()) -> None:
        issue = self.issues[key]
        if issue.status_id != status and (not only_from or issue.status_id in only_from):
            who = issue.fields["assignee"]
            self.world.transition(issue, status, author=self.world.users[who] if who else None)

    def _somebody(self) -> User:
        return self.dice.choice(list(self.people.values()) or [self.customer])
