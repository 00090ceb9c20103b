"""Searching: the index that lags behind, its query language, its pages by token (Cloud) and by position (Data Center)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from prpipeline.sandbox.jira import jql
from prpipeline.sandbox.jira.answers import JiraError, check
from prpipeline.sandbox.jira.model import Issue, State, User
from prpipeline.sandbox.jira.objects import Objects
from prpipeline.sandbox.jira.quirks import Quirks
from prpipeline.sandbox.jira.world import World
from prpipeline.sandbox.messages import Request

_TOKEN_LIFE = timedelta(days=7)


class Search:
    """Its tokens name a position in a list, also of the changelogs in bulk."""

    def __init__(self, world: World, quirks: Quirks) -> None:
        self._world, self._quirks = world, quirks
        self._tokens: dict[str, tuple[str, tuple[Any, int], datetime]] = {}
        self._numbers = itertools.count(1)

    def forget_tokens(self) -> None:
        self._tokens.clear()

    def matching(
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

    def by_token(self, request: Request, objects: Objects, user: User | None) -> dict[str, Any]:
        body = request.json
        check(
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
        found, order = self.matching(body["jql"], user, reconciled)
        keys = _ORDERS.get(order, _by_number)
        after = self.position(body.get("nextPageToken"), body["jql"])
        if after is not None:
            found = [pair for pair in found if (keys(pair), pair[0].id) > after]
        elif self._quirks.empty_page_first:
            first = (keys(found[0]), 0) if found else (0, 0)
            return {"issues": [], "nextPageToken": self.token(body["jql"], first)}
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
            answer["nextPageToken"] = self.token(body["jql"], (keys(rows[-1]), rows[-1][0].id))
            if self._quirks.repeats_token and body.get("nextPageToken"):
                answer["nextPageToken"] = body["nextPageToken"]
        return answer | {"isLast": len(found) <= size}

    def _indexed_row(self, objects: Objects, issue: Issue, state: State, fields: list[str]) -> dict[str, Any]:
        row = objects.issue(issue, fields)
        if "updated" in row["fields"] and not self._quirks.rows_are_newest:
            row["fields"]["updated"] = objects.time(state.updated)
        return row

    def token(self, text: str, position: tuple[Any, int]) -> str:
        token = f"page-token-{next(self._numbers)}"
        self._tokens[token] = (text, position, self._world.now())
        return token

    def position(self, token: str | None, text: str) -> tuple[Any, int] | None:
        if token is None:
            return None
        known = self._tokens.get(token)
        if known is None or known[0] != text or self._world.now() - known[2] > _TOKEN_LIFE:
            raise JiraError(400, "The provided next page token is invalid or expired.")
        return known[1]

    def by_position(self, request: Request, objects: Objects, user: User | None) -> dict[str, Any]:
        body = request.json
        check(set(body), {"jql", "startAt", "maxResults", "fields", "expand", "validateQuery"})
        found, _ = self.matching(body["jql"], user)
        start = int(body.get("startAt", 0))
        most = self._quirks.rows_a_page if body.get("expand") else min(1_000, self._quirks.ids_a_page)
        size = min(int(body.get("maxResults", 50)), most)
        rows = []
        for issue, state in found[start : start + size]:
            row = self._indexed_row(objects, issue, state, body.get("fields", ["*all"]))
            rows.append(row | (objects.changelog(issue) if "changelog" in (body.get("expand") or []) else {}))
        return {"startAt": start, "maxResults": size, "total": len(found), "issues": rows}


def _by_number(pair: tuple[Issue, State]) -> Any:
    return pair[0].number


_ORDERS: dict[str, Callable[[tuple[Issue, State]], Any]] = {
    "updated": lambda pair: pair[1].updated,
    "created": lambda pair: pair[0].created,
}
