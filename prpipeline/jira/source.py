"""What both editions of Jira are asked in the same way: who asks, the site, fields, statuses, projects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from prpipeline.http.answer import Answer
from prpipeline.jira import custom_fields, mapping
from prpipeline.jira.client import Client, Json, Parameters, objects
from prpipeline.jira.custom_fields import CustomFields
from prpipeline.model.failures import (
    AccessDenied,
    ApiFailure,
    BadCredentials,
    MalformedRecord,
    NotFound,
    RequestRejected,
)
from prpipeline.model.jira import JiraAccount, JiraIssue, JiraProject, JiraStatus
from prpipeline.model.usage import Usage
from prpipeline.settings import JiraOptions

T = TypeVar("T")


class Source:
    """The common half of ``CloudSource`` and ``DataCenterSource``. One thread at a time."""

    ROOT = ""
    edition = ""

    def __init__(self, client: Client, options: JiraOptions, site: str) -> None:
        """``site``: where people open issues, and what the data are of."""
        self._client = client
        self._options = options
        self.site = site

    @property
    def usage(self) -> Usage:
        return self._client.caller.usage

    def before_waits(self, note: Callable[[float], None] | None) -> None:
        self._client.caller.before_wait = note

    def stop(self) -> None:
        self._client.caller.stop()

    def close(self) -> None:
        self._client.caller.close()

    def account(self) -> JiraAccount:
        """Who asks. Raises BadCredentials where Jira does not say, or the account may do nothing."""

        def read(body: Json, _: Answer) -> JiraAccount:
            account_id = body.get("accountId") or body.get("key") or body.get("name")
            if not isinstance(account_id, str) or not account_id:
                raise MalformedRecord("the account has no id")
            name, zone = body.get("displayName"), body.get("timeZone")
            return JiraAccount(
                account_id,
                name if isinstance(name, str) else None,
                zone if isinstance(zone, str) else None,
                body.get("active") is not False,
            )

        found = self._client.get(f"{self.ROOT}/myself", read)
        if not found.is_active:
            raise BadCredentials(
                "The account of the token is deactivated; use a token of another account, or have it activated."
            )
        return found

    @cached_property
    def custom(self) -> CustomFields:
        """The custom fields that hold points, sprints and epics."""
        fields = self._client.get(f"{self.ROOT}/field", lambda body, _: objects(body, "fields"))
        return custom_fields.find(fields, self._options)

    def statuses(self) -> list[JiraStatus]:
        """All statuses of the site, as they are today."""
        return self._client.get(
            f"{self.ROOT}/status", lambda body, _: mapping.statuses(objects(body, "statuses"))
        )

    def _paged(self, path: str, read: Callable[[Json], T], parameters: Parameters, size: int) -> list[T]:
        """All rows of a list that is paged by position."""
        found: list[T] = []
        position, is_last = 0, False
        while not is_last:
            start = position

            def page(body: Json, _: Answer, start: int = start) -> tuple[list[T], int, bool]:
                rows, total = objects(body.get("values"), "values"), body.get("total")
                end = start + len(rows)
                is_over = end >= total if isinstance(total, int) else body.get("isLast") is True
                return [read(row) for row in rows], end, is_over or not rows

            asked = [("startAt", start), ("maxResults", size), *parameters]
            rows, position, is_last = self._client.get(self.ROOT + path, page, asked)
            found += rows
        return found

    # ── projects ─────────────────────────────────────────────────────────────────────────────────────

    def projects(self) -> list[JiraProject]:
        """The projects whose issues the account may browse."""
        raise NotImplementedError

    def _listed(self, entries: Sequence[str]) -> Iterable[JiraProject]:
        """Those of the projects that Jira lists."""
        raise NotImplementedError

    def find_projects(self, entries: Sequence[str]) -> dict[str, JiraProject | ApiFailure]:
        """Each of these keys (also former ones) or numbers, and why it cannot be read where it cannot."""
        found: dict[str, JiraProject | ApiFailure] = {}
        known: dict[str, JiraProject] = {}
        for project in self._listed(entries):
            for former in project.former_keys:
                known.setdefault(former.upper(), project)
            known[project.project_key.upper()] = known[str(project.project_id)] = project
        for entry in entries:
            found[entry] = known.get(entry) or self._unlisted(entry)
        return found

    def _unlisted(self, entry: str) -> JiraProject | ApiFailure:
        """A project that is not in the list: it may go by a former key, be archived, or not be shown at all."""
        try:
            project = self._client.get(
                f"{self.ROOT}/project/{entry}",
                lambda body, _: mapping.project(body),
                [("expand", "projectKeys")],
            )
        except (NotFound, RequestRejected):
            return NotFound(
                f"Jira shows no project {entry} to this account: check its key, or give the account Browse projects there."
            )
        except AccessDenied:
            return AccessDenied(
                f"The account may not browse the project {entry}; give it Browse projects there."
            )
        if project.is_archived:
            return AccessDenied(
                f"The project {entry} is archived, so that Jira lists none of its issues; those that were read stay. "
                "Restore it, or take it out of jira.projects."
            )
        return project

    def _issue(self, body: Json) -> JiraIssue:
        return mapping.issue(body, self.custom, self.site)

    def _read_each(
        self, bodies: Iterable[Json], whole: Mapping[int, Sequence[Json]]
    ) -> Iterator[tuple[int, JiraIssue | str]]:
        """Each issue, with the changelog in ``whole`` where there is one, or what cannot be right about it."""
        for body in bodies:
            issue_id = mapping.number(body, "id")
            try:
                found = self._issue(body)
                if issue_id in whole:
                    found = mapping.with_changes(found, whole[issue_id], self.custom)
                yield issue_id, found
            except MalformedRecord as error:
                yield issue_id, f"{body.get('key') or issue_id}: {error}"
            except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
                yield issue_id, f"{body.get('key') or issue_id} is not shaped as Jira's schema promises"


def instant(moment: datetime) -> int:
    """A naive UTC time in milliseconds, floored to the minute: JQL's own texts are read in the account's time zone."""
    return int(moment.replace(second=0, microsecond=0, tzinfo=UTC).timestamp()) * 1000
