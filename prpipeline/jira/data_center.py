"""Jira Data Center: whole issues with their changelogs by ``search``, page by page by position.

A list that shrinks while it is paged would skip an issue, so each page begins with the last row of the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from prpipeline.http.answer import Answer, reading
from prpipeline.jira import mapping
from prpipeline.jira.client import Json, objects
from prpipeline.jira.protocol import SERVICE, QueryRejected
from prpipeline.jira.source import Source, instant
from prpipeline.model.failures import (
    CursorRejected,
    MalformedAnswer,
    NotFound,
)
from prpipeline.model.jira import JiraIssue, JiraIssues, JiraPage, JiraProject

_IDS_A_PAGE = 1_000
_ISSUES_A_PAGE = 100


class DataCenterSource(Source):
    """Jira Data Center (or Server), by its base address with any context path."""

    ROOT = "/rest/api/2"
    edition = "data-center"

    def walk(self, project_id: int, cursor: str | None) -> Iterator[JiraPage]:
        """All issues of a project with their changes, from a page's cursor on. Raises CursorRejected."""
        return self._search(project_id, f"project = {project_id} ORDER BY key ASC", cursor)

    def changed(self, project_id: int, since: datetime) -> Iterator[JiraPage]:
        """The issues that changed since then, which is floored to the minute."""
        jql = f"project = {project_id} AND updated >= {instant(since)} ORDER BY key ASC"
        try:
            yield from self._search(project_id, jql, None)
        except CursorRejected:
            yield from self._search(project_id, jql, None)

    def all_ids(self, project_id: int) -> set[int]:
        """The ids of all issues that Jira lists of a project."""
        jql = f"project = {project_id} ORDER BY key ASC"
        for is_again in (False, True):
            found: set[int] = set()
            try:
                for rows, _, _ in self._rows(jql, ["updated"], None, None, _IDS_A_PAGE):
                    found.update(mapping.number(row, "id") for row in rows)
            except CursorRejected:
                if is_again:
                    raise
            else:
                break
        return found

    def indexed(self, issue_id: int, since: datetime | None, *, past_index: bool = False) -> datetime | None:
        """When the issue changed last, if searching lists it as changed since then; None if it does not.

        ``past_index`` changes nothing: only Cloud searches so.
        """
        bound = "" if since is None else f" AND updated >= {instant(since)}"
        try:
            (rows, _, _), *_ = self._rows(f"id = {issue_id}{bound}", ["updated"], None, None, 1)
        except QueryRejected:  # no such issue, or none that the account sees
            return None
        with reading(SERVICE):
            fields = [row["fields"] for row in rows if mapping.number(row, "id") == issue_id]
            return mapping.time(fields[0].get("updated")) if fields else None

    def count(self, project_id: int) -> int:
        """How many issues a project has."""

        def read(body: Json, _: Answer) -> int:
            return mapping.number(body, "total")

        body = {"jql": f"project = {project_id}", "startAt": 0, "maxResults": 1, "fields": ["updated"]}
        return self._client.post(f"{self.ROOT}/search", body, read, position=project_id)

    def hydrate(self, issue_ids: Sequence[int]) -> JiraIssues:
        """Read these issues with their changelogs, a request each."""
        found: list[Json] = []
        missing: list[int] = []
        read_at = self._client.caller.asked_at()
        for issue_id in issue_ids:

            def read(body: Json, _: Answer) -> Json:
                mapping.number(body, "id")
                return dict(body)

            try:
                found.append(
                    self._client.get(
                        f"{self.ROOT}/issue/{issue_id}",
                        read,
                        [("fields", ",".join(self._fields)), ("expand", "changelog")],
                    )
                )
            except NotFound:
                missing.append(issue_id)
        return self._whole(found, missing, read_at)

    def projects(self) -> list[JiraProject]:
        """The projects whose issues the account may browse."""
        return self._client.get(
            f"{self.ROOT}/project",
            lambda body, _: [mapping.project(row) for row in objects(body, "projects")],
            [("expand", "projectKeys")],
        )

    def _listed(self, entries: Sequence[str]) -> list[JiraProject]:
        return [project for project in self.projects() if not project.is_archived]

    @property
    def _fields(self) -> list[str]:
        return [*mapping.FIELDS, *self.custom.ids]

    def _search(self, project_id: int, jql: str, cursor: str | None) -> Iterator[JiraPage]:
        for rows, following, read_at in self._rows(jql, self._fields, "changelog", cursor, _ISSUES_A_PAGE):
            whole = self._present(project_id, self._whole(rows, (), read_at))
            ids = tuple(dict.fromkeys(mapping.number(row, "id") for row in rows))
            yield JiraPage(ids, {}, whole, following, read_at)

    def _present(self, project_id: int, whole: JiraIssues) -> JiraIssues:
        """With issues that left the project as they are now: of those the index gave an earlier state."""
        moved = [issue.issue_id for issue in whole.issues if issue.project_id != project_id]
        if not moved:
            return whole
        now = self.hydrate(moved)
        stayed = tuple(issue for issue in whole.issues if issue.project_id == project_id)
        return JiraIssues(stayed + now.issues, whole.missing, {**whole.broken, **now.broken}, whole.read_at)

    def _rows(
        self, jql: str, fields: list[str], expand: str | None, cursor: str | None, size: int
    ) -> Iterator[tuple[list[Json], str | None, datetime]]:
        """Rows of a list, page by page, and the cursor of the next page: its position, and the last row before it.

        Raises CursorRejected where the list shrank, so that rows may have been skipped.
        """
        position, _, last = (cursor or "0:").partition(":")
        at = int(position)
        while True:
            start = max(at - 1, 0) if last else at
            rows, total, read_at = self._page(jql, fields, expand, start, size + bool(last))
            if last:
                if not rows or str(rows[0].get("id")) != last:
                    raise CursorRejected("Jira's list changed while it was read.")
                rows = rows[1:]
            at += len(rows)
            is_over = at >= total
            if not rows and not is_over:
                raise CursorRejected("Jira's list is shorter than Jira says.")
            last = str(rows[-1].get("id")) if rows else last
            following = None if is_over else f"{at}:{last}"
            yield rows, following, read_at
            if is_over:
                return

    def _page(
        self, jql: str, fields: list[str], expand: str | None, start: int, size: int
    ) -> tuple[list[Json], int, datetime]:
        def read(body: Json, answer: Answer) -> tuple[list[Json], int, datetime]:
            rows, total, found_at = (
                objects(body.get("issues"), "issues"),
                body.get("total"),
                body.get("startAt"),
            )
            if type(total) is not int or (found_at is not None and found_at != start):
                raise MalformedAnswer("Jira's answer is not the page that was asked for.")
            return rows, total, answer.read_at

        body: dict[str, Any] = {"jql": jql, "startAt": start, "maxResults": size, "fields": fields}
        body |= {"expand": [expand]} if expand else {}
        return self._client.post(f"{self.ROOT}/search", body, read, position=(jql, start))

    def _whole(self, bodies: Sequence[Json], missing: Sequence[int], read_at: datetime) -> JiraIssues:
        histories = {mapping.number(body, "id"): _histories(body) for body in bodies}
        issues: list[JiraIssue] = []
        broken: dict[int, str] = {}
        for issue_id, result in self._read_each(bodies, histories):
            if isinstance(result, str):
                broken[issue_id] = result
            else:
                issues.append(result)
        return JiraIssues(tuple(issues), tuple(missing), broken, read_at)


def _histories(body: Json) -> list[Json]:
    """The whole changelog of an issue. Raises MalformedAnswer where there is none."""
    changelog = body.get("changelog")
    return objects(changelog.get("histories") if isinstance(changelog, dict) else None, "changes")
