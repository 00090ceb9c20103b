"""Other tools' arithmetic in plain Python, to compare the views compat_* with.

Written from the tools' own files, which the heads of the views name, and not from the SQL. Rows are those of the published
tables pull_requests, reviews and review_events, in the order in which GitHub lists them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from prpipeline_tests.support.metrics_lab import rows

Row = dict[str, Any]

# Middleware's is_bot_name.
_BOT_NAME = re.compile(r"(?i)(\b[\w@-]*[-_\[\]@ ]+bot[-_\d\[\]]*\b|\[bot\]|_bot_|_bot$|^bot_)")


def seconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds())


def middleware(pull: Row, reviews: list[Row], events: list[Row], now: datetime) -> Row | None:
    """No row for an open pull request."""
    if pull["state"] == "open":
        return None
    timeline = [(r["submitted_at"], r["reviewer_login"], r["reviewer_is_bot"], r["state"]) for r in reviews]
    timeline += [
        (e["created_at"], e["actor_login"], str(e["actor_login"]).endswith("[bot]"), "ready")
        for e in events
        if e["event"] == "ready_for_review"
    ]
    kept = [
        (at, said)
        for at, login, is_bot, said in timeline
        if login is not None and not is_bot and not _BOT_NAME.search(login)
    ]
    answers = sorted((at for at, said in kept if said != "ready"))
    approvals = sorted(at for at, said in kept if said == "APPROVED")
    start = min((at for at, said in kept if said == "ready"), default=pull["created_at"])
    times = dict.fromkeys(("first_response", "rework", "merge", "cycle"), -1)
    if answers:
        times["first_response"] = seconds(start, answers[0])
    if approvals:
        times["rework"] = seconds(answers[0], approvals[0])
    if pull["state"] == "merged":
        times["cycle"] = seconds(start, pull["merged_at"])
        if approvals:
            times["merge"] = max(-1, seconds(approvals[0], pull["merged_at"]))
    return {f"{name}_time_seconds": None if value == -1 else value for name, value in times.items()}


def _minutes(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    minutes = math.ceil((end - start).total_seconds() / 60)
    return minutes if minutes >= 0 else None


def devlake(pull: Row, reviews: list[Row], events: list[Row], now: datetime) -> Row | None:
    """No row for what is not merged. Bots and deleted accounts have no number as a user: 0."""
    if pull["merged_at"] is None:
        return None
    author = 0 if pull["author_is_bot"] else pull["author_id"] or 0
    first = min(
        (
            r["submitted_at"]
            for r in reviews[:100]
            if (0 if r["reviewer_is_bot"] else r["reviewer_id"] or 0) != author
        ),
        default=None,
    )
    return {
        "pr_pickup_time_minutes": _minutes(pull["created_at"], first),
        "pr_review_time_minutes": _minutes(first, pull["merged_at"]),
        "pr_cycle_time_minutes": _minutes(pull["created_at"], pull["merged_at"]) or 0,
    }


def fivetran(pull: Row, reviews: list[Row], events: list[Row], now: datetime) -> Row | None:
    """No row for what nobody was asked to review."""
    requests = [e for e in events if e["event"] == "review_requested"]
    if not requests:
        return None
    start = min(e["created_at"] for e in requests)
    pairs = [(e, r) for e in requests for r in reviews if r["submitted_at"] > e["created_at"]]
    reviewed = min((r["submitted_at"] for _, r in pairs), default=now)
    acted = min(
        (
            r["submitted_at"]
            for e, r in pairs
            if e["subject_id"] is not None
            and e["subject_id"] == r["reviewer_id"]
            and r["state"] != "DISMISSED"
        ),
        default=now,
    )
    merged = pull["merged_at"]
    return {
        "hours_request_review_to_first_review": seconds(start, reviewed) / 60 / 60,
        "hours_request_review_to_first_action": seconds(start, min(acted, pull["closed_at"] or now))
        / 60
        / 60,
        "hours_request_review_to_merge": merged and seconds(start, merged) / 60 / 60,
    }


def issue_metrics(pull: Row, reviews: list[Row], events: list[Row], now: datetime) -> Row:
    start = ready = None if pull["is_draft"] else _ready_for_review_at(events[:50])
    start = start or pull["created_at"]
    first = _first_review(pull, reviews[:50], ready)
    return {
        "ready_for_review_at": ready,
        "time_to_first_review_seconds": None if first is None else seconds(start, first),
        "time_to_merge_seconds": None if pull["merged_at"] is None else seconds(start, pull["merged_at"]),
        "time_in_draft_seconds": _time_in_draft(pull, events, now),
    }


def _ready_for_review_at(events: list[Row]) -> datetime | None:
    at: datetime
    for event in events:
        at = event["created_at"]
        if event["actor_login"] is None:
            return None  # a TypeError, which is caught
        if event["event"] == "ready_for_review":
            return at
    return None


def _first_review(pull: Row, reviews: list[Row], ready: datetime | None) -> datetime | None:
    at: datetime
    for review in reviews:
        at = review["submitted_at"]
        if review["reviewer_login"] is None:
            return None  # a TypeError, which is caught
        ignored = review["reviewer_is_bot"] or review["reviewer_login"] == pull["author_login"]
        if not ignored and (ready is None or at >= ready):
            return at
    return None


def _time_in_draft(pull: Row, events: list[Row], now: datetime) -> int | None:
    if any(event["actor_login"] is None for event in events):
        return None  # a TypeError, which is caught
    readies = [e["created_at"] for e in events if e["event"] == "ready_for_review"]
    to_draft = [e["created_at"] for e in events if e["event"] == "converted_to_draft"]
    total, draft_start = timedelta(0), None
    if readies:
        if not any(at < min(readies) for at in to_draft):
            total += min(readies) - pull["created_at"]
    elif not to_draft and pull["is_draft"] and pull["state"] == "open":
        draft_start = pull["created_at"]
    for event in events:
        if event["event"] == "converted_to_draft":
            draft_start = event["created_at"]
        elif event["event"] == "ready_for_review" and draft_start:
            total += event["created_at"] - draft_start
            draft_start = None
    if draft_start and pull["state"] == "open":
        total += now - draft_start
    return round(total.total_seconds()) if total > timedelta(0) else None


TOOLS: dict[str, Callable[[Row, list[Row], list[Row], datetime], Row | None]] = {
    "middleware": middleware,
    "devlake": devlake,
    "fivetran": fivetran,
    "issue_metrics": issue_metrics,
}


def differences(connection: Any, tool: str) -> list[tuple[str, int, Row | None, Row | None]]:
    """Repository, number, what the view says and what the tool computes, where the two differ in a published file."""
    reviews = _by_pull_request(rows(connection, "FROM reviews ORDER BY submitted_at, review_id"))
    events = _by_pull_request(rows(connection, "FROM review_events ORDER BY created_at, event_id"))
    as_of = {row["repository_id"]: row["as_of"] for row in rows(connection, "FROM repositories")}
    found = {row["pull_request_id"]: row for row in rows(connection, f"FROM compat_{tool}")}
    wrong = []
    for pull in rows(connection, "FROM pull_requests ORDER BY repository, number"):
        key = pull["pull_request_id"]
        theirs = TOOLS[tool](pull, reviews.get(key, []), events.get(key, []), as_of[pull["repository_id"]])
        row = found.pop(key, None)
        ours = row if row is None or theirs is None else {name: row[name] for name in theirs}
        if ours != theirs:
            wrong.append((pull["repository"], pull["number"], ours, theirs))
    return wrong + [(row["repository"], row["number"], row, None) for row in found.values()]


def _by_pull_request(found: list[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = {}
    for row in found:
        grouped.setdefault(row["pull_request_id"], []).append(row)
    return grouped
