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
    """ready_for_review and converted_to_draft events, at most one a second."""

    @property
    def state(self) -> str:
        return "merged" if self.merged_at else "closed" if self.closed_at else "open"


def hours(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds() / 3600, 2)


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
    for at, event in sorted(history.toggles):
        if at <= moment:
            state = event == "converted_to_draft"
    return state


def opened_as_draft(history: History) -> bool:
    if history.toggles:
        return min(history.toggles)[1] == "ready_for_review"
    return history.is_draft


def metrics(history: History, settings: MetricSettings, as_of: datetime) -> dict[str, Any]:
    reviews = sorted(history.reviews, key=lambda review: (review.at, review.id))
    reasons = [disqualified_by(history, review, settings) for review in reviews]
    qualifying = [review for review, reason in zip(reviews, reasons, strict=True) if reason is None]
    created = history.created_at
    ready: datetime | None = created
    if opened_as_draft(history):
        ready = min((at for at, event in history.toggles if event == "ready_for_review"), default=None)
    since_ready = [review for review in qualifying if ready is not None and review.at >= ready]
    approvals = [review for review in since_ready if review.said == "APPROVED"]
    first = qualifying[0] if qualifying else None

    null_reason = None
    if first is None:
        found = set(reasons)
        if not found:
            null_reason = "no_reviews"
        elif "after_merge" in found:
            null_reason = "only_after_merge"
        elif found == {"self", "bot"}:
            null_reason = "only_self_and_bots"
        else:
            null_reason = "only_self" if found == {"self"} else "only_bots"

    end = history.merged_at or history.closed_at or as_of
    last = max(history.toggles)[1] == "converted_to_draft" if history.toggles else history.is_draft
    marks = [created, *sorted(at for at, _ in history.toggles), end]
    drafts = [
        min(stop, end) - start
        for start, stop in itertools.pairwise(marks)
        if is_draft_at(history, start) and min(stop, end) > start
    ]
    draft = sum(drafts, timedelta()) if last == history.is_draft else None

    said = [review.said for review in qualifying]
    rounds = said.count("CHANGES_REQUESTED")
    if rounds:
        last_request = len(said) - 1 - said[::-1].index("CHANGES_REQUESTED")
        rounds += "APPROVED" in said[last_request:]
    waits = history.state == "open" and not history.is_draft and first is None
    merged_after = ready is not None and history.merged_at is not None and history.merged_at >= ready
    bots = [review for review in reviews if is_bot(review.by, settings)]
    return {
        "review_time_hours": hours(created, first.at if first else None),
        "review_time_hours_any": hours(created, reviews[0].at if reviews else None),
        "pickup_time_hours": hours(ready, since_ready[0].at if since_ready else None),
        "review_time_business_hours": business_hours(settings.calendar, created, first.at) if first else None,
        "time_to_first_approval_hours": hours(ready, approvals[0].at if approvals else None),
        "time_to_merge_hours": hours(ready, history.merged_at) if merged_after else None,
        "cycle_time_hours": hours(created, history.merged_at),
        "draft_hours": None if draft is None else round(draft.total_seconds() / 3600, 2),
        "waiting_hours": hours(ready, as_of) if waits else None,
        "review_rounds": rounds,
        "reviews": len(qualifying),
        "reviewers": len({review.by.id for review in qualifying}),
        "first_review_id": first.id if first else None,
        "first_reviewer_login": first.by.login if first else None,
        "first_review_state": first.state if first else None,
        "first_review_at": first.at if first else None,
        "first_bot_review_at": bots[0].at if bots else None,
        "null_reason": null_reason,
        "ready_at": ready,
        "state": history.state,
        "is_draft": history.is_draft,
        "is_bot_author": is_bot(history.author, settings),
        "merged_without_review": history.merged_at is not None and first is None,
        "reviewed_after_merge": "after_merge" in reasons,
        "reviewed_in_draft": any(is_draft_at(history, review.at) for review in qualifying),
    }


def is_working_time(calendar: Calendar, moment: datetime) -> bool:
    """Whether the local clock shows working hours at this moment (UTC, naive)."""
    local = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(calendar.timezone))
    return (
        WEEKDAYS[local.weekday()] in calendar.days
        and local.date() not in calendar.holidays
        and calendar.start <= local.time().replace(tzinfo=None)
        and (local.time().replace(tzinfo=None) < calendar.end or calendar.end == time(0))
    )


def business_hours(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Minute by minute; seconds only where the span begins and ends inside a minute."""
    seconds, moment = 0, start
    while moment < end:
        step = min(end, (moment + timedelta(minutes=1)).replace(second=0))
        if is_working_time(calendar, moment):
            seconds += int((step - moment).total_seconds())
        moment = step
    return round(seconds / 3600, 2)


def kaplan_meier(spans: list[tuple[float, bool]], share: float) -> float | None:
    """The first time by which this share is estimated to be reviewed; spans are (hours, whether reviewed then)."""
    surviving = 1.0
    for moment in sorted({hours for hours, reviewed in spans if reviewed}):
        at_risk = sum(1 for hours, _ in spans if hours >= moment)
        reviewed = sum(1 for hours, done in spans if done and hours == moment)
        surviving *= 1 - reviewed / at_risk
        if surviving <= 1 - share + 1e-9:
            return moment
    return None
