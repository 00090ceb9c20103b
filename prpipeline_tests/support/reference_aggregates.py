"""Aggregates in plain, slow Python and exact fractions, to compare the SQL with. Written from the definitions alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from prpipeline.settings import MetricSettings
from prpipeline_tests.support.reference import (
    History,
    Person,
    Review,
    is_bot,
    is_counted,
    null_reason,
    qualifying_reviews,
    spans,
)

Cells = dict[str, Any]

TIMES = (
    "review_time_hours",
    "review_time_hours_any",
    "pickup_time_hours",
    "review_time_business_hours",
    "time_to_first_approval_hours",
    "time_to_merge_hours",
    "cycle_time_hours",
    "draft_hours",
    "waiting_hours",
)
REASONS = ("no_reviews", "only_self", "only_bots", "only_self_and_bots", "only_after_merge", "before_reviews")


def percentile(seconds: Iterable[float], share: Fraction) -> float | None:
    """In hours: linear interpolation between closest ranks, rounded half up to 2 decimals."""
    values = sorted(map(Fraction, seconds))
    if not values:
        return None
    place = share * (len(values) - 1)
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    found = values[below] + (values[above] - values[below]) * (place - below)
    return half_up(found)


def half_up(seconds: Fraction | int) -> float:
    """Seconds as hours, rounded half up to 2 decimals."""
    return math.floor(Fraction(seconds) / 36 + Fraction(1, 2)) / 100


def percentiles(name: str, seconds: Sequence[float | None]) -> dict[str, float | int | None]:
    """The four columns of an aggregate."""
    known = [value for value in seconds if value is not None]
    of = {"median": Fraction(1, 2), "p75": Fraction(3, 4), "p90": Fraction(9, 10)}
    return {f"{name}_nulls": len(seconds) - len(known)} | {
        f"{name}_{word}": percentile(known, share) for word, share in of.items()
    }


def monday(moment: datetime) -> date:
    return (moment - timedelta(days=moment.weekday())).date()


def reviewed_within(
    ends: Sequence[tuple[int, str]], oldest: int
) -> tuple[int, Callable[[int], Fraction], Callable[[Fraction], float | None]]:
    """Aalen and Johansen's estimate in fractions, from (seconds, "reviewed", "closed" or "open") and the oldest one's age:
    the longest window that is known, the share reviewed within some seconds, the hours by which a share is reviewed."""
    surviving, share = Fraction(1), Fraction(0)
    curve: list[tuple[int, Fraction]] = []
    for moment in sorted({seconds for seconds, _ in ends}):
        at_risk = sum(seconds >= moment for seconds, _ in ends)
        reviewed = sum(span == (moment, "reviewed") for span in ends)
        closed = sum(span == (moment, "closed") for span in ends)
        share += surviving * Fraction(reviewed, at_risk)
        surviving *= 1 - Fraction(reviewed + closed, at_risk)
        curve.append((moment, share))
    last = max(seconds for seconds, _ in ends)
    known = min(oldest, last) if (last, "open") in ends else oldest

    def within(limit: int) -> Fraction:
        return max((value for moment, value in curve if moment <= limit), default=Fraction(0))

    def by(wanted: Fraction) -> float | None:
        reached = [moment for moment, value in curve if value >= wanted]
        return half_up(Fraction(reached[0])) if reached else None

    return known, within, by


def weekly(
    histories: Sequence[History], settings: MetricSettings, as_of: datetime, times: Sequence[str] = TIMES
) -> dict[date, Cells]:
    """By week of the opening what review_time_weekly counts; the other weekly tables have some of these cells."""
    groups: dict[date, list[History]] = defaultdict(list)
    bots: dict[date, int] = defaultdict(int)
    for history in histories:
        if is_counted(history, settings):
            groups[monday(history.created_at)].append(history)
        else:
            bots[monday(history.created_at)] += 1
    found: dict[date, Cells] = {}
    for week, group in groups.items():
        seconds = [spans(history, settings, as_of) for history in group]
        reasons = [null_reason(history, settings) for history in group]
        merged = [reason for history, reason in zip(group, reasons, strict=True) if history.merged_at]
        found[week] = {
            "n": len(group),
            "n_bot_authors": bots[week],
            "n_merged": len(merged),
            "n_merged_without_review": sum(reason not in (None, "before_reviews") for reason in merged),
            **{f"n_null_{reason}": reasons.count(reason) for reason in REASONS},
        }
        for name in times:
            found[week] |= percentiles(name, [one[name] for one in seconds])
    return found


def reviewers_weekly(
    histories: Sequence[History], settings: MetricSettings
) -> dict[tuple[int | None, date], Cells]:
    """By reviewer and week the cells of reviewer_weekly."""
    reviews: dict[tuple[int | None, date], list[tuple[History, Review]]] = defaultdict(list)
    of_bots: dict[tuple[int | None, date], int] = defaultdict(int)
    asked: dict[tuple[int | None, date], list[float | None]] = defaultdict(list)
    bot_ids = {
        r.by.id for h in histories for r in h.reviews if settings.exclude_bots and is_bot(r.by, settings)
    }
    for history in histories:
        qualifying = qualifying_reviews(history, settings)
        for review in qualifying:
            key = review.by.id, monday(review.at)
            if is_counted(history, settings):
                reviews[key].append((history, review))
            else:
                of_bots[key] += 1
        for at, event, who in history.requests if is_counted(history, settings) else ():
            excluded = settings.exclude_bots and (is_bot(who, settings) or who.id in bot_ids)
            if event == "review_requested" and not excluded:
                asked[who.id, monday(at)].append(_answer(history, qualifying, at, who))
    totals: dict[date, int] = defaultdict(int)
    for (_, week), found in reviews.items():
        totals[week] += sum(review.is_inline_only is not True for _, review in found)
    rows: dict[tuple[int | None, date], Cells] = {}
    for key in {*reviews, *of_bots, *asked}:
        mine = [review for _, review in reviews[key]]
        inline = [review.is_inline_only for review in mine]
        total = totals[key[1]]
        rows[key] = {
            "reviews": len(mine),
            "verdicts": sum(review.is_verdict for review in mine),
            "inline_only": None if None in inline else sum(map(bool, inline)),
            "pull_requests": len({id(history) for history, _ in reviews[key]}),
            "share_of_reviews": round(sum(value is not True for value in inline) / total, 4)
            if total
            else None,
            "approvals": sum(review.said == "APPROVED" for review in mine),
            "change_requests": sum(review.said == "CHANGES_REQUESTED" for review in mine),
            "reviews_of_bots": of_bots[key],
            "requests": len(asked[key]),
            "n_null_before_reviews": 0,
        }
        times = percentiles("response_hours", asked[key])
        rows[key]["requests_unanswered"] = times.pop("response_hours_nulls")
        rows[key] |= times
    return rows


def _answer(history: History, qualifying: Sequence[Review], at: datetime, who: Person) -> float | None:
    answers = [review.at for review in qualifying if review.by.id == who.id and review.at >= at]
    if not answers:
        return None
    taken_back = any(
        event == "review_request_removed" and other.id == who.id and at < moment < answers[0]
        for moment, event, other in history.requests
    )
    return None if taken_back else (answers[0] - at).total_seconds()


def survival(histories: Sequence[History], settings: MetricSettings, as_of: datetime) -> dict[date, Cells]:
    """By month of the opening the cells of review_time_survival."""
    months: dict[date, list[History]] = defaultdict(list)
    for history in histories:
        if is_counted(history, settings):
            months[history.created_at.date().replace(day=1)].append(history)
    found: dict[date, Cells] = {}
    for month, group in months.items():
        ends = []
        for history in group:
            reviewed = qualifying_reviews(history, settings)
            end = reviewed[0].at if reviewed else history.merged_at or history.closed_at or as_of
            fate = "reviewed" if reviewed else "open" if history.state == "open" else "closed"
            ends.append((max(0, int((end - history.created_at).total_seconds())), fate))
        oldest = int((as_of - min(history.created_at for history in group)).total_seconds())
        known, within, by = reviewed_within(ends, oldest)
        found[month] = {
            "n": len(group),
            "n_reviewed": sum(fate == "reviewed" for _, fate in ends),
            "n_open": sum(fate == "open" for _, fate in ends),
            "median_hours": by(Fraction(1, 2)),
            "p75_hours": by(Fraction(3, 4)),
            "p90_hours": by(Fraction(9, 10)),
        }
        for name, days in (("1_day", 1), ("3_days", 3), ("7_days", 7), ("30_days", 30)):
            is_known = days * 86_400 <= known
            share = math.floor(within(days * 86_400) * 10_000 + Fraction(1, 2)) / 10_000
            found[month][f"share_reviewed_within_{name}"] = share if is_known else None
    return found
