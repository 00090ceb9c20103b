"""A world of payloads that were recorded from a real Jira: lines of ``{"kind", "issue_id"?, "payload"}``."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prpipeline.sandbox.clock import ManualClock
from prpipeline.sandbox.jira.model import Issue, Project, State, Status
from prpipeline.sandbox.jira.world import World

_SERVED = frozenset(
    {
        "summary",
        "status",
        "issuetype",
        "priority",
        "resolution",
        "resolutiondate",
        "assignee",
        "reporter",
        "creator",
    }
    | {"labels", "components", "fixVersions", "duedate", "parent", "statuscategorychangedate"}
)


def recorded_world(file: str | Path) -> World:
    """The issues as they were recorded, in the projects that they name. Their texts of times are served in the zone in
    which they were recorded."""
    records: dict[str, list[dict[str, Any]]] = {}
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            records.setdefault(record["kind"], []).append(record)
    world = World(ManualClock())
    world.bot.zone = "Asia/Shanghai"
    world.statuses.clear()
    for record in records.get("status", []):
        status = record["payload"]
        world.statuses[status["id"]] = Status(status["id"], status["name"], status["statusCategory"]["key"])
    for record in records.get("user", []):
        user = record["payload"]
        world.add_user(
            user["accountId"],
            user["displayName"],
            email=user.get("emailAddress"),
            is_active=user["active"],
            account_type=user["accountType"],
        )
    for record in records.get("issue", []):
        _add_issue(world, record["payload"])
    for record in records.get("changelog", []):
        payload = record["payload"]
        issue = world.issues.get(int(record["issue_id"]))
        if issue is not None:
            author = payload.get("author") or {}
            if author:
                world.add_user(author["accountId"], author["displayName"])
            entry = {"id": payload["id"], "created": _time(payload["created"]), "items": payload["items"]}
            issue.histories.append(entry | ({"author": author["accountId"]} if author else {}))
    for issue in world.issues.values():
        issue.histories.sort(key=lambda entry: (entry["created"], int(entry["id"])))
    newest = max(issue.updated for issue in world.issues.values())
    clock = world.clock
    assert isinstance(clock, ManualClock)
    clock.set(newest + timedelta(days=1))
    return world


def _add_issue(world: World, payload: dict[str, Any]) -> None:
    fields = payload["fields"]
    about = fields["project"]
    project = world.projects.setdefault(
        int(about["id"]), Project(int(about["id"]), about["key"], about["name"])
    )
    number = int(payload["key"].rpartition("-")[2])
    project.last_number = max(project.last_number, number)
    served = {
        name: value for name, value in fields.items() if name in _SERVED or name.startswith("customfield_")
    }
    for role in ("assignee", "reporter", "creator"):
        if isinstance(person := served.get(role), dict):
            world.add_user(person["accountId"], person["displayName"], email=person.get("emailAddress"))
    updated = _time(fields["updated"])
    issue = Issue(int(payload["id"]), project, number, _time(fields["created"]), updated, served)
    issue.states.append(State(issue.created, project.id, updated))
    world.issues[issue.id] = issue


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
