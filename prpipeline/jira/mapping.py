"""The one mapping from Jira's objects, of either edition, to records. Pure.

Raises MalformedRecord for a field that cannot be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from math import isfinite
from typing import Any

from prpipeline.http.values import optional_time, text
from prpipeline.http.values import time as time
from prpipeline.jira.custom_fields import CustomFields
from prpipeline.model.failures import MalformedRecord
from prpipeline.model.jira import JiraChange, JiraIssue, JiraProject, JiraSprint, JiraStatus, JiraUser

Json = Mapping[str, Any]

FIELDS = (
    "assignee",
    "components",
    "created",
    "creator",
    "duedate",
    "fixVersions",
    "issuetype",
    "labels",
    "parent",
    "priority",
    "project",
    "reporter",
    "resolution",
    "resolutiondate",
    "status",
    "statuscategorychangedate",
    "summary",
    "updated",
)
"""What is asked of an issue; never all of it: that is hundreds of fields, with texts and comments of people."""

_CATEGORIES = frozenset({"new", "indeterminate", "done"})

# The items of a changelog that are kept, in lower case. Others repeat what people wrote, or are of no use to any number.
_KEPT = frozenset(
    {
        "assignee",
        "epic link",
        "issueparentassociation",
        "issuetype",
        "key",
        "parent",
        "priority",
        "project",
        "resolution",
        "sprint",
        "status",
        "story point estimate",
        "story points",
    }
)
_OLD_SPRINT = re.compile(r"Sprint@[0-9a-f]*\[(.*)\]$", re.DOTALL)
_LARGEST = 2**63


def issue(body: Json, custom: CustomFields, site: str) -> JiraIssue:
    """An issue without its changelog; ``site`` is where people open it."""
    fields = _object(body.get("fields"), "fields")
    key = required(body, "key")
    status, project = _object(fields.get("status"), "status"), _object(fields.get("project"), "project")
    kind = _optional(fields.get("issuetype"))
    parent = _optional(fields.get("parent"))
    created_at, updated_at = time(fields.get("created")), time(fields.get("updated"))
    sprints = _sprints(fields.get(custom.sprint) if custom.sprint else None)
    people = [_user(fields.get(role)) for role in ("assignee", "reporter", "creator")]
    assignee, reporter, creator = map(_account_id, people)
    return JiraIssue(
        issue_id=number(body, "id"),
        issue_key=key,
        project_id=number(project, "id"),
        project_key=required(project, "key"),
        summary=text(fields.get("summary")) or "",
        issue_type_id=_id(kind),
        issue_type=text(kind.get("name")),
        hierarchy_level=_level(kind),
        status_id=required(status, "id"),
        status=required(status, "name"),
        status_category=_category(status),
        priority_id=_id(_optional(fields.get("priority"))),
        priority=text(_optional(fields.get("priority")).get("name")),
        resolution=text(_optional(fields.get("resolution")).get("name")),
        assignee_id=assignee,
        reporter_id=reporter,
        creator_id=creator,
        parent_id=number(parent, "id") if parent.get("id") else None,
        parent_key=text(parent.get("key")) if parent else _epic(fields, custom),
        labels=tuple(filter(None, (text(label) for label in _list(fields.get("labels"))))),
        components=_names(fields.get("components")),
        fix_versions=_names(fields.get("fixVersions")),
        story_points=_points(fields, custom),
        sprint_ids=tuple(sprint.sprint_id for sprint in sprints),
        created_at=created_at,
        updated_at=updated_at,
        resolved_at=optional_time(fields.get("resolutiondate")),
        status_category_changed_at=optional_time(fields.get("statuscategorychangedate")),
        due_on=_day(fields.get("duedate")),
        url=f"{site}/browse/{key}",
        users=_each_once(people),
        sprints=sprints,
    )


def with_changes(found: JiraIssue, histories: Iterable[Json], custom: CustomFields) -> JiraIssue:
    """The issue with the entries of its changelog, which may be repeated and in any order, and whether they lead to its
    present status."""
    entries = {required(entry, "id"): entry for entry in histories}
    changes: list[JiraChange] = []
    authors = []
    for change_id, entry in entries.items():
        author = _user(entry.get("author"))
        kept = [
            _change(change_id, place, item, author, entry)
            for place, item in enumerate(_list(entry.get("items")))
            if isinstance(item, dict) and _is_kept(item, custom)
        ]
        changes += kept
        authors += [author] if kept else []
    changes.sort(key=lambda change: (change.created_at, _order(change.change_id), change.item))
    return replace(
        found,
        changes=tuple(changes),
        has_broken_changes=not leads_to(found.status_id, changes),
        users=_each_once([*found.users, *authors]),
    )


def leads_to(status_id: str, changes: Iterable[JiraChange]) -> bool:
    """Whether each change of status starts from where the one before ended, and the last ends in this status."""
    steps = [change for change in changes if change.field == "status"]
    ends = [*(step.from_id for step in steps[1:]), status_id]
    return all(step.to_id == end for step, end in zip(steps, ends if steps else (), strict=True))


def statuses(bodies: Iterable[Json]) -> list[JiraStatus]:
    return [JiraStatus(required(s, "id"), required(s, "name"), _category(s)) for s in bodies]


def project(body: Json) -> JiraProject:
    key = required(body, "key")
    former = [text(each) for each in _list(body.get("projectKeys"))]
    return JiraProject(
        number(body, "id"),
        key,
        text(body.get("name")) or key,
        tuple(sorted({each for each in former if each and each != key})),
        body.get("archived") is True,
    )


def number(body: Json, field: str) -> int:
    """An id, which Jira writes as text or as a number."""
    value = body.get(field)
    is_number = type(value) is int or (isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value))
    found = int(str(value)) if is_number else _LARGEST
    if not 0 <= found < _LARGEST:
        raise MalformedRecord(f"{field} is {str(value)[:40]!r}, not a number that Jira would give")
    return found


def required(body: Json, field: str) -> str:
    """A text or an id that has to be there."""
    value = body.get(field)
    found = text(str(value) if type(value) is int else value)
    if not found:
        raise MalformedRecord(f"{field} is missing")
    return found


def _change(change_id: str, place: int, item: Json, author: JiraUser | None, entry: Json) -> JiraChange:
    return JiraChange(
        change_id=change_id,
        item=place,
        field=required(item, "field").lower(),
        from_id=text(item.get("from")) or None,
        from_text=text(item.get("fromString")) or None,
        to_id=text(item.get("to")) or None,
        to_text=text(item.get("toString")) or None,
        author_id=_account_id(author),
        created_at=time(entry.get("created")),
    )


def _is_kept(item: Json, custom: CustomFields) -> bool:
    return str(item.get("field")).lower() in _KEPT or item.get("fieldId") in custom.ids


def _order(change_id: str) -> tuple[int, str]:
    """Ids in the order of their numbers."""
    return (int(change_id) if change_id.isdecimal() else 0, change_id)


def _user(value: Any) -> JiraUser | None:
    """An account: Cloud's accountId, Data Center's key; None for nobody, and for accounts that have neither."""
    body = _optional(value)
    account_id = text(body.get("accountId")) or text(body.get("key")) or text(body.get("name"))
    if not account_id:
        return None
    active = body.get("active")
    return JiraUser(
        account_id,
        text(body.get("displayName")) or None,
        text(body.get("emailAddress")) or None,
        text(body.get("accountType")) or None,
        active if isinstance(active, bool) else None,
    )


def _account_id(user: JiraUser | None) -> str | None:
    return user.account_id if user else None


def _each_once(people: Iterable[JiraUser | None]) -> tuple[JiraUser, ...]:
    return tuple({person.account_id: person for person in people if person}.values())


def _category(status: Json) -> str | None:
    """The category's key: its name is translated."""
    key = _optional(status.get("statusCategory")).get("key")
    return key if isinstance(key, str) and key in _CATEGORIES else None


def _level(kind: Json) -> int | None:
    level = kind.get("hierarchyLevel")
    if type(level) is int:
        return level
    return -1 if kind.get("subtask") is True else None  # Data Center knows no other levels


def _epic(fields: Json, custom: CustomFields) -> str | None:
    value = fields.get(custom.epic) if custom.epic else None
    return (text(value) or None) if isinstance(value, str) else None


def _points(fields: Json, custom: CustomFields) -> float | None:
    """The first of the configured fields that says something; some sites have points as text."""
    for name in custom.points:
        value = fields.get(name)
        if isinstance(value, str):
            try:
                value = float(value.replace(",", "."))
            except ValueError:
                continue
        if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
            return float(value)
    return None


def _sprints(value: Any) -> tuple[JiraSprint, ...]:
    found = [_sprint(each) for each in _list(value)]
    return tuple({sprint.sprint_id: sprint for sprint in found}.values())


def _sprint(value: Any) -> JiraSprint:
    body: Json = _old_sprint(value) if isinstance(value, str) else _object(value, "sprint")
    return JiraSprint(
        number(body, "id"),
        text(body.get("name")) or None,
        (text(body.get("state")) or "").lower() or None,
        _sprint_time(body.get("startDate")),
        _sprint_time(body.get("endDate")),
        _sprint_time(body.get("completeDate")),
    )


def _old_sprint(value: str) -> dict[str, str]:
    """``…Sprint@1a2b[id=7,rapidViewId=3,state=CLOSED,name=A, b,startDate=…]`` of older Data Centers."""
    found = _OLD_SPRINT.search(value)
    parts = re.split(r",(?=[A-Za-z]+=)", found[1]) if found else []
    pairs = (part.partition("=") for part in parts)
    return {name: given for name, _, given in pairs if given != "<null>"}


def _sprint_time(value: Any) -> datetime | None:
    return optional_time(value or None)


def _day(value: Any) -> date | None:
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise MalformedRecord(f"duedate is {str(value)[:40]!r}, not a date") from None


def _names(value: Any) -> tuple[str, ...]:
    return tuple(filter(None, (text(_optional(each).get("name")) for each in _list(value))))


def _id(body: Json) -> str | None:
    return required(body, "id") if body.get("id") is not None else None


def _object(value: Any, name: str) -> Json:
    if not isinstance(value, dict):
        raise MalformedRecord(f"{name} is missing")
    return value


def _optional(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
