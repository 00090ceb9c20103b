"""The story of one pull request: what happened in order, which clock started or stopped, and each number.

Joins published tables and computes nothing: what an event did to a clock is a row of clock_events. Not here: opening
the file, printing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from prpipeline.app import explain_flow, explain_issue
from prpipeline.app.explain_parts import ExplainError as ExplainError
from prpipeline.app.explain_parts import Metric, metric_lines, section
from prpipeline.model.repository import Address, InvalidRepositoryName, without_secrets
from prpipeline.model.sql import Connection, rows_of
from prpipeline.settings import GitHubSettings

_UNKNOWN = "a deleted account"

_NO_REASONS = {
    "no_reviews": "nobody has reviewed it",
    "only_self": "only its author reviewed it",
    "only_bots": "only bots reviewed it",
    "only_self_and_bots": "only its author and bots reviewed it",
    "only_after_merge": "others reviewed it only after the merge",
    "before_reviews": "it closed before GitHub had reviews",
}
_DISQUALIFIED = {"self": "by the author", "bot": "by a bot", "after_merge": "after the merge"}
_VERBS = {
    "ready_for_review": "marked it ready for review",
    "converted_to_draft": "made it a draft",
    "review_requested": "asked {} for a review",
    "review_request_removed": "took back the request to {}",
    "review_dismissed": "dismissed a review",
    "closed": "closed it",
    "reopened": "reopened it",
    "APPROVED": "approved it",
    "CHANGES_REQUESTED": "requested changes",
}
_ENDS = {"merged": "the merge", "closed": "the close", "last_sync": "the last sync"}

# Which clocks a note names together, and the order of the notes. Clocks that repeat another are left out.
_NOTES: tuple[tuple[str, dict[str, str]], ...] = (
    ("starts", {"review_time": "review", "cycle_time": "cycle"}),
    ("stops", {"review_time": "review"}),
    ("stops", {"pickup_time": "pickup"}),
    ("stops", {"cycle_time": "cycle", "time_to_merge": "merge"}),
    ("stops", {"draft": "draft"}),
    ("starts", {"draft": "draft"}),
    ("starts", {"pickup_time": "pickup", "time_to_merge": "merge"}),
)

_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened (UTC), and what it did to the clocks; note is empty where it did nothing."""

    at: datetime
    what: str
    note: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that there is to say about a pull request."""

    repository: str
    number: int
    title: str
    url: str
    steps: tuple[Step, ...]
    metrics: tuple[Metric, ...]
    flags: tuple[str, ...]
    stages: tuple[explain_flow.Stage, ...] = ()
    remarks: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """As text, a line each."""
        return [
            f"{self.repository}#{self.number}  {self.title}",
            self.url,
            "",
            "What happened (UTC)",
            *(
                f"  {step.at:%Y-%m-%d %H:%M:%S}  {step.what}{f'  — {step.note}' if step.note else ''}"
                for step in self.steps
            ),
            *section("In which stage it was (UTC)", explain_flow.stage_lines(self.stages)),
            "",
            "What it amounts to",
            *metric_lines(self.metrics),
            *(["", f"  {', '.join(self.flags)}"] if self.flags else []),
            *section("What else there is", self.remarks),
        ]


def named(text: str, github: GitHubSettings) -> str:
    """``owner/name#123`` of that or of the address of any of its pages on this GitHub.

    Raises ExplainError, and InvalidRepositoryName for an address of another server.
    """
    try:
        is_one = Address.parse(text).pull_request is not None
    except InvalidRepositoryName:
        is_one = False
    if not is_one:
        raise ExplainError(
            f"{without_secrets(text)!r} is no pull request; write one like owner/name#123, or paste its address."
        )
    found = github.address(text)
    return f"{found.name}#{found.pull_request}"


def asked(text: str, github: GitHubSettings) -> str:
    """``ABC-123`` where people name an issue of Jira or paste its address; else as ``named``."""
    return explain_issue.key_in(text) or named(text, github)


def told(connection: Connection, name: str) -> list[str]:
    """The story of what ``asked`` gave, a line each. Raises ExplainError."""
    if key := explain_issue.key_in(name):
        return explain_issue.explain_issue(connection, key)
    return explain(connection, name).lines()


def explain(connection: Connection, name: str) -> Story:
    """The story of ``owner/name#123`` by the published tables of this connection. Raises ExplainError."""
    asked = Address.parse(name)
    repository, number = str(asked.name), asked.pull_request
    known = rows_of(
        connection,
        "FROM repositories WHERE lower(?) IN (lower(repository), lower(tracked_as))",
        [repository],
    )
    if not known:
        raise ExplainError(f"{repository} is not in this database; track and sync it first.")
    key = "WHERE repository_id = ? AND number = ?"
    candidates = [[row["repository_id"], number] for row in known]
    found = [row for ids in candidates for row in rows_of(connection, f"FROM review_time_hours {key}", ids)]
    if not found:
        raise ExplainError(f"{repository} has no pull request #{number} in this database.")
    times, ids = found[0], [found[0]["repository_id"], number]
    reviews = rows_of(connection, f"FROM review_evidence {key} ORDER BY submitted_at, review_id", ids)
    events = rows_of(connection, f"FROM review_events {key} ORDER BY created_at, event_id", ids)
    periods = rows_of(connection, f"FROM draft_periods {key}", ids)
    clocks = rows_of(connection, f"FROM clock_events {key} ORDER BY happened_at", ids)
    notes: dict[tuple[Any, ...], set[tuple[str, str]]] = {}
    for row in clocks:
        did = notes.setdefault((row["event"], row["happened_at"], row["review_id"]), set())
        did.add((row["clock"], row["what"]))
    steps = [
        # Of several equal events in one second, the first did what is on record.
        Step(at, what, "; ".join((*_notes(event, notes.pop((event, at, review_id), set())), *more)))
        for at, _, what, event, review_id, *more in sorted(
            _happenings(times, reviews, events, periods, clocks), key=lambda happening: happening[:2]
        )
    ]

    def of_it(table: str) -> list[_Row]:
        return rows_of(connection, f"FROM {table} {key}", ids)

    return Story(
        repository=times["repository"],
        number=times["number"],
        title=times["title"],
        url=times["url"],
        steps=tuple(steps),
        metrics=tuple(_metrics(times, reviews, periods, clocks)),
        flags=tuple(name for name, value in times.items() if value is True and name != "is_counted"),
        stages=explain_flow.stages(of_it),
        remarks=(
            *(explain_issue.remarks(connection, key, ids) if explain_issue.has_issues(connection) else ()),
            *explain_flow.remarks(of_it),
        ),
    )


def _happenings(
    times: _Row, reviews: list[_Row], events: list[_Row], periods: list[_Row], clocks: list[_Row]
) -> Iterator[tuple[Any, ...]]:
    """When, its place among what happened in the same second, what in words, event, review_id, notes."""
    as_draft = " as a draft" if any(period["opened_as_draft"] for period in periods) else ""
    yield times["created_at"], 0, f"{_person(times, 'author')} opened it{as_draft}", "opened", None
    for event in events:
        kind, at = event["event"], event["created_at"]
        if kind == "closed" and at in (times["merged_at"], times["closed_at"]):
            continue  # the merge or the close itself, which comes below
        what = str(_VERBS.get(kind, kind)).format(event["subject_login"] or _UNKNOWN)
        place = 1 if kind in ("ready_for_review", "converted_to_draft") else 2
        yield at, place, f"{event['actor_login'] or _UNKNOWN} {what}", kind, None
    for review in reviews:
        verb = _VERBS.get(review["original_state"] or "", "reviewed it")
        later = " (dismissed later)" if review["state"] == "DISMISSED" else ""
        what = f"{_person(review, 'reviewer')} {verb}{later}"
        notes = []
        if not review["is_qualifying"]:
            notes = [f"does not count: {_DISQUALIFIED[review['disqualified_by']]}"]
        elif not review["is_since_ready"]:
            notes = ["before it was ready: pickup time has not started"]
        yield review["submitted_at"], 2, what, "review", review["review_id"], *notes
    if times["merged_at"] is not None:
        yield times["merged_at"], 3, "it was merged", "merged", None
    elif times["closed_at"] is not None:
        yield times["closed_at"], 3, "it was closed without a merge", "closed", None
    for at in {row["happened_at"] for row in clocks if row["event"] == "last_sync"}:
        yield at, 4, "last sync of the repository, which is no longer tracked", "last_sync", None


def _person(row: _Row, role: str) -> str:
    """The login, with the team of that time."""
    team = row[f"{role}_team"]
    return f"{row[f'{role}_login'] or _UNKNOWN}{f' ({team})' if team else ''}"


def _notes(event: str, did: set[tuple[str, str]]) -> Iterator[str]:
    """What the event did to the clocks, in words."""
    for what, names in _NOTES:
        if found := [name for clock, name in names.items() if (clock, what) in did]:
            yield f"{' and '.join(found)} time {what if len(found) == 1 else what.removesuffix('s')}"
    if ("time_to_first_approval", "stops") in did:
        yield "time to first approval stops"
    if ("waiting", "stops") in did and event != "review":
        yield "waiting ends"
    if ("waiting", "starts") in did and ("pickup_time", "starts") not in did and event != "opened":
        yield "waiting goes on"


def _metrics(times: _Row, reviews: list[_Row], periods: list[_Row], clocks: list[_Row]) -> Iterator[Metric]:
    for name in (name for name in times if "_hours" in name):
        yield Metric(name, times[name], _because(name, times, periods, clocks))
    counted = [review for review in reviews if review["is_qualifying"]]
    ids = ", ".join(str(review["review_id"]) for review in counted)
    people = dict.fromkeys(review["reviewer_login"] or _UNKNOWN for review in counted)
    yield Metric("reviews", times["reviews"], f"that qualify: {ids}" if ids else "none qualifies")
    yield Metric("reviewers", times["reviewers"], ", ".join(people))
    asked = sum(review["original_state"] == "CHANGES_REQUESTED" for review in counted)
    rounds = "one request for changes" if asked == 1 else f"{asked} requests for changes"
    rounds += ", then an approval" if times["review_rounds"] > asked else ""
    yield Metric(
        "review_rounds", times["review_rounds"], rounds if asked else "no qualifying review requested changes"
    )


def _because(name: str, times: _Row, periods: list[_Row], clocks: list[_Row]) -> str:
    value, ready, merged = times[name], times["ready_at"], times["merged_at"] is not None
    since = (
        f"from {_moment(ready)}, when it became ready, " if ready not in (None, times["created_at"]) else ""
    )
    stops = {row["clock"]: row for row in clocks if row["what"] == "stops"}
    match name:
        case "review_time_hours" | "review_time_business_hours" if value is None:
            return _NO_REASONS[times["null_reason"]]
        case "review_time_hours" | "review_time_business_hours":
            kind = ", working hours only" if "business" in name else ""
            return (
                f"to review {times['first_review_id']} by {times['first_reviewer_login'] or _UNKNOWN}{kind}"
            )
        case "review_time_hours_any":
            stop = stops.get("review_time_any")
            return f"to review {stop['review_id']}, whoever wrote it" if stop else "nobody has reviewed it"
        case "draft_hours" if value is None:
            return "the draft events contradict its state"
        case "draft_hours":
            return _spans("draft", clocks) or (
                f"it was a draft only after {_ENDS['merged' if merged else 'closed']}"
                if periods
                else "it never was a draft"
            )
        case "cycle_time_hours":
            return "to the merge" if merged else "it is not merged"
        case "coding_time_hours" if times["first_commit_at"] is None:
            return "its first commit is not known"
        case "coding_time_hours":
            first = f"{_moment(times['first_commit_at'])}, when its first commit was written"
            return (
                f"from {first}, to the opening" if value is not None else f"from {first}: after the opening"
            )
        case _ if ready is None:
            return "it never became ready for review"
        case "time_to_merge_hours" if value is None:
            return "it was merged before it was ready" if merged else "it is not merged"
        case "time_to_merge_hours":
            return f"{since}to the merge"
        case "waiting_hours" if value is not None and sum(row["clock"] == "waiting" for row in clocks) > 2:
            return f"open and ready {_spans('waiting', clocks)}"
        case "waiting_hours" if value is not None and "waiting" in stops:
            return f"{since}to the last sync of the repository, which is no longer tracked"
        case "waiting_hours" if value is not None:
            return f"{since}to now (pipeline_status.as_of)"
        case "waiting_hours" if times["state"] != "open":
            return f"it is {times['state']}"
        case "waiting_hours" if times["null_reason"] is None:
            return "it has a qualifying review"
        case "waiting_hours":
            return "it is a draft now" if times["is_draft"] else "its events contradict its state"
        case "review_to_approval_hours" if value is not None:
            return f"from the first review since it was ready to {_moment(times['first_approval_at'])}"
        case "approval_to_merge_hours" if value is not None:
            return f"from {_moment(times['first_approval_at'])} to the merge"
        case "approval_to_merge_hours" if times["first_approval_at"] is not None:
            return "it is not merged"
    target = "approval" if "approval" in name else "review"
    return f"no qualifying {target} since it was ready" if value is None else f"{since}to the first {target}"


def _spans(clock: str, clocks: list[_Row]) -> str:
    """The periods that draft_hours or waiting_hours adds up."""
    of_clock = [row for row in clocks if row["clock"] == clock]
    ends = {"last_sync": _ENDS["last_sync"]} if clock == "waiting" else _ENDS  # it waits again after a close
    starts = (_moment(row["happened_at"]) for row in of_clock if row["what"] == "starts")
    stops = (
        ends.get(row["event"]) or _moment(row["happened_at"]) for row in of_clock if row["what"] == "stops"
    )
    return "; ".join(f"{start} to {stop}" for start, stop in zip_longest(starts, stops, fillvalue="now"))


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
