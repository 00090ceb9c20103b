"""The metrics in plain, slow Python, to compare the SQL with.

Written from the definitions and not from the SQL; it shares no code with prpipeline.metrics.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from prpipeline.settings import WEEKDAYS, Calendar, MetricSettings


@dataclass
class Person:
    id: int | None
    login: str | None
    is_bot: bool = False


@dataclass
class Review:
    id: int
    by: Person
    state: str
    at: datetime
    dismissed_from: str | None = None
    has_text: bool | None = True

    @property
    def is_verdict(self) -> bool:
        return self.said in (None, "APPROVED", "CHANGES_REQUESTED")

    @property
    def is_inline_only(self) -> bool | None:
        """None where nobody knows."""
        if self.state != "COMMENTED":
            return False
        return None if self.has_text is None else not self.has_text

    @property
    def said(self) -> str | None:
        return self.dismissed_from if self.state == "DISMISSED" else self.state


@dataclass
class History:
    author: Person
    created_at: datetime
    is_draft: bool = False
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    title: str = "A change"
    reviews: list[Review] = field(default_factory=list)
    toggles: list[tuple[datetime, str]] = field(default_factory=list)
    """ready_for_review, converted_to_draft, closed and reopened events, at most one a second."""
    requests: list[tuple[datetime, str, Person]] = field(default_factory=list)
    """review_requested and review_request_removed events."""
    first_commit_at: datetime | None = None

    @property
    def draft_toggles(self) -> list[tuple[datetime, str]]:
        return sorted(t for t in self.toggles if t[1] in ("ready_for_review", "converted_to_draft"))

    @property
    def closings(self) -> list[tuple[datetime, str]]:
        return sorted(t for t in self.toggles if t[1] in ("closed", "reopened"))

    @property
    def state(self) -> str:
        return "merged" if self.merged_at else "closed" if self.closed_at else "open"


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()


def is_bot(person: Person, settings: MetricSettings) -> bool:
    login = (person.login or "").lower()
    listed = {bot.lower() for bot in settings.bots}
    return person.is_bot or login.endswith("[bot]") or login in listed or f"{login}[bot]" in listed


def disqualified_by(history: History, review: Review, settings: MetricSettings) -> str | None:
    if settings.exclude_self and review.by.id is not None and review.by.id == history.author.id:
        return "self"
    if settings.exclude_bots and is_bot(review.by, settings):
        return "bot"
    if history.merged_at is not None and review.at > history.merged_at:
        return "after_merge"
    return None


def is_draft_at(history: History, moment: datetime) -> bool:
    """By replaying the events up to the moment."""
    state = opened_as_draft(history)
    for at, event in history.draft_toggles:
        if at <= moment:
            state = event == "converted_to_draft"
    return state


def is_closed_at(history: History, moment: datetime) -> bool:
    """By replaying the events of closing and reopening."""
    return [event == "closed" for at, event in history.closings if at <= moment][-1:] == [True]


def contradicts(history: History) -> bool:
    """Whether the last draft event is not what the pull request is now."""
    toggles = history.draft_toggles
    last = toggles[-1][1] == "converted_to_draft" if toggles else history.is_draft
    return last != history.is_draft


def waiting_seconds(history: History, as_of: datetime) -> float | None:
    """Seconds in which it was open and ready, second by second between events; for what waits now."""
    if contradicts(history) or is_closed_at(history, as_of):
        return None
    marks = sorted({history.created_at, *(at for at, _ in history.toggles), as_of})
    return sum(
        (stop - start).total_seconds()
        for start, stop in itertools.pairwise(marks)
        if start >= history.created_at
        and not is_draft_at(history, start)
        and not is_closed_at(history, start)
    )


def opened_as_draft(history: History) -> bool:
    if history.draft_toggles:
        return history.draft_toggles[0][1] == "ready_for_review"
    return history.is_draft


def qualifying_reviews(history: History, settings: MetricSettings) -> list[Review]:
    """In order."""
    reviews = sorted(history.reviews, key=lambda review: (review.at, review.id))
    return [review for review in reviews if disqualified_by(history, review, settings) is None]


def ready_at(history: History) -> datetime | None:
    if not opened_as_draft(history):
        return history.created_at
    return min((at for at, event in history.draft_toggles if event == "ready_for_review"), default=None)


def null_reason(history: History, settings: MetricSettings) -> str | None:
    found = {disqualified_by(history, review, settings) for review in history.reviews}
    if None in found:
        return None
    ended = history.merged_at or history.closed_at
    if not found:
        return "before_reviews" if ended and ended < datetime(2016, 9, 14) else "no_reviews"
    if "after_merge" in found:
        return "only_after_merge"
    if found == {"self", "bot"}:
        return "only_self_and_bots"
    return "only_self" if found == {"self"} else "only_bots"


def spans(history: History, settings: MetricSettings, as_of: datetime) -> dict[str, float | None]:
    """The seconds of each column of hours."""
    every = sorted(history.reviews, key=lambda review: (review.at, review.id))
    qualifying = qualifying_reviews(history, settings)
    created, merged, ready = history.created_at, history.merged_at, ready_at(history)
    since_ready = [review for review in qualifying if ready is not None and review.at >= ready]
    approvals = [review for review in since_ready if review.said == "APPROVED"]
    first, first_ready, approval = (
        found[0].at if found else None for found in (qualifying, since_ready, approvals)
    )
    end = merged or history.closed_at or as_of
    marks = [created, *(at for at, _ in history.draft_toggles), end]
    drafts = [
        (min(stop, end) - start).total_seconds()
        for start, stop in itertools.pairwise(marks)
        if is_draft_at(history, start) and min(stop, end) > start
    ]
    waits = history.state == "open" and not history.is_draft and first is None
    merged_after = ready is not None and merged is not None and merged >= ready
    wrote = history.first_commit_at
    return {
        "review_time_hours": _seconds(created, first),
        "review_time_hours_any": _seconds(created, every[0].at if every else None),
        "pickup_time_hours": _seconds(ready, first_ready),
        "review_time_business_hours": business_seconds(settings.calendar, created, first) if first else None,
        "time_to_first_approval_hours": _seconds(ready, approval),
        "time_to_merge_hours": _seconds(ready, merged) if merged_after else None,
        "cycle_time_hours": _seconds(created, merged),
        "draft_hours": None if contradicts(history) else sum(drafts),
        "waiting_hours": waiting_seconds(history, as_of) if waits else None,
        "coding_time_hours": _seconds(wrote, created) if wrote and wrote <= created else None,
        "review_to_approval_hours": _seconds(first_ready, approval),
        "approval_to_merge_hours": _seconds(approval, merged),
    }


def metrics(history: History, settings: MetricSettings, as_of: datetime) -> dict[str, Any]:
    reviews = sorted(history.reviews, key=lambda review: (review.at, review.id))
    qualifying = qualifying_reviews(history, settings)
    first = qualifying[0] if qualifying else None
    reason, ready = null_reason(history, settings), ready_at(history)
    approvals = [
        review for review in qualifying if ready and review.at >= ready and review.said == "APPROVED"
    ]
    said = [review.said for review in qualifying]
    rounds = said.count("CHANGES_REQUESTED")
    if rounds:
        last_request = len(said) - 1 - said[::-1].index("CHANGES_REQUESTED")
        rounds += "APPROVED" in said[last_request:]
    inline = [review.is_inline_only for review in qualifying]
    bots = [review for review in reviews if is_bot(review.by, settings)]
    return {
        name: None if seconds is None else round(seconds / 3600, 2)
        for name, seconds in spans(history, settings, as_of).items()
    } | {
        "review_rounds": rounds,
        "reviews": len(qualifying),
        "reviewers": len({review.by.id for review in qualifying}),
        "verdicts": sum(review.is_verdict for review in qualifying),
        "inline_only": None if None in inline else sum(map(bool, inline)),
        "first_review_id": first.id if first else None,
        "first_reviewer_login": first.by.login if first else None,
        "first_review_state": first.state if first else None,
        "first_review_at": first.at if first else None,
        "first_bot_review_at": bots[0].at if bots else None,
        "first_approval_at": approvals[0].at if approvals else None,
        "first_commit_at": history.first_commit_at,
        "null_reason": reason,
        "ready_at": ready,
        "state": history.state,
        "is_draft": history.is_draft,
        "author_is_bot": history.author.is_bot,
        "is_bot_author": is_bot(history.author, settings),
        "is_counted": is_counted(history, settings),
        "merged_without_review": None
        if reason == "before_reviews"
        else history.merged_at is not None and first is None,
        "reviewed_after_merge": any(
            disqualified_by(history, review, settings) == "after_merge" for review in reviews
        ),
        "reviewed_in_draft": any(is_draft_at(history, review.at) for review in qualifying),
    }


def is_counted(history: History, settings: MetricSettings) -> bool:
    return not (settings.exclude_bots and is_bot(history.author, settings))


def is_working_time(calendar: Calendar, moment: datetime) -> bool:
    """Whether the local clock shows working hours at this moment (UTC, naive)."""
    local = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(calendar.timezone))
    return (
        WEEKDAYS[local.weekday()] in calendar.days
        and local.date() not in calendar.holidays
        and calendar.start <= local.time().replace(tzinfo=None)
        and (local.time().replace(tzinfo=None) < calendar.end or calendar.end == time(0))
    )


def business_seconds(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Minute by minute; seconds only where the span begins and ends inside a minute."""
    seconds, moment = 0, start
    while moment < end:
        step = min(end, (moment + timedelta(minutes=1)).replace(second=0))
        if is_working_time(calendar, moment):
            seconds += int((step - moment).total_seconds())
        moment = step
    return seconds
