"""Jira's objects as JSON, of either edition: times in the account's zone, people by accountId or by key."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from prpipeline.sandbox.jira.model import (
    EPIC,
    POINTS,
    POINTS_FLOAT,
    SPRINT,
    Issue,
    Project,
    Sprint,
    Status,
    User,
)
from prpipeline.sandbox.jira.world import World

_CATEGORY_NAMES = {
    "undefined": (1, "No Category"),
    "new": (2, "To Do"),
    "done": (3, "Done"),
    "indeterminate": (4, "In Progress"),
}
_PEOPLE = frozenset({"assignee", "reporter", "creator"})

FIELDS = [
    {
        "id": "summary",
        "key": "summary",
        "name": "Summary",
        "custom": False,
        "schema": {"type": "string", "system": "summary"},
    },
    {
        "id": POINTS,
        "key": POINTS,
        "name": "Story point estimate",
        "custom": True,
        "schema": {
            "type": "number",
            "custom": "com.pyxis.greenhopper.jira:jsw-story-points",
            "customId": 10016,
        },
    },
    {
        "id": POINTS_FLOAT,
        "key": POINTS_FLOAT,
        "name": "Story Points",
        "custom": True,
        "schema": {
            "type": "number",
            "custom": "com.atlassian.jira.plugin.system.customfieldtypes:float",
            "customId": 10024,
        },
    },
    {
        "id": SPRINT,
        "key": SPRINT,
        "name": "Sprint",
        "custom": True,
        "schema": {
            "type": "array",
            "items": "json",
            "custom": "com.pyxis.greenhopper.jira:gh-sprint",
            "customId": 10020,
        },
    },
    {
        "id": EPIC,
        "key": EPIC,
        "name": "Epic Link",
        "custom": True,
        "schema": {"type": "any", "custom": "com.pyxis.greenhopper.jira:gh-epic-link", "customId": 10014},
    },
]


class Objects:
    """``zone``: the account's, in which times are written. ``hidden``: fields that the account is not shown."""

    def __init__(
        self, world: World, edition: str, base: str, zone: str, hidden: Collection[str] = ()
    ) -> None:
        self._world = world
        self._is_cloud = edition == "cloud"
        self._base = base
        self._zone = ZoneInfo(zone)
        self._hidden = hidden

    def time(self, moment: datetime | None) -> str | None:
        """To the millisecond, with an offset without a colon."""
        if moment is None:
            return None
        local = moment.astimezone(self._zone)
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03}{local:%z}"

    def user(self, account_id: str | None) -> dict[str, Any] | None:
        user = self._world.users.get(account_id or "")
        return self.of_user(user) if user else None

    def of_user(self, user: User) -> dict[str, Any]:
        body: dict[str, Any] = {
            "self": f"{self._base}/rest/api/3/user",
            "displayName": user.name,
            "active": user.is_active,
        }
        if user.email:
            body["emailAddress"] = user.email
        body["timeZone"] = user.zone
        if self._is_cloud:
            return body | {"accountId": user.account_id, "accountType": user.account_type}
        return body | {"key": user.key, "name": user.name.lower().replace(" ", ".")}

    def status(self, status: Status) -> dict[str, Any]:
        number, name = _CATEGORY_NAMES[status.category]
        category = {"id": number, "key": status.category, "name": name, "colorName": "blue-gray"}
        return {"id": status.id, "name": status.name, "statusCategory": category}

    def project(self, project: Project, *, with_keys: bool = False) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": str(project.id),
            "key": project.key,
            "name": project.name,
            "projectTypeKey": "software",
            "simplified": False,
        }
        if project.is_archived:
            body["archived"] = True
        return body | ({"projectKeys": [project.key, *project.former_keys]} if with_keys else {})

    def issue(self, issue: Issue, fields: Collection[str]) -> dict[str, Any]:
        wanted = [name for name in self._names(issue) if name in fields or fields == ["*all"]]
        return {
            "id": str(issue.id),
            "key": issue.key,
            "self": f"{self._base}/rest/api/3/issue/{issue.id}",
            "fields": {name: self._field(issue, name) for name in wanted},
        }

    def history(self, entry: dict[str, Any], *, created_as_time: bool = True) -> dict[str, Any]:
        body = {"id": entry["id"], "created": self.time(entry["created"]), "items": entry["items"]}
        author = self.user(entry.get("author"))
        return body | ({"author": author} if author else {})

    def changelog(self, issue: Issue) -> dict[str, Any]:
        """The whole of it, as ``expand=changelog`` has it on Data Center."""
        entries = [self.history(entry) for entry in issue.histories]
        about = {"startAt": 0, "maxResults": len(entries), "total": len(entries)}
        return {"changelog": {**about, "histories": entries}}

    def _names(self, issue: Issue) -> list[str]:
        hidden = {*self._hidden, *(() if self._is_cloud else ("statuscategorychangedate",))}
        return [name for name in ["created", "updated", "project", *issue.fields] if name not in hidden]

    def _field(self, issue: Issue, name: str) -> Any:
        if name in {"created", "updated"} and name not in issue.fields:
            return self.time(getattr(issue, name))
        if name == "project":
            return self.project(issue.project)
        value = issue.fields[name]
        if isinstance(value, datetime):
            return self.time(value)
        if name == "status" and isinstance(value, str):
            known = self._world.statuses.get(value)
            return self.status(known or Status(value, f"Deleted {value}", "undefined"))
        if name == "issuetype" and not self._is_cloud:
            return {about: each for about, each in value.items() if about != "hierarchyLevel"}
        if name in _PEOPLE and isinstance(value, str):
            return self.user(value)
        if name == "parent" and isinstance(value, int):
            parent = self._world.issues[value]
            return {"id": str(parent.id), "key": parent.key, "fields": {"summary": parent.fields["summary"]}}
        if name == SPRINT and isinstance(value, list):
            return [self._sprint(self._world.sprints[i]) if isinstance(i, int) else i for i in value]
        return value

    def _sprint(self, sprint: Sprint) -> Any:
        times = {"startDate": sprint.start, "endDate": sprint.end, "completeDate": sprint.complete}
        texts = {name: f"{moment:%Y-%m-%dT%H:%M:%S}.000Z" for name, moment in times.items() if moment}
        if self._is_cloud:
            return {"id": sprint.id, "name": sprint.name, "state": sprint.state, "boardId": 1, **texts}
        dates = ",".join(f"{name}={texts.get(name, '<null>')}" for name in times)
        return (
            f"com.atlassian.greenhopper.service.sprint.Sprint@1a2b3c[id={sprint.id},rapidViewId=1,"
            f"state={sprint.state.upper()},name={sprint.name},{dates},sequence={sprint.id}]"
        )
