"""Jira's resources: what each path answers, strictly, for an account that was let in or for a stranger."""

from __future__ import annotations

from typing import Any

from prpipeline.sandbox.jira.answers import JiraError, check, multi, page
from prpipeline.sandbox.jira.model import Issue, User
from prpipeline.sandbox.jira.objects import FIELDS, Objects
from prpipeline.sandbox.jira.quirks import Quirks
from prpipeline.sandbox.jira.search import Search
from prpipeline.sandbox.jira.world import World
from prpipeline.sandbox.messages import Request


class Api:
    """``user`` is None for a stranger, who is shown nothing."""

    def __init__(self, world: World, edition: str, quirks: Quirks, base: str) -> None:
        self._world, self._edition, self._quirks, self._base = world, edition, quirks, base
        self._search = Search(world, quirks)

    def forget_page_tokens(self) -> None:
        self._search.forget_tokens()

    def respond(self, request: Request, path: str, user: User | None) -> Any:
        """The content of ``path`` below ``/rest/api/N``. Raises JiraError."""
        is_cloud = self._edition == "cloud"
        zone = user.zone if user else "UTC"
        objects = Objects(self._world, self._edition, self._base, zone, self._quirks.hidden_fields)
        parts = path.strip("/").split("/")
        match [request.method, *parts]:
            case ["GET", "serverInfo"]:
                return self._server_info(objects)
            case ["GET", "myself"]:
                return objects.of_user(_known(user))
            case ["GET", "field"]:
                shown = [field for field in FIELDS if field["id"] not in self._quirks.hidden_fields]
                return shown if user else shown[:1]
            case ["GET", "status"]:
                _known(user)
                return [objects.status(status) for status in self._world.statuses.values()]
            case ["GET", "project", "search"] if is_cloud:
                return self._projects(request, objects, user)
            case ["GET", "project"] if not is_cloud:
                check(set(request.query), {"expand", "includeArchived"})
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
                return self._search.by_token(request, objects, user)
            case ["POST", "search", "approximate-count"] if is_cloud:
                check(set(request.json), {"jql"})
                return {"count": len(self._search.matching(request.json["jql"], user)[0])}
            case [_, "search"] if is_cloud:
                raise JiraError(
                    410,
                    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.",
                )
            case ["POST", "search"]:
                return self._search.by_position(request, objects, user)
            case ["POST", "issue", "bulkfetch"] if is_cloud:
                return self._bulk(request, objects, user)
            case ["POST", "changelog", "bulkfetch"] if is_cloud:
                return self._bulk_changes(request, objects, user)
            case ["GET", "issue", key]:
                check(set(request.query), {"fields", "expand"})
                issue = self._shown(key, user)
                body = objects.issue(issue, request.query.get("fields", "*all").split(","))
                return body | (
                    objects.changelog(issue) if "changelog" in request.query.get("expand", "") else {}
                )
            case ["GET", "issue", key, "changelog"] if is_cloud:
                check(set(request.query), {"startAt", "maxResults"})
                entries = self._shown(key, user).histories
                return page(request, [objects.history(entry) for entry in entries], 100)
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
        query = multi(request)
        check(
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
        return page(request, found, 50)

    # ── issues ───────────────────────────────────────────────────────────────────────────────────────

    def _shown(self, key: str, user: User | None) -> Issue:
        issue = self._world.find_issue(key) if user else None
        if issue is None:
            raise JiraError(404, "Issue does not exist or you do not have permission to see it.")
        return issue

    def _bulk(self, request: Request, objects: Objects, user: User | None) -> dict[str, Any]:
        body = request.json
        check(set(body), {"issueIdsOrKeys", "fields", "expand", "fieldsByKeys", "properties"})
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
        check(set(body), {"issueIdsOrKeys", "fieldIds", "maxResults", "nextPageToken"})
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
            for place, entry in enumerate(issue.histories)
            if place >= self._quirks.bulk_lacks.get(issue.id, 0)
            and place != self._quirks.bulk_skips.get(issue.id)
        ]
        text = str(sorted(map(str, body["issueIdsOrKeys"])))
        position = self._search.position(body.get("nextPageToken"), text)
        start = position[1] if position else 0
        size = min(int(body.get("maxResults", 1_000)), self._quirks.changes_a_page)
        by_issue: dict[int, list[Any]] = {}
        for issue_id, entry in entries[start : start + size]:
            by_issue.setdefault(issue_id, []).append(objects.history(entry))
        answer: dict[str, Any] = {
            "issueChangeLogs": [{"issueId": str(i), "changeHistories": h} for i, h in by_issue.items()]
        }
        if start + size < len(entries):
            answer["nextPageToken"] = self._search.token(text, (0, start + size))
        return answer


def _known(user: User | None) -> User:
    if user is None:
        raise JiraError(401, "Client must be authenticated to access this resource.")
    return user
