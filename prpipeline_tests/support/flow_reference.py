"""The flow of work in plain, slow Python, by replaying events second by second, to compare the SQL with.

Written from the definitions and not from the SQL; it shares no code with prpipeline.metrics.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from prpipeline.settings import MetricSettings
from prpipeline_tests.support import reference
from prpipeline_tests.support.metrics_lab import MetricsLab
from prpipeline_tests.support.reference import History, Person

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Team:
    id: int | None
    login: str | None


@dataclass(frozen=True)
class Members:
    """Who is in a team: ids, each with the first day and the first day without them (None: always); and since when that
    is known."""

    known_from: date
    periods: dict[int, tuple[date | None, date | None]]

    def had(self, person: Person, at: datetime) -> bool:
        if person.id not in self.periods:
            return False
        joined, left = self.periods[person.id]
        return (joined is None or joined <= at.date()) and (left is None or at.date() < left)


@dataclass
class Work(History):
    """A pull request that may be closed and reopened several times a second, and for which reviews are asked of teams too.

    Its toggles are draft events only, and its requests are none.
    """

    branch: str | None = None
    switches: list[tuple[datetime, str]] = field(default_factory=list)
    """closed and reopened events, without the last closing or the merge."""
    asks: list[tuple[datetime, str, Person | Team]] = field(default_factory=list)
    """review_requested and review_request_removed events."""

    @property
    def end(self) -> datetime | None:
        return self.merged_at or self.closed_at


def store(lab: MetricsLab, works: Sequence[Work], repository_id: int = 1) -> None:
    lab.store(works, repository_id)
    base = repository_id * 1_000_000
    for branch in {work.branch for work in works} - {None}:
        those = [base + number for number, work in enumerate(works, 1) if work.branch == branch]
        lab.connection.execute(
            "UPDATE raw.pull_requests SET head_ref = ? WHERE pull_request_id IN (SELECT unnest(?))",
            [branch, those],
        )
    with lab.gathering():
        for number, work in enumerate(works, 1):
            common = {"repository_id": repository_id, "pull_request_id": base + number, "number": number}
            for at, event in [*work.switches, *([(work.end, "closed")] if work.end else [])]:
                lab.event(common, at, event)
            for at, event, who in work.asks:
                team = isinstance(who, Team)
                lab.event(common, at, event, subject_id=who.id, subject_login=who.login, subject_is_team=team)


def store_members(lab: MetricsLab, members: Mapping[int, Members]) -> None:
    with lab.gathering():
        for team_id, team in members.items():
            _store_team(lab, team_id, team)


def _store_team(lab: MetricsLab, team_id: int, team: Members) -> None:
    names = {
        "organization": "octo",
        "organization_id": 1,
        "slug": f"team-{team_id}",
        "name": f"Team {team_id}",
    }
    lab.insert(
        "raw.teams",
        {"team_id": team_id, "depth": 0, "known_from": team.known_from, "is_gone": False} | names,
    )
    for actor_id, (joined, left) in team.periods.items():
        row = {"team_id": team_id, "actor_id": actor_id, "joined_on": joined, "left_on": left}
        lab.insert("raw.team_members", row)


def switched(work: Work) -> tuple[list[datetime], bool]:
    """When it was closed and reopened in turns before its end, and whether it was open after the last of them."""
    end = work.end or datetime.max
    net: dict[datetime, int] = defaultdict(int)
    for at, event in work.switches:
        if work.created_at <= at < end:
            net[at] += 1 if event == "reopened" else -1
    is_open, changes = True, []
    for at in sorted(net):
        if net[at] and is_open != (net[at] > 0):
            is_open = net[at] > 0
            changes.append(at)
    return changes, is_open


def open_periods(work: Work) -> list[tuple[datetime, datetime]]:
    """The last one ends at datetime.max while the pull request is open."""
    changes, is_open = switched(work)
    if not is_open:  # but it was open until its end, or is
        changes.pop()
    marks = [work.created_at, *changes, work.end or datetime.max]
    return list(zip(marks[::2], marks[1::2], strict=True))


def is_open_at(work: Work, moment: datetime) -> bool:
    return any(start <= moment < end for start, end in open_periods(work))


def misses_a_reopening(work: Work) -> bool:
    """Whether it is open now although its last event is a closing."""
    return work.end is None and not switched(work)[1]


def waits_on(work: Work, moment: datetime, settings: MetricSettings) -> bool:
    """Whether what waits at this moment has waited since, without a review, a draft period or a closing."""
    return (
        moment >= open_periods(work)[-1][0]
        and not qualifying(work, settings)
        and not any(reference.is_draft_at(work, at) for at, _ in work.toggles if at > moment)
    )


def are_drafts_known(work: Work) -> bool:
    was = max(work.toggles)[1] == "converted_to_draft" if work.toggles else work.is_draft
    return was == work.is_draft


def ready_at(work: Work) -> datetime | None:
    if reference.opened_as_draft(work):
        return min((at for at, event in work.toggles if event == "ready_for_review"), default=None)
    return work.created_at


def qualifying(work: Work, settings: MetricSettings) -> list[reference.Review]:
    return [r for r in work.reviews if reference.disqualified_by(work, r, settings) is None]


def stage_at(work: Work, moment: datetime, settings: MetricSettings) -> str | None:
    """A stage, or closed; None where it is not known."""
    if not is_open_at(work, moment):
        return "closed"
    if not are_drafts_known(work):
        return None
    if reference.is_draft_at(work, moment):
        return "draft"
    ready = ready_at(work)
    assert ready is not None
    said = [r.said for r in qualifying(work, settings) if ready <= r.at <= moment]
    return "approved" if "APPROVED" in said else "in_review" if said else "waiting_for_review"


def stages(
    work: Work, settings: MetricSettings, as_of: datetime
) -> list[tuple[str | None, datetime, datetime | None]]:
    """Stage, start and end of each spell, in order."""
    until = work.end or max(as_of, work.created_at) + timedelta(days=1)
    marks = {work.created_at, until}
    marks |= {at for at, _ in [*work.switches, *work.toggles]} | {review.at for review in work.reviews}
    inside = sorted(mark for mark in marks if work.created_at <= mark <= until)
    spells: list[tuple[str | None, datetime, datetime | None]] = []
    if work.first_commit_at and work.first_commit_at < work.created_at:
        spells.append(("coding", work.first_commit_at, work.created_at))
    for start, stop in itertools.pairwise(inside):
        stage = stage_at(work, start, settings)
        if stage == "closed":
            continue
        if spells and spells[-1][0] == stage and spells[-1][2] == start:
            start = spells.pop()[1]
        spells.append((stage, start, None if stop == until and work.end is None else stop))
    return spells


def day(works: Sequence[Work], that: date, settings: MetricSettings, *, bots: bool) -> dict[str, int]:
    """The row of a day, of people's or of bots' pull requests."""
    last_second = datetime(that.year, that.month, that.day) + timedelta(days=1) - SECOND
    found = dict.fromkeys(("opened", "reopened", "closed", "merged", "open", "draft", "waiting"), 0)
    for work in works:
        if (reference.is_bot(work.author, settings) and settings.exclude_bots) != bots:
            continue
        periods = open_periods(work)
        found["opened"] += work.created_at.date() == that
        found["reopened"] += sum(start.date() == that for start, _ in periods[1:])
        found["merged"] += work.merged_at is not None and work.merged_at.date() == that
        ends = [end for _, end in periods if end != work.merged_at]
        found["closed"] += sum(end.date() == that for end in ends)
        if is_open_at(work, last_second):
            found["open"] += 1
            is_draft = reference.is_draft_at(work, last_second)
            is_reviewed = any(review.at <= last_second for review in qualifying(work, settings))
            found["draft"] += are_drafts_known(work) and is_draft
            found["waiting"] += (
                are_drafts_known(work)
                and not is_draft
                and not is_reviewed
                and not (misses_a_reopening(work) and waits_on(work, last_second, settings))
            )
    return found


def requests(
    work: Work, settings: MetricSettings, members: Mapping[int, Members] = {}
) -> list[dict[str, Any]]:
    """By replaying what happens to each person and team, second by second. ``members``: by the number of the team."""
    counted = [r for r in work.reviews if work.merged_at is None or r.at <= work.merged_at]
    asked: dict[tuple[bool, Any], list[tuple[datetime, str, Person | Team]]] = defaultdict(list)
    for one in work.asks:
        asked[isinstance(one[2], Team), one[2].id or one[2].login].append(one)
    found = []
    for (is_team, key), events in asked.items():
        team = members.get(key) if is_team else None
        reviews = [r for r in counted if not is_team and key is not None and r.by.id == key]
        if team:
            reviews = [
                r
                for r in counted
                if team.had(r.by, r.at) and (work.author.id is None or r.by.id != work.author.id)
            ]
        login = max(events, key=lambda event: event[0])[2].login
        pending: dict[str, Any] | None = None
        for second in sorted({at for at, _, _ in events} | {review.at for review in reviews}):
            happened = [event for at, event, _ in events if at == second]
            answers = [review.id for review in reviews if review.at == second]
            if pending and "review_request_removed" in happened and not answers:
                pending.update(withdrawn_at=second, outcome="withdrawn")
                pending = None
            times = happened.count("review_requested")
            if times and pending is None:
                pending = {
                    "reviewer_login": login, "is_team": is_team, "asked_at": second, "times_asked": 0,
                    "answered_at": None, "withdrawn_at": None, "review_id": None, "outcome": None,
                    "answered_by_id": None,
                }  # fmt: skip
                found.append(pending)
            if pending:
                pending["times_asked"] += times
                if answers:
                    by = {review.id: review.by.id for review in reviews}
                    pending.update(answered_at=second, review_id=min(answers), outcome="answered")
                    pending["answered_by_id"] = by[min(answers)]
                    pending = None
        if pending:
            others = [r for r in counted if r.at >= pending["asked_at"]]
            of_people = [r for r in others if not reference.is_bot(r.by, settings)]
            of_others = [r for r in of_people if r.by.id is None or r.by.id != work.author.id]
            if team:
                of_others = [r for r in of_others if r.by.id is None or r.at.date() < team.known_from]
            may_be = of_others if is_team else [r for r in others if key is None and r.by.id is None]
            if not may_be:
                pending["outcome"] = "closed" if work.end else "pending"
    return sorted(found, key=repr)
