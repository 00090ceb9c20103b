"""The recorded payloads of a real Jira, taken apart and put together, and what they say when plain Python reads them.

Written from docs/jira.md, not from the mapping or the SQL; it shares no code with either.
"""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from prpipeline_tests.support.shared_data import shared_data

Json = dict[str, Any]

KEPT_FIELDS = frozenset(
    {"status", "assignee", "sprint", "key", "project", "issuetype", "priority", "parent", "resolution"}
    | {"epic link", "story points", "story point estimate"}
)
POINTS, SPRINT, EPIC = ("customfield_10016", "customfield_10024"), "customfield_10020", "customfield_10014"
ODD_TEXTS = (
    "\u200b\u202eיד‮ right to left",
    "a\0b\0",
    "half of a pair \ud83d!",
    "👩‍👩‍👧 \U0001f9d1\u200d\U0001f4bb ﬀ Ⅳ ＡＢＣ-1",
    "'); DROP TABLE issues; -- \\ \" %s {0} \t\r\n\x0b\x1f\x7f\x85\u2028",
    "0" * 32_000,
    "null",
    "  ",
)
ODD_TIMES: Sequence[Callable[[datetime], str]] = (
    lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000",
    lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
    lambda moment: moment.astimezone(_zone("-0330")).strftime("%Y-%m-%dT%H:%M:%S.000%z"),
    lambda moment: moment.astimezone(_zone("+0545")).strftime("%Y-%m-%dT%H:%M:%S%z"),
    lambda moment: moment.astimezone(_zone("+1400")).isoformat(timespec="milliseconds"),
)


def _zone(offset: str) -> Any:
    return datetime.strptime(offset, "%z").tzinfo


@dataclass(frozen=True)
class Records:
    """By kind the payloads; of a changelog each with the number of its issue."""

    payloads: Mapping[str, Sequence[Json]]
    changes: Mapping[int, Sequence[Json]]

    @property
    def issues(self) -> Sequence[Json]:
        return self.payloads["issue"]

    @property
    def statuses(self) -> Mapping[str, Json]:
        return {status["id"]: status for status in self.payloads["status"]}

    def write(self, file: Path) -> Path:
        """As ``recorded_world`` reads it."""
        lines = [
            {"kind": kind, "payload": payload} for kind, some in self.payloads.items() for payload in some
        ]
        lines += [
            {"kind": "changelog", "issue_id": str(issue_id), "payload": entry}
            for issue_id, entries in self.changes.items()
            for entry in entries
        ]
        file.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode(), 1))
        return file


def read() -> Records:
    """All that was recorded. Skips the test where it is missing."""
    payloads: dict[str, list[Json]] = {}
    changes: dict[int, list[Json]] = {}
    with gzip.open(shared_data("jira/jira-sample.jsonl.gz"), "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            if record["kind"] == "changelog":
                changes.setdefault(int(record["issue_id"]), []).append(record["payload"])
            else:
                payloads.setdefault(record["kind"], []).append(record["payload"])
    return Records(payloads, changes)


def put_together(found: Records) -> Records:
    """The same with an issue for each status, so that every record is in use, and one for each changelog that lacks its."""
    more = [_changed(found, issue_id) for issue_id in found.changes]
    more += [_mixed(found, number) for number in range(len(found.payloads["status"]))]
    return Records({**found.payloads, "issue": [*found.issues, *more]}, found.changes)


def _changed(found: Records, issue_id: int) -> Json:
    """An issue whose changelog alone was recorded: created with its first entry, in the status to which the last leads."""
    body = copy.deepcopy(found.issues[4])
    entries = sorted(found.changes[issue_id], key=lambda entry: (utc(entry["created"]), int(entry["id"])))
    body |= {"id": str(issue_id), "key": f"EE-{issue_id}"}
    steps = [item for entry in entries for item in entry["items"] if item["field"] == "status"]
    body["fields"] |= {"created": entries[0]["created"], "updated": entries[-1]["created"]}
    if steps:
        unlisted = {"id": steps[-1]["to"], "name": steps[-1]["toString"]}
        body["fields"]["status"] = found.statuses.get(steps[-1]["to"], unlisted)
    return body


def _mixed(found: Records, number: int) -> Json:
    """A recorded issue with another status, type, project, sprints and people, an odd text, and times in an odd zone."""

    def one(kind: str, place: int = number) -> Json:
        some = found.payloads[kind]
        return some[place % len(some)]

    body = copy.deepcopy(one("issue"))
    project, fields = one("project"), body["fields"]
    body |= {"id": str(50_000 + number), "key": f"{project['key']}-{500 + number}"}
    stranger = {
        "accountId": f"712020:odd-{number}",
        "displayName": ODD_TEXTS[number % len(ODD_TEXTS)][:300],
        "active": False,
        "accountType": "customer",
    }
    fields |= {
        "project": {name: project[name] for name in ("id", "key", "name")},
        "status": one("status"),
        "issuetype": one("issue_type"),
        "assignee": one("user") if number % 5 else None,
        "reporter": one("user", number + 7),
        "creator": stranger,
        "summary": ODD_TEXTS[number % len(ODD_TEXTS)],
        "components": [{"name": "Änderung, 组件"}, {"id": "1", "name": ODD_TEXTS[0]}][: number % 3],
        SPRINT: [one("sprint", number + more) for more in range(number % 3)] or None,
    }
    if number % 10 == 0:
        del fields["assignee"], fields["components"]
    for name in ("resolutiondate", "statuscategorychangedate"):
        if moment := fields.get(name):
            fields[name] = ODD_TIMES[number % len(ODD_TIMES)](datetime.fromisoformat(moment).astimezone(UTC))
    fields.pop("parent", None)
    return body


# ── what they say ────────────────────────────────────────────────────────────────────────────────────


def utc(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None


def words(text: str | None) -> str | None:
    """As a database takes it: without NUL, a half of a surrogate pair as a question mark."""
    if text is None:
        return None
    return "".join("?" if "\ud800" <= c <= "\udfff" else c for c in text if c != "\0")


def account(person: Json | None) -> str | None:
    return str(person["accountId"]) if person else None


def _name(value: Json | None) -> str | None:
    return words(value["name"]) if value else None


def _joined(values: Iterable[str | None]) -> str | None:
    return ", ".join(filter(None, map(words, values))) or None


class Reader:
    """Reads issues; ``is_cloud``: types have levels, and authors of changes are known by the id of their account."""

    def __init__(self, found: Records, site: str, *, is_cloud: bool = True) -> None:
        self._found, self._site, self._is_cloud = found, site, is_cloud
        self._issues = {body["id"]: body for body in found.issues}
        self._keys = {body["key"]: body for body in found.issues}

    def issue(self, body: Json) -> Json:
        """The row of ``issues``, all columns."""
        fields = body["fields"]
        status = self._found.statuses.get(fields["status"]["id"], fields["status"])
        parent_id, parent_key = self._parent(body)
        epic_id, epic_key = self._epic(body)
        sprint = self._sprint(fields)
        points = next((float(fields[name]) for name in POINTS if fields.get(name) not in {None, ""}), None)
        started_at, done_at = self.moments(body)
        return {
            "issue_id": int(body["id"]),
            "issue_key": body["key"],
            "project_id": int(fields["project"]["id"]),
            "project_key": fields["project"]["key"],
            "summary": words(fields["summary"]),
            "issue_type": words(fields["issuetype"]["name"]),
            "hierarchy_level": self._level(body),
            "status": words(status["name"]),
            "status_category": self._category(status["id"]),
            "priority": _name(fields.get("priority")),
            "resolution": _name(fields.get("resolution")),
            "assignee_id": account(fields.get("assignee")),
            "reporter_id": account(fields.get("reporter")),
            "parent_id": parent_id and int(parent_id),
            "parent_key": parent_key,
            "epic_key": epic_key,
            "epic": words(self._issues[epic_id]["fields"]["summary"]) if epic_id in self._issues else None,
            "sprint": words(sprint.get("name")),
            "sprint_id": sprint.get("id"),
            "sprint_state": sprint.get("state"),
            "sprint_started_at": utc(sprint.get("startDate")),
            "sprint_ended_at": utc(sprint.get("completeDate") or sprint.get("endDate")),
            "story_points": points,
            "points_class": _points_class(points),
            "labels": _joined(fields.get("labels") or ()),
            "components": _joined(each["name"] for each in fields.get("components") or ()),
            "fix_versions": _joined(each["name"] for each in fields.get("fixVersions") or ()),
            "due_on": date.fromisoformat(fields["duedate"]) if fields.get("duedate") else None,
            "created_at": utc(fields["created"]),
            "updated_at": utc(fields["updated"]),
            "resolved_at": utc(fields.get("resolutiondate")),
            "started_at": started_at,
            "done_at": done_at,
            "is_gone": False,
            "gone_at": None,
            "is_tracked": True,
            "has_broken_changes": self._is_broken(body),
            "url": f"{self._site}/browse/{body['key']}",
        }

    def changes(self, body: Json) -> list[tuple[Any, ...]]:
        """The rows of its changelog that are stored: the issue, number and place, field, from, to, author, time."""
        found: list[tuple[Any, ...]] = []
        for entry in self._found.changes.get(int(body["id"]), ()):
            for place, item in enumerate(entry["items"]):
                if item["field"].lower() in KEPT_FIELDS:
                    values = [words(item.get(n)) or None for n in ("from", "fromString", "to", "toString")]
                    author = account(entry["author"]) or ""
                    change = (int(body["id"]), f"{entry['id']}/{place}", item["field"].lower())
                    who = author if self._is_cloud else f"JIRAUSER{author}"  # as the stand-in has them
                    found.append((*change, *values, who, utc(entry["created"])))
        return found

    def life(self, body: Json) -> list[tuple[datetime | None, str]]:
        """When it came into which status, by its number; the first with its creation."""
        entries = self._found.changes.get(int(body["id"]), ())
        steps = [
            (utc(entry["created"]), int(entry["id"]), item)
            for entry in entries
            for item in entry["items"]
            if item["field"] == "status"
        ]
        steps.sort(key=lambda step: step[:2])
        first = steps[0][2]["from"] if steps else body["fields"]["status"]["id"]
        return [(utc(body["fields"]["created"]), first), *((at, item["to"]) for at, _, item in steps)]

    def moments(self, body: Json) -> tuple[datetime | None, datetime | None]:
        """When it was started and done."""
        life = [(at, self._category(status)) for at, status in self.life(body)]
        started = next((at for at, category in life if category == "indeterminate"), None)
        done = None
        for at, category in reversed(life):
            if category != "done":
                break
            done = at
        return started, done

    def _category(self, status_id: str) -> str | None:
        status = self._found.statuses.get(status_id)
        key = status["statusCategory"]["key"] if status else None
        return None if key == "undefined" else key

    def _is_broken(self, body: Json) -> bool:
        ended = self.life(body)[-1][1]
        return bool(ended != body["fields"]["status"]["id"])

    def _level(self, body: Json) -> int | None:
        kind = body["fields"]["issuetype"]
        if self._is_cloud:
            return int(kind["hierarchyLevel"])
        return -1 if kind["subtask"] else None

    def _parent(self, body: Json) -> tuple[str | None, str | None]:
        parent = body["fields"].get("parent")
        if parent:
            held = self._issues.get(parent["id"])
            return parent["id"], held["key"] if held else parent["key"]
        by_link = self._keys.get(body["fields"].get(EPIC) or "")
        return (by_link["id"], by_link["key"]) if by_link else (None, body["fields"].get(EPIC))

    def _epic(self, body: Json) -> tuple[str | None, str | None]:
        level = self._level(body) or 0
        if level > 0:
            return None, None
        parent_id, parent_key = self._parent(body)
        if level == 0:
            return parent_id, parent_key
        higher = self._issues.get(parent_id or "")
        return self._parent(higher) if higher else (None, None)

    def _sprint(self, fields: Json) -> Json:
        listed: list[Json] = fields.get(SPRINT) or []
        active = [each for each in listed if each["state"] == "active"]
        return ((active or listed)[-1:] or [{}])[0]


def _points_class(points: float | None) -> str | None:
    if points is None:
        return None
    ends = ((1, "0-1"), (3, "2-3"), (5, "4-5"), (8, "6-8"))
    return next((name for end, name in ends if points <= end), "over 8")
