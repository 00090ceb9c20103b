"""The story of one pull request: what happened in order, which clock started or stopped, and each number.

Reads the published tables (see dictionary.yaml) and computes nothing anew: where a number and its story disagree, the
number is wrong. Not here: opening the file, printing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prpipeline.model.sql import Connection

_NAME = re.compile(r"\s*([^/\s#]+/[^/\s#]+)#(\d+)\s*")

_NO_REASONS = {
    "no_reviews": "nobody has reviewed it",
    "only_self": "only its author reviewed it",
    "only_bots": "only bots reviewed it",
    "only_self_and_bots": "only its author and bots reviewed it",
    "only_after_merge": "others reviewed it only after the merge",
}
_DISQUALIFIED = {
    "self": "by the author",
    "bot": "by a bot",
    "after_merge": "after the merge",
}
_HOURS = (
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


class ExplainError(ValueError):
    """There is nothing to explain; the message says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, and what it did to the clocks; note is empty where it did nothing."""

    at: datetime
    what: str
    note: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A number, and where it comes from; for None, why there is none."""

    name: str
    value: float | int | None
    because: str


@dataclass(frozen=True, slots=True)
class Story:
    """A pull request, told."""

    repository: str
    number: int
    title: str
    url: str
    steps: tuple[Step, ...]
    metrics: tuple[Metric, ...]
    flags: tuple[str, ...]

    def lines(self) -> list[str]:
        """As text, a line each."""
        width = max((len(metric.name) for metric in self.metrics), default=0)
        values = [_number(metric.value) for metric in self.metrics]
        pad = max((len(value) for value in values), default=0)
        return [
            f"{self.repository}#{self.number}  {self.title}",
            self.url,
            "",
            "What happened (UTC)",
            *(f"  {step.at:%Y-%m-%d %H:%M:%S}  {step.what}{_dash(step.note)}" for step in self.steps),
            "",
            "What it amounts to",
            *(
                f"  {metric.name:<{width}}  {value:>{pad}}  {metric.because}".rstrip()
                for metric, value in zip(self.metrics, values, strict=True)
            ),
            *(["", f"  {', '.join(self.flags)}"] if self.flags else []),
        ]


def parse(name: str) -> tuple[str, int]:
    """``owner/name#123`` → its repository and number. Raises ExplainError."""
    found = _NAME.fullmatch(name)
    if not found:
        raise ExplainError(f"{name!r} is no pull request; write one like owner/name#123.")
    return found[1], int(found[2])


def explain(connection: Connection, name: str) -> Story:
    """The story of ``owner/name#123`` by the published tables of this connection. Raises ExplainError."""
    repository, number = parse(name)
    known = _rows(
        connection,
        "SELECT repository_id FROM repositories WHERE lower(repository) = lower(?) OR lower(tracked_as) = lower(?)",
        [repository, repository],
    )
    if not known:
        raise ExplainError(f"{repository} is not in this database; track and sync it first.")
    found: list[dict[str, Any]] = []
    for row in known:
        key = [row["repository_id"], number]
        found = _rows(
            connection, "SELECT * FROM review_time_hours WHERE repository_id = ? AND number = ?", key
        )
        if found:
            break
    if not found:
        raise ExplainError(f"{repository} has no pull request #{number} in this database.")
    times = found[0]
    reviews = _rows(
        connection,
        "SELECT * FROM review_evidence WHERE repository_id = ? AND number = ? ORDER BY submitted_at, review_id",
        key,
    )
    events = _rows(
        connection,
        "SELECT * FROM review_events WHERE repository_id = ? AND number = ? ORDER BY created_at, event_id",
        key,
    )
    spells = _rows(
        connection,
        "SELECT * FROM draft_spells WHERE repository_id = ? AND number = ? ORDER BY spell",
        key,
    )
    steps = [
        *_own_steps(times, spells),
        *_review_steps(times, reviews),
        *_event_steps(times, events, spells),
    ]
    return Story(
        repository=times["repository"],
        number=times["number"],
        title=times["title"],
        url=times["url"],
        # Of what has the same time first comes the opening, then what clocks follow, last the merge.
        steps=tuple(step for _, step in sorted(steps, key=lambda entry: (entry[1].at, entry[0]))),
        metrics=tuple(_metrics(times, reviews, spells)),
        flags=tuple(name for name, value in times.items() if value is True),
    )


# ── what happened ────────────────────────────────────────────────────────────────────────────────────

_FIRST, _TOGGLE, _MIDDLE, _LAST = 0, 1, 2, 3
_TOGGLES = ("ready_for_review", "converted_to_draft")
_Entry = tuple[int, Step]


def _own_steps(times: dict[str, Any], spells: Sequence[dict[str, Any]]) -> list[_Entry]:
    as_draft = any(spell["opened_as_draft"] for spell in spells)
    opened = f"{times['author_login'] or 'a deleted account'} opened it" + (" as a draft" if as_draft else "")
    clocks = "review and cycle time start; "
    clocks += "draft time starts" if as_draft else "pickup and merge time start"
    steps = [(_FIRST, Step(times["created_at"], opened, clocks))]
    end = _end(times)
    if end is None:
        return steps
    what = "it was closed without a merge" if times["merged_at"] is None else "it was merged"
    notes = []
    if times["merged_at"] is not None:
        has_merge_time = times["time_to_merge_hours"] is not None
        notes.append("cycle and merge time stop" if has_merge_time else "cycle time stops")
    if any(spell["started_at"] < end < (spell["ended_at"] or datetime.max) for spell in spells):
        notes.append("draft time stops")
    elif (times["ready_at"] or datetime.max) <= end < (times["first_review_at"] or datetime.max):
        notes.append("waiting ends")
    return [*steps, (_LAST, Step(end, what, "; ".join(notes)))]


def _end(times: dict[str, Any]) -> datetime | None:
    """When it was merged, or else closed; most clocks stop then."""
    end: datetime | None = times["merged_at"] or times["closed_at"]
    return end


def _review_steps(times: dict[str, Any], reviews: Sequence[dict[str, Any]]) -> list[_Entry]:
    steps = []
    pickup = approval = False
    for review in reviews:
        notes = []
        if not review["is_qualifying"]:
            notes.append(f"does not count: {_DISQUALIFIED[review['disqualified_by']]}")
        if review["review_id"] == times["first_review_id"]:
            notes.append("review time stops")
        if review["is_qualifying"] and review["is_since_ready"]:
            if not pickup:
                notes.append("pickup time stops")
            pickup = True
            if review["original_state"] == "APPROVED" and not approval:
                notes.append("time to first approval stops")
                approval = True
        elif review["is_qualifying"]:
            notes.append("before it was ready: pickup time has not started")
        steps.append((_MIDDLE, Step(review["submitted_at"], _review(review), "; ".join(notes))))
    return steps


def _review(review: dict[str, Any]) -> str:
    verbs = {"APPROVED": "approved it", "CHANGES_REQUESTED": "requested changes", "COMMENTED": "reviewed it"}
    who = review["reviewer_login"] or "a deleted account"
    text = f"{who} {verbs.get(review['original_state'] or '', 'reviewed it')}"
    return text + (" (dismissed later)" if review["state"] == "DISMISSED" else "")


def _event_steps(
    times: dict[str, Any], events: Sequence[dict[str, Any]], spells: Sequence[dict[str, Any]]
) -> list[_Entry]:
    verbs = {
        "ready_for_review": "marked it ready for review",
        "converted_to_draft": "made it a draft",
        "review_requested": "asked {} for a review",
        "review_request_removed": "took back the request to {}",
        "review_dismissed": "dismissed a review",
        "closed": "closed it",
        "reopened": "reopened it",
    }
    steps = []
    for event in events:
        if event["event"] == "closed" and event["created_at"] in (times["merged_at"], times["closed_at"]):
            continue  # told already, as the merge or the close
        notes = _toggle_notes(event["created_at"], times, spells) if event["event"] in _TOGGLES else []
        subject = event["subject_login"] or "a deleted account"
        what = verbs.get(event["event"], event["event"]).format(subject)
        who = event["actor_login"] or "a deleted account"
        place = _TOGGLE if event["event"] in _TOGGLES else _MIDDLE
        steps.append((place, Step(event["created_at"], f"{who} {what}", "; ".join(notes))))
    return steps


def _toggle_notes(at: datetime, times: dict[str, Any], spells: Sequence[dict[str, Any]]) -> list[str]:
    """What a draft event did; nothing, where it only repeats another, or a merge or close had stopped that clock."""
    notes = []
    if at <= (_end(times) or at):
        if any(spell["started_at"] == at and not spell["opened_as_draft"] for spell in spells):
            notes.append("draft time starts")
        if any(spell["ended_at"] == at for spell in spells):
            notes.append("draft time stops")
    starts_clocks = at == times["ready_at"] and any(spell["opened_as_draft"] for spell in spells)
    if starts_clocks and at <= (times["merged_at"] or at):
        notes.append("pickup and merge time start")
    return notes


# ── what it amounts to ───────────────────────────────────────────────────────────────────────────────


def _metrics(
    times: dict[str, Any], reviews: Sequence[dict[str, Any]], spells: Sequence[dict[str, Any]]
) -> list[Metric]:
    reasons = {name: _because(name, times, reviews) for name in _HOURS}
    if times["draft_hours"] is not None:
        reasons["draft_hours"] = _spells(times, spells)
    counted = [review for review in reviews if review["is_qualifying"]]
    ids = ", ".join(str(review["review_id"]) for review in counted)
    people = dict.fromkeys(review["reviewer_login"] or "a deleted account" for review in counted)
    return [
        *(Metric(name, times[name], reasons[name]) for name in _HOURS),
        Metric("reviews", times["reviews"], f"that qualify: {ids}" if ids else "none qualifies"),
        Metric("reviewers", times["reviewers"], ", ".join(people)),
        Metric("review_rounds", times["review_rounds"], _rounds(times, counted)),
    ]


def _spells(times: dict[str, Any], spells: Sequence[dict[str, Any]]) -> str:
    """The spells as a draft that draft_hours adds up: none begins after the merge or the close."""
    end = _end(times)
    last = "now" if end is None else "the merge" if times["merged_at"] is not None else "the close"
    told = []
    for spell in spells:
        if end is None or spell["started_at"] <= end:
            ended = spell["ended_at"]
            is_cut = ended is None or (end is not None and end <= ended)
            told.append(f"{_moment(spell['started_at'])} to {last if is_cut else _moment(ended)}")
    return "; ".join(told) or (f"it was a draft only after {last}" if spells else "it never was a draft")


def _rounds(times: dict[str, Any], counted: Sequence[dict[str, Any]]) -> str:
    asked = sum(review["original_state"] == "CHANGES_REQUESTED" for review in counted)
    if not asked:
        return "no qualifying review requested changes"
    requests = "one request" if asked == 1 else f"{asked} requests"
    return f"{requests} for changes" + (", then an approval" if times["review_rounds"] > asked else "")


def _because(name: str, times: dict[str, Any], reviews: Sequence[dict[str, Any]]) -> str:
    value, ready = times[name], times["ready_at"]
    later = ready not in (None, times["created_at"])
    since = f"from {_moment(ready)}, when it became ready, " if later else ""
    if name in {"review_time_hours", "review_time_business_hours"}:
        if value is None:
            return _NO_REASONS[times["null_reason"]]
        who = times["first_reviewer_login"] or "a deleted account"
        kind = ", working hours only" if "business" in name else ""
        return f"to review {times['first_review_id']} by {who}{kind}"
    if name == "review_time_hours_any":
        return (
            "nobody has reviewed it"
            if value is None
            else f"to review {reviews[0]['review_id']}, whoever wrote it"
        )
    if name == "draft_hours":
        return "the draft events contradict its state" if value is None else ""
    if name == "cycle_time_hours":
        return "it is not merged" if value is None else "to the merge"
    if ready is None:
        return "it never became ready for review"
    if name == "time_to_merge_hours":
        if value is None:
            return "it is not merged" if times["merged_at"] is None else "it was merged before it was ready"
        return f"{since}to the merge"
    if name == "waiting_hours":
        if value is not None:
            return f"{since}to now (pipeline_status.as_of)"
        if times["state"] != "open":
            return f"it is {times['state']}"
        return "it has a qualifying review" if times["null_reason"] is None else "it is a draft now"
    target = "approval" if "approval" in name else "review"
    return f"no qualifying {target} since it was ready" if value is None else f"{since}to the first {target}"


def _rows(connection: Connection, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
    found = connection.execute(sql, parameters)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _number(value: float | int | None) -> str:
    if value is None:
        return "NULL"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _dash(note: str) -> str:
    return f"  — {note}" if note else ""
