"""The part of a pull request's story that is about its way: stages, tickets, labels, requests that nobody answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_Rows = Callable[[str], list[dict[str, Any]]]
"""The rows of a published table that are of the pull request."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A period in a stage (UTC), as published: ``ended_at`` is None in the stage that it is in now."""

    name: str
    started_at: datetime
    ended_at: datetime | None
    hours: float


def stages(rows: _Rows) -> tuple[Stage, ...]:
    """In the order of time."""
    found = sorted(rows("pull_request_stages"), key=lambda row: row["started_at"])
    return tuple(
        Stage(
            (row["stage"] or "not known").replace("_", " "), row["started_at"], row["ended_at"], row["hours"]
        )
        for row in found
    )


def stage_lines(found: tuple[Stage, ...]) -> Iterator[str]:
    """A line for each."""
    width = max((len(stage.name) for stage in found), default=0)
    pad = max((len(f"{stage.hours:,.2f}") for stage in found), default=0)
    for stage in found:
        until = f"{stage.ended_at:%Y-%m-%d %H:%M}" if stage.ended_at else f"{'now':<16}"
        span = f"{stage.started_at:%Y-%m-%d %H:%M} to {until}"
        yield f"{stage.name:<{width}}  {span}  {stage.hours:>{pad},.2f} hours"


def remarks(rows: _Rows) -> Iterator[str]:
    """Its tickets, labels and unanswered requests, as far as there are any."""
    tickets: dict[str, list[str]] = {}
    for row in sorted(rows("pull_request_keys"), key=lambda row: (not row["is_primary"], row["position"])):
        tickets.setdefault(row["key"], []).append(row["source"])
    if tickets:
        yield "tickets: " + ", ".join(
            f"{key} (in the {' and '.join(dict.fromkeys(sources))})" for key, sources in tickets.items()
        )
    if labels := sorted(row["label"] for row in rows("pull_request_labels")):
        yield "labels: " + ", ".join(labels)
    for row in sorted(rows("review_requests"), key=lambda row: row["asked_at"]):
        who = row["reviewer_login"] or ("a team" if row["is_team"] else "a deleted account")
        asked = f"{who} was asked on {row['asked_at']:%Y-%m-%d %H:%M}"
        if row["outcome"] == "pending":
            yield f"{asked} and has not answered, for {row['waiting_hours']:,.2f} hours"
        elif row["outcome"] == "closed":
            yield f"{asked} and did not answer"
        elif row["outcome"] is None:
            yield f"{asked}; whether a review answered that is not known"
        elif row["is_team"] and row["answered_by_login"]:
            yield f"{asked}; {row['answered_by_login']} answered for it"
