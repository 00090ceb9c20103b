"""One Jira: its content, and everything that happens to it. Each change has a time, an entry in the changelog, and reaches
the search index after a lag."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from prpipeline.sandbox.clock import Clock, ManualClock
from prpipeline.sandbox.jira.model import EPIC, POINTS, SPRINT, Issue, Project, Sprint, State, Status, User


class World:
    """``lag``: how far the search index is behind. ``cloud_id`` names the site at the gateway."""

    def __init__(self, clock: Clock | None = None, *, lag: timedelta = timedelta(0)) -> None:
        self.clock = clock or ManualClock()
        self.lag = lag
        self.cloud_id = "11223344-a1b2-3b33-c444-def123456789"
        self.lock = threading.RLock()
        self.projects: dict[int, Project] = {}
        self.issues: dict[int, Issue] = {}
        self.users: dict[str, User] = {}
        self.statuses: dict[str, Status] = {}
        self.sprints: dict[int, Sprint] = {}
        self.old_keys: dict[str, int] = {}
        self._ids = itertools.count(10_001)
        self._change_ids = itertools.count(50_001)
        self.bot = self.add_user("712020:reader", "Reader", email="reader@example.com")
        for identity, name, category in (
            ("1", "To Do", "new"),
            ("3", "In Progress", "indeterminate"),
            ("4", "In Review", "indeterminate"),
            ("10", "Done", "done"),
            ("11", "Won't Do", "done"),
            ("99", "Parked", "undefined"),
        ):
            self.statuses[identity] = Status(identity, name, category)

    def now(self) -> datetime:
        """To the millisecond, as Jira stores it."""
        now = self.clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    # ── content ──────────────────────────────────────────────────────────────────────────────────────

    def add_user(self, account_id: str, name: str, **more: Any) -> User:
        return self.users.setdefault(account_id, User(account_id, name, **more))

    def add_project(self, key: str, name: str | None = None, project_id: int | None = None) -> Project:
        project = Project(project_id or 10_000 + len(self.projects), key, name or f"Project {key}")
        self.projects[project.id] = project
        return project

    def add_sprint(self, name: str, **more: Any) -> Sprint:
        sprint = Sprint(len(self.sprints) + 1, name, **more)
        self.sprints[sprint.id] = sprint
        return sprint

    def create(
        self,
        project: Project,
        summary: str = "A summary",
        *,
        status: str = "1",
        kind: tuple[str, str, int] = ("10001", "Story", 0),
        reporter: User | None = None,
        **fields: Any,
    ) -> Issue:
        """A new issue; ``fields`` are served as they are."""
        now = self.now()
        project.last_number += 1
        who = (reporter or self.bot).account_id
        identity, name, level = kind
        content = {
            "summary": summary,
            "status": status,
            "issuetype": {"id": identity, "name": name, "subtask": level < 0, "hierarchyLevel": level},
            "priority": {"id": "3", "name": "Medium"},
            "resolution": None,
            "resolutiondate": None,
            "assignee": None,
            "reporter": who,
            "creator": who,
            "labels": [],
            "components": [],
            "fixVersions": [],
            "duedate": None,
            "statuscategorychangedate": now,
            **fields,
        }
        issue = Issue(next(self._ids), project, project.last_number, now, now, content)
        self.issues[issue.id] = issue
        self._index(issue)
        return issue

    # ── changes ──────────────────────────────────────────────────────────────────────────────────────

    def change(self, issue: Issue, *items: dict[str, Any], author: User | None = None, **fields: Any) -> None:
        """Set fields, with these items in one entry of the changelog."""
        issue.fields.update(fields)
        issue.updated = max(self.now(), issue.updated)
        if items:
            entry: dict[str, Any] = {"id": str(next(self._change_ids)), "created": issue.updated}
            if author:
                entry["author"] = author.account_id
            issue.histories.append(entry | {"items": list(items)})
        self._index(issue)

    def transition(self, issue: Issue, status: str, author: User | None = None) -> None:
        """Into another status, with a resolution where that is done."""
        before, after = self.statuses[issue.status_id], self.statuses[status]
        done = after.category == "done"
        more: dict[str, Any] = {
            "resolution": {"id": "1", "name": "Done"} if done else None,
            "resolutiondate": self.now() if done else None,
        }
        if before.category != after.category:
            more["statuscategorychangedate"] = self.now()
        self.change(
            issue,
            item("status", before.id, before.name, status, after.name),
            author=author,
            status=status,
            **more,
        )

    def assign(self, issue: Issue, user: User | None) -> None:
        before = issue.fields["assignee"]
        after = user.account_id if user else None
        names = {a: u.name for a, u in self.users.items()}
        self.change(
            issue,
            item("assignee", before, names.get(before), after, user and user.name),
            author=self.bot,
            assignee=after,
        )

    def set_points(self, issue: Issue, points: Any, field: str = POINTS) -> None:
        before = issue.fields.get(field)
        entry = item("Story point estimate", None, _text(before), None, _text(points), field_id=field)
        self.change(issue, entry, author=self.bot, **{field: points})

    def set_sprints(self, issue: Issue, sprints: Sequence[Sprint]) -> None:
        """Lists stand in the changelog as one text."""
        before = issue.fields.get(SPRINT) or []
        known = [self.sprints[i].name for i in before]
        after = [sprint.id for sprint in sprints]
        entry = item(
            "Sprint",
            ", ".join(map(str, before)),
            ", ".join(known),
            ", ".join(map(str, after)),
            ", ".join(s.name for s in sprints),
            field_id=SPRINT,
        )
        self.change(issue, entry, author=self.bot, **{SPRINT: after or None})

    def set_parent(self, issue: Issue, parent: Issue | None, *, by_epic_link: bool = False) -> None:
        if by_epic_link:
            issue.fields[EPIC] = parent and parent.key
            self.change(issue)
        else:
            self.change(issue, parent=parent and parent.id)

    def move(self, issue: Issue, project: Project, status: str | None = None) -> None:
        """Into another project, where it gets a new key; the old one leads to it."""
        old_key, old_project = issue.key, issue.project
        self.old_keys[old_key] = issue.id
        project.last_number += 1
        issue.project, issue.number = project, project.last_number
        items = [
            item("Key", None, old_key, None, issue.key, field_id=None),
            item("project", str(old_project.id), old_project.name, str(project.id), project.name),
        ]
        fields: dict[str, Any] = {}
        if status and status != issue.status_id:
            before = self.statuses[issue.status_id]
            items.append(item("status", before.id, before.name, status, self.statuses[status].name))
            fields["status"] = status
        self.change(issue, *items, author=self.bot, **fields)

    def delete(self, issue: Issue) -> None:
        """Without a trace, but in the search index for as long as it lags."""
        issue.is_deleted = True
        issue.states.append(State(self.now(), None, issue.updated))

    def rename_project(self, project: Project, key: str) -> None:
        """All issues get new keys, and none of them changes."""
        for issue in self.issues.values():
            if issue.project is project:
                self.old_keys[issue.key] = issue.id
        project.former_keys.append(project.key)
        project.key = key

    def find_project(self, text: str) -> Project | None:
        """By number, key, or a former key."""
        for project in self.projects.values():
            if text in {str(project.id), project.key} or text.upper() in {project.key, *project.former_keys}:
                return project
        return None

    def find_issue(self, text: str) -> Issue | None:
        """By number or key, also an old one, whatever its letter case; hidden and deleted ones are none."""
        wanted = text.upper()
        found = self.issues.get(int(text)) if text.isdecimal() else None
        found = found or next((issue for issue in self.issues.values() if issue.key == wanted), None)
        found = found or self.issues.get(self.old_keys.get(wanted, 0))
        return found if found and found.is_shown else None

    def _index(self, issue: Issue) -> None:
        issue.states.append(State(self.now(), issue.project.id, issue.updated))


def item(
    field: str, before: Any, before_text: Any, after: Any, after_text: Any, field_id: str | None = ""
) -> dict[str, Any]:
    """One item of an entry; without ``field_id`` that of the field's own name, with None none at all."""
    found: dict[str, Any] = {"field": field, "fieldtype": "jira"}
    if field_id is not None:
        found["fieldId"] = field_id or field.lower()
    return found | {"from": before, "fromString": before_text, "to": after, "toString": after_text}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
