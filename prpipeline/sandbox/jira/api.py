"""Jira's resources: what each path answers, strictly, for an account that was let in or for a stranger."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from prpipeline.sandbox.jira import jql
from prpipeline.sandbox.jira.model import Issue, State, User
from prpipeline.sandbox.jira.objects import FIELDS, Objects
from prpipeline.sandbox.jira.world import World
from prpipeline.sandbox.messages import Request

_TOKEN_LIFE = timedelta(days=7)


class JiraError(Exception):
    """An error as Jira writes it."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


@dataclass
class Quirks:
    """What a Jira may do within its promises, and against them."""

    ids_a_page: int = 5_000
    rows_a_page: int = 100
    changes_a_page: int = 10_000
    empty_page_first: bool = False  # a page without rows, but with a token
    repeats_token: bool = False
    reads_instants_as_local: bool = False
    rows_are_newest: bool = False  # found by what the index has, shown as they are
    bulk_omits: set[int] = field(default_factory=set)  # ids that bulkfetch leaves out
    bulk_lacks: dict[int, int] = field(
        default_factory=dict
    )  # of an issue's changelog in bulk, so many of the oldest


class Api:
    """``user`` is None for a stranger, who is shown nothing."""

    def __init__(self, world: World, edition: str, quirks: Quirks, base: str) -> None:
        self._world, self._edition, self._quirks, self._base = world, edition, quirks, base
        self._tokens: dict[str, tuple[str, tuple[Any, int], datetime]] = {}
        self._numbers = itertools.count(1)

    def forget_page_tokens(self) -> None:
        self._tokens.clear()

    def respond(self, request: Request, path: str, user: User | None) -> Any:
        """The content of ``path`` below ``/rest/api/N``. Raises JiraError."""
        is_cloud = self._edition == "cloud"
        objects = Objects(self._world, self._edition, self._base, user.zone if user else "UTC")
        parts = path.strip("/").split("/")
        match [request.method, *parts]:
            case ["GET", "serverInfo"]:
                return self._server_info(objects)
            case ["GET", "myself"]:
                return objects.of_user(_known(user))
            case ["GET", "field"]:
                return FIELDS if user else FIELDS[:1]
            case ["GET", "status"]:
                _known(user)
                return [objects.status(status) for status in self._world.statuses.values()]
            case ["GET", "project", "search"] if is_cloud:
                return self._projects(request, objects, user)
            case ["GET", "project"] if not is_cloud:
                _check(set(request.query), {"expand", "includeArchived"})
                return [
                    objects.project(p, with_keys="projectKeys" in request.query.get("expand", ""))
                    for p in self._world.projects.values()
                    if user and p.is_browsable and p.is_listed and not p.is_archived
                ]
            case ["GET", "project", key]:
                project = self._world.find_project(key) if user else None
                if project is None or not project.is_listed:
                    raise JiraError(404, f"No project could be found with key '{key}'.")
                return objects.project(project, with_keys=True)
            case ["POST", "search", "jql"] if is_cloud:
                return self._search_by_token(request, objects, user)
            case ["POST", "search", "approximate-count"] if is_cloud:
                _check(set(request.json), {"jql"})
                return {"count": len(self._matching(request.json["jql"], user)[0])}
            case [_, "search"] if is_cloud:
                raise JiraError(
                    410,
                    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.",
                )
            case ["POST", "search"]:
                return self._search_by_position(request, objects, user)
            case ["POST", "issue", "bulkfetch"] if is_cloud:
                return self._bulk(request, objects, user)
            case ["POST", "changelog", "bulkfetch"] if is_cloud:
                return self._bulk_changes(request, objects, user)
            case ["GET", "issue", key]:
                _check(set(request.query), {"fields", "expand"})
                issue = self._shown(key, user)
                body = objects.issue(issue, request.query.get("fields", "*all").split(","))
                return body | (
                    self._changelog(issue, objects) if "changelog" in request.query.get("expand", "") else {}
                )
            case ["GET", "issue", key, "changelog"] if is_cloud:
                _check(set(request.query), {"startAt", "maxResults"})
                entries = self._shown(key, user).histories
                return _page(request, [objects.history(entry) for entry in entries], 100)
        raise JiraError(404, "null for uri: " + request.path)

    # ── the site and its projects ────────────────────────────────────────────────────────────────────

    def _server_info(self, objects: Objects) -> dict[str, Any]:
        return {
            "baseUrl": self._base,
            "version": "1001.0.0" if self._edition == "cloud" else "9.12.8",
            "versionNumbers": [1001, 0, 0] if self._edition == "cloud" else [9, 12, 8],
            "deploymentType": "Cloud" if self._edition == "cloud" else "Server",
            "serverTime": objects.time(self._world.now()),
        }

    def _projects(self, request: Request, objects: Objects, user: User | None) -> dict[str, Any]:
        query = _multi(request)
        _check(
            set(query),
            {
                "startAt",
                "maxResults",
                "action",
                "expand",
                "id",
                "keys",
                "query",
                "status",
                "orderBy",
                "typeKey",
            },
        )
        for name in ("id", "keys"):
            if len(query.get(name, [])) > 50:
                raise JiraError(400, f"The maximum number of {name} is 50.")
        found = [
            objects.project(project, with_keys="projectKeys" in query.get("expand", [""])[0])
            for project in self._world.projects.values()
            if user and project.is_listed and not project.is_archived
            if project.is_browsable or query.get("action", ["view"]) == ["view"]
            if "id" not in query or str(project.id) in query["id"]
            if "keys" not in query or project.key in query["keys"]
        ]
        return _page(request, found, 50)

    # ── lists of issues ──────────────────────────────────────────────────────────────────────────────

    def _matching(
        self, text: str, user: User | None, reconciled: Collection[int] = ()
    ) -> tuple[list[tuple[Issue, State]], str]:
        """The issues that the index has for a query, and the order; ``reconciled`` ones are searched as they are."""
        try:
            query = jql.parse(
                text, user.zone if user else "UTC", shifts_instants=self._quirks.reads_instants_as_local
            )
        except jql.JqlError as error:
            raise JiraError(400, str(error)) from None
        project = self._world.find_project(query.project) if query.project else None
        if query.project and (user is None or project is None or not project.is_browsable):
            raise JiraError(400, f"The value '{query.project}' does not exist for the field 'project'.")
        if query.issue and (user is None or self._world.find_issue(query.issue) is None):
            raise JiraError(400, f"An issue with key '{query.issue}' does not exist for field 'id'.")
        at = self._world.now() - self._world.lag
        asked = self._world.find_issue(query.issue) if query.issue else None
        candidates = [asked] if asked else list(self._world.issues.values())
        found = []
        for issue in candidates:
            state = issue.indexed(self._world.now() if issue.id in reconciled else at)
            if state is None or state.project_id is None or issue.is_hidden or issue.is_archived:
                continue
            home = self._world.projects[state.project_id]
            if home.is_archived or not home.is_browsable or (project and home is not project):
                continue
            if query.since is None or state.updated >= query.since:
                found.append((issue, state))
        keys = _ORDERS.get(query.order, _by_number)
        found.sort(key=lambda pair: (keys(pair), pair[0].id))
        return found, query.order

    def _search_by_token(self, request: Request, objects: Objects, user: User | None) -> dict[str, Any]:
        body = request.json
        _check(
            set(body),
            {
                "jql",
                "fields",
                "maxResults",
                "nextPageToken",
                "expand",
                "fieldsByKeys",
                "failFast",
                "reconcileIssues",
            },
        )
        fields = body.get("fields", ["id"])
        reconciled = body.get("reconcileIssues", [])
        if len(reconciled) > 50 or any(self._world.find_issue(str(i)) is None for i in reconciled):
            raise JiraError(400, "The reconcileIssues must be at most 50 issues that exist.")
        found, order = self._matching(body["jql"], user, reconciled)
        keys = _ORDERS.get(order, _by_number)
        after = self._position(body.get("nextPageToken"), body["jql"])
        if after is not None:
            found = [pair for pair in found if (keys(pair), pair[0].id) > after]
        elif self._quirks.empty_page_first:
            first = (keys(found[0]), 0) if found else (0, 0)
            return {"issues": [], "nextPageToken": self._token(body["jql"], first)}
        most = self._quirks.ids_a_page if fields == ["id"] else self._quirks.rows_a_page
        size = min(int(body.get("maxResults", 50)), most)
        rows = found[:size]
        answer: dict[str, Any] = {
            "issues": [
                {"id": str(issue.id)}
                if fields == ["id"]
                else self._indexed_row(objects, issue, state, fields)
                for issue, state in rows
            ]
        }
        if len(found) > size:
            answer["nextPageToken"] = self._token(body["jql"], (keys(rows[-1]), rows[-1][0].id))
            if self._quirks.repeats_token and body.get("nextPageToken"):
                answer["nextPageToken"] = body["nextPageToken"]
        return answer | {"isLast": len(found) <= size}

    def _indexed_row(self, objects: Objects, issue: Issue, state: State, fields: list[str]) -> dict[str, Any]:
        row = objects.issue(issue, fields)
        if "updated" in row["fields"] and not self._quirks.rows_are_newest:
            row["fields"]["updated"] = objects.time(state.updated)
        return row

    def _token(self, text: str, position: tuple[Any, int]) -> str:
        token = f"page-token-{next(self._numbers)}"
        self._tokens[token] = (text, position, self._world.now())
        return token

    def _position(self, token: str | None, text: str) -> tuple[Any, int] | None:
        if token is None:
            return None
        known = self._tokens.get(token)
        if known is None or known[0] != text or self._world.now() - known[2] > _TOKEN_LIFE:
            raise JiraError(400, "The provided next page token is invalid or expired.")
        return known[1]

    def _search_by_position(self, request: Request, objects: Objects, user: User | None) -> dict[str, Any]:
        body = request.json
        _check(set(body), {"jql", "startAt", "maxResults", "fields", "expand", "validateQuery"})
        found, _ = self._matching(body["jql"], user)
        start = int(body.get("startAt", 0))
        size = min(int(body.get("maxResults", 50)), self._quirks.rows_a_page if body.get("expand") else 1_000)
        rows = []
        for issue, state in found[start : start + size]:
            row = self._indexed_row(objects, issue, state, body.get("fields", ["*all"]))
            rows.append(
                row | (self._changelog(issue, objects) if "changelog" in (body.get("expand") or []) else {})
            )
        return {"startAt": start, "maxResults": size, "total": len(found), "issues": rows}

    # ── issues ───────────────────────────────────────────────────────────────────────────────────────

    def _shown(self, key: str, user: User | None) -> Issue:
        issue = self._world.find_issue(key) if user else None
        if issue is None:
            raise JiraError(404, "Issue does not exist or you do not have permission to see it.")
        return issue

    def _changelog(self, issue: Issue, objects: Objects) -> dict[str, Any]:
        entries = [objects.history(entry) for entry in issue.histories]
        return {
            "changelog": {
                "startAt": 0,
                "maxResults": len(entries),
                "total": len(entries),
                "histories": entries,
            }
        }

    def _bulk(self, request: Request, objects: Objects, user: User | None) -> dict[str, Any]:
        body = request.json
        _check(set(body), {"issueIdsOrKeys", "fields", "expand", "fieldsByKeys", "properties"})
        if not 1 <= len(body["issueIdsOrKeys"]) <= 100:
            raise JiraError(400, "The number of issues must be between 1 and 100.")
        found = {
            issue.id: issue
            for key in body["issueIdsOrKeys"]
            if user and (issue := self._world.find_issue(str(key)))
        }
        shown = [found[i] for i in sorted(found) if i not in self._quirks.bulk_omits]
        return {
            "issues": [objects.issue(issue, body.get("fields", [])) for issue in shown],
            "issueErrors": [],
        }

    def _bulk_changes(self, request: Request, objects: Objects, user: User | None) -> dict[str, Any]:
        body = request.json
        _check(set(body), {"issueIdsOrKeys", "fieldIds", "maxResults", "nextPageToken"})
        if not 1 <= len(body["issueIdsOrKeys"]) <= 1_000 or len(body.get("fieldIds", [])) > 10:
            raise JiraError(400, "At most 1000 issues and 10 fields may be asked for at once.")
        asked = sorted(
            {
                i.id: i for key in body["issueIdsOrKeys"] if user and (i := self._world.find_issue(str(key)))
            }.items()
        )
        entries = [
            (issue.id, entry)
            for _, issue in asked
            for entry in issue.histories[self._quirks.bulk_lacks.get(issue.id, 0) :]
        ]
        text = str(sorted(map(str, body["issueIdsOrKeys"])))
        position = self._position(body.get("nextPageToken"), text)
        start = position[1] if position else 0
        size = min(int(body.get("maxResults", 1_000)), self._quirks.changes_a_page)
        by_issue: dict[int, list[Any]] = {}
        for issue_id, entry in entries[start : start + size]:
            by_issue.setdefault(issue_id, []).append(objects.history(entry))
        answer: dict[str, Any] = {
            "issueChangeLogs": [{"issueId": str(i), "changeHistories": h} for i, h in by_issue.items()]
        }
        if start + size < len(entries):
            answer["nextPageToken"] = self._token(text, (0, start + size))
        return answer


def _by_number(pair: tuple[Issue, State]) -> Any:
    return pair[0].number


_ORDERS: dict[str, Callable[[tuple[Issue, State]], Any]] = {
    "updated": lambda pair: pair[1].updated,
    "created": lambda pair: pair[0].created,
}


def _known(user: User | None) -> User:
    if user is None:
        raise JiraError(401, "Client must be authenticated to access this resource.")
    return user


def _check(given: set[str], known: set[str]) -> None:
    if unknown := given - known:
        raise JiraError(400, f"Unrecognized field or parameter: {', '.join(sorted(unknown))}")


def _multi(request: Request) -> dict[str, list[str]]:
    """The parameters with all of their values."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query_string, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def _page(request: Request, rows: list[Any], most: int) -> dict[str, Any]:
    start = int(request.query.get("startAt", "0"))
    size = min(int(request.query.get("maxResults", str(most))), most)
    shown = rows[start : start + size]
    is_last = start + size >= len(rows)
    return {"startAt": start, "maxResults": size, "total": len(rows), "isLast": is_last, "values": shown}
