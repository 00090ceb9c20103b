"""Jira Cloud: ids by ``search/jql``, issues and changelogs by their bulk endpoints.

Searching goes by an index that lags behind, and gives no total: what it lists is read by id, which does not lag.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from prpipeline.http.answer import Answer
from prpipeline.http.attempts import Attempt
from prpipeline.jira import mapping
from prpipeline.jira.client import Json, Parameters, objects
from prpipeline.jira.protocol import QueryRejected
from prpipeline.jira.source import Source, instant
from prpipeline.model.failures import CursorRejected, MalformedAnswer, NotFound
from prpipeline.model.jira import JiraIssue, JiraIssues, JiraPage, JiraProject

_IDS_A_PAGE = 5_000  # with ids only
_ROWS_A_PAGE = 100  # with any field more
_ISSUES_A_REQUEST = 100
_CHANGES_A_PAGE = 4_000  # of at most 10,000: descriptions stand in them, old and new
_PROJECTS_A_REQUEST = 50
_MOST_EMPTY_PAGES = 50


class CloudSource(Source):
    """Jira Cloud, by its site's address or the gateway's."""

    ROOT = "/rest/api/3"
    edition = "cloud"

    # ── lists of issues ──────────────────────────────────────────────────────────────────────────────

    def walk(self, project_id: int, cursor: str | None) -> Iterator[JiraPage]:
        """All issues of a project, the oldest first, from a page's cursor on. Raises CursorRejected."""
        return self._search(f"project = {project_id} ORDER BY created ASC", ["id"], cursor)

    def changed(self, project_id: int, since: datetime) -> Iterator[JiraPage]:
        """The issues that changed since then, which is floored to the minute."""
        jql = f"project = {project_id} AND updated >= {instant(since)} ORDER BY updated ASC"
        return self._anew(jql, ["updated"])

    def all_ids(self, project_id: int) -> set[int]:
        """The ids of all issues that Jira lists of a project."""
        pages = self._anew(f"project = {project_id} ORDER BY created ASC", ["id"])
        return {issue_id for page in pages for issue_id in page.issue_ids}

    def indexed(self, issue_id: int, since: datetime | None, *, past_index: bool = False) -> datetime | None:
        """When the issue changed last, if searching lists it as changed since then; None if it does not."""
        bound = "" if since is None else f" AND updated >= {instant(since)}"
        try:
            fresh = [issue_id] if past_index else []
            pages = list(self._search(f"id = {issue_id}{bound}", ["updated"], None, fresh))
        except QueryRejected:  # no such issue, or none that the account sees
            return None
        return next((page.updated[issue_id] for page in pages if issue_id in page.updated), None)

    def count(self, project_id: int) -> int:
        """About how many issues a project has."""

        def read(body: Json, _: Answer) -> int:
            return mapping.number(body, "count")

        return self._client.post(
            f"{self.ROOT}/search/approximate-count",
            {"jql": f"project = {project_id}"},
            read,
            position=project_id,
        )

    def _anew(self, jql: str, fields: list[str]) -> Iterator[JiraPage]:
        """``_search``; begins once more where Jira forgets the position on the way. Pages may be repeated."""
        try:
            yield from self._search(jql, fields, None)
        except CursorRejected:
            yield from self._search(jql, fields, None)

    def _search(
        self, jql: str, fields: list[str], cursor: str | None, reconciled: Sequence[int] = ()
    ) -> Iterator[JiraPage]:
        """Pages until there is no token of a next one; fewer rows than asked, or none, are no end.

        ``reconciled``: issues that are searched for as they are, not as the index has them.
        """
        seen, empty = {cursor}, 0
        while True:
            page = self._page(jql, fields, cursor, reconciled)
            empty = 0 if page.issue_ids else empty + 1
            if page.cursor in seen and page.cursor is not None:
                raise MalformedAnswer(
                    "Jira's list leads in a circle: a page names itself, or one before, as the next."
                )
            if empty > _MOST_EMPTY_PAGES:
                raise MalformedAnswer("Jira's list has no end: one empty page after the other.")
            yield page
            if page.cursor is None:
                return
            cursor = page.cursor
            seen.add(cursor)

    def _page(self, jql: str, fields: list[str], cursor: str | None, reconciled: Sequence[int]) -> JiraPage:
        def read(body: Json, answer: Answer) -> JiraPage:
            rows = objects(body.get("issues"), "issues")
            token = body.get("nextPageToken")
            if not isinstance(token, str | None):
                raise MalformedAnswer("Jira's answer has a page token that is no text.")
            updated = {}
            for row in rows if fields == ["updated"] else ():
                updated[mapping.number(row, "id")] = mapping.time((row.get("fields") or {}).get("updated"))
            ids = tuple(dict.fromkeys(mapping.number(row, "id") for row in rows))
            return JiraPage(ids, updated, None, token or None, answer.read_at)

        size = _IDS_A_PAGE if fields == ["id"] else _ROWS_A_PAGE
        body: dict[str, Any] = {"jql": jql, "fields": fields, "maxResults": size}
        if cursor:
            body["nextPageToken"] = cursor
        if reconciled:
            body["reconcileIssues"] = list(reconciled)
        return self._client.post(f"{self.ROOT}/search/jql", body, read, position=(jql, cursor))

    # ── issues by id ─────────────────────────────────────────────────────────────────────────────────

    def hydrate(self, issue_ids: Sequence[int]) -> JiraIssues:
        """Read these issues with their changelogs. Costs one request a hundred issues, and one or more for changelogs."""
        bodies: dict[int, Json] = {}
        times: list[datetime] = []
        for start in range(0, len(issue_ids), _ISSUES_A_REQUEST):
            some = issue_ids[start : start + _ISSUES_A_REQUEST]
            found, read_at = self._bulk(some)
            times.append(read_at)
            bodies |= found
            # Asked for a hundred, it may give fewer; what it says of those is no reason to take them for gone.
            for issue_id in some:
                if issue_id not in found and (body := self._single(issue_id)) is not None:
                    bodies[issue_id] = body
        histories = self._changelogs(list(bodies)) if bodies else {}
        issues: list[JiraIssue] = []
        broken: dict[int, str] = {}
        whole = {issue_id: histories.get(issue_id, ()) for issue_id in bodies}
        for issue_id, first in self._read_each(bodies.values(), whole):
            is_odd = isinstance(first, JiraIssue) and first.has_broken_changes
            result = self._read_closer(first) if isinstance(first, JiraIssue) and is_odd else first
            if isinstance(result, str):
                broken[issue_id] = result
            elif result is not None:
                issues.append(result)
        known = {found.issue_id for found in issues} | broken.keys()
        missing = tuple(issue_id for issue_id in issue_ids if issue_id not in known)
        return JiraIssues(
            tuple(issues), missing, broken, min(times) if times else self._client.caller.asked_at()
        )

    def _bulk(self, issue_ids: Sequence[int]) -> tuple[dict[int, Json], datetime]:
        def read(body: Json, answer: Answer) -> tuple[dict[int, Json], datetime]:
            rows = {mapping.number(row, "id"): row for row in objects(body.get("issues"), "issues")}
            wanted = set(issue_ids)
            return {i: row for i, row in rows.items() if i in wanted}, answer.read_at

        body = {"issueIdsOrKeys": list(map(str, issue_ids)), "fields": self._fields}
        return self._client.post(f"{self.ROOT}/issue/bulkfetch", body, read, position=tuple(issue_ids))

    def _single(self, issue_id: int) -> Json | None:
        """One issue by itself; None where Jira shows none."""

        def read(body: Json, _: Answer) -> Json:
            mapping.number(body, "id")
            return dict(body)

        try:
            return self._client.get(
                f"{self.ROOT}/issue/{issue_id}", read, [("fields", ",".join(self._fields))]
            )
        except NotFound:
            return None

    @property
    def _fields(self) -> list[str]:
        return [*mapping.FIELDS, *self.custom.ids]

    # ── changelogs ───────────────────────────────────────────────────────────────────────────────────

    def _changelogs(self, issue_ids: Sequence[int]) -> dict[int, list[Json]]:
        """The changelog of each issue; an issue's entries may be spread over pages."""
        found: dict[int, list[Json]] = {}
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            rows, cursor = self._changelog_page(issue_ids, cursor)
            for issue_id, histories in rows:
                found.setdefault(issue_id, []).extend(histories)
            if cursor is None:
                return found
            if cursor in seen:
                raise MalformedAnswer(
                    "Jira's changelogs lead in a circle: a page names one before as the next."
                )
            seen.add(cursor)

    def _changelog_page(
        self, issue_ids: Sequence[int], cursor: str | None
    ) -> tuple[list[tuple[int, list[Json]]], str | None]:
        def read(body: Json, _: Answer) -> tuple[list[tuple[int, list[Json]]], str | None]:
            rows = objects(body.get("issueChangeLogs"), "changelogs")
            token = body.get("nextPageToken")
            return [
                (mapping.number(row, "issueId"), objects(row.get("changeHistories"), "changes"))
                for row in rows
            ], token if isinstance(token, str) and token else None

        def asked(attempt: Attempt) -> Json:
            size = max(100, _CHANGES_A_PAGE >> (attempt.number - 1))
            body: dict[str, Any] = {"issueIdsOrKeys": list(map(str, issue_ids)), "maxResults": size}
            return body | ({"nextPageToken": cursor} if cursor else {})

        return self._client.post(
            f"{self.ROOT}/changelog/bulkfetch", asked, read, position=(tuple(issue_ids), cursor)
        )

    def _read_closer(self, found: JiraIssue) -> JiraIssue | str | None:
        """The issue again, with the changelog of its own endpoint: the bulk one may lack entries, or the issue may have
        changed in between. Where it does not fit even so, the record says so; None: it is gone meanwhile."""
        try:
            histories = self._changelog_of(found.issue_id)
        except NotFound:
            return None
        body = self._single(found.issue_id)
        if body is None:
            return None
        ((_, result),) = self._read_each([body], {found.issue_id: histories})
        return result

    def _changelog_of(self, issue_id: int) -> list[Json]:
        return self._paged(f"/issue/{issue_id}/changelog", lambda row: row, (), 100)

    # ── projects ─────────────────────────────────────────────────────────────────────────────────────

    def projects(self) -> list[JiraProject]:
        """The projects whose issues the account may browse."""
        return self._project_pages([])

    def _listed(self, entries: Sequence[str]) -> list[JiraProject]:
        found: list[JiraProject] = []
        for name, some in (
            ("id", [entry for entry in entries if entry.isdecimal()]),
            ("keys", [entry for entry in entries if not entry.isdecimal()]),
        ):
            for start in range(0, len(some), _PROJECTS_A_REQUEST):
                found += self._project_pages(
                    [(name, each) for each in some[start : start + _PROJECTS_A_REQUEST]]
                )
        return found

    def _project_pages(self, wanted: Parameters) -> list[JiraProject]:
        return self._paged(
            "/project/search", mapping.project, [("action", "browse"), ("expand", "projectKeys"), *wanted], 50
        )
