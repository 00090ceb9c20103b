"""Whole pull requests by REST: one at a time, each with its reviews, its events and, where it is wanted, its first commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from prpipeline.github import mapping
from prpipeline.github import rest_objects as objects
from prpipeline.github.client import Client
from prpipeline.github.rest_lists import RestLists
from prpipeline.http.answer import Answer
from prpipeline.model.answers import Head, Repository
from prpipeline.model.failures import MalformedAnswer, NotFound, RequestRejected
from prpipeline.model.field_sets import FIELD_SET
from prpipeline.model.pull_requests import PullRequest

T = TypeVar("T")


class RestPullRequests:
    """Reads pull requests with one client."""

    def __init__(self, client: Client, lists: RestLists, *, reads_bodies: bool) -> None:
        self._client, self._lists, self._reads_bodies = client, lists, reads_bodies

    @property
    def reads_first_commits(self) -> bool:
        return self._client.caller.settings.first_commit_by_rest

    def read(self, repository: Repository, head: Head) -> PullRequest | None:
        """A pull request with its reviews and events; None if GitHub shows its repository, but not it. Raises ApiFailure.

        The pull request is read first: what happens to it meanwhile makes its children newer than itself, and
        the next probe sees that.
        """
        if head.number is None:
            raise RequestRejected("REST knows pull requests by number only.")
        name, path = repository.full_name, f"/repos/{repository.full_name}"

        def read(answer: Answer) -> tuple[PullRequest, Repository]:
            body = objects.body_of(answer)
            pull_request = mapping.pull_request_from_rest(body, with_body=self._reads_bodies)
            if pull_request.updated_at < head.updated_at:
                raise MalformedAnswer(f"GitHub lists a newer state of #{head.number} than it shows.")
            return pull_request, objects.base_repository(body) or repository

        try:
            pull_request, found = self._client.get(f"{path}/pulls/{head.number}", read=read, repository=name)
            reviews = self._children(f"{path}/pulls/{head.number}/reviews", name, mapping.review_from_rest)
            events = self._children(f"{path}/issues/{head.number}/timeline", name, mapping.event_from_rest)
            if self.reads_first_commits:
                first_commit_at = self._first_commit_at(f"{path}/pulls/{head.number}/commits", name)
                pull_request = replace(pull_request, first_commit_at=first_commit_at, field_set=FIELD_SET)
        except NotFound:
            # Raises where the repository, too, is not shown to us.
            found = self._client.get(
                path, read=lambda answer: objects.repository(objects.body_of(answer)), repository=name
            )
            if found.repository_id == repository.repository_id:
                return None
        if found.repository_id != repository.repository_id:
            raise NotFound(f"{name} is another repository now.")
        return pull_request.with_children(
            tuple({review.review_id: review for review in reviews}.values()),
            tuple({event.event_id: event for event in events}.values()),
        )

    def _first_commit_at(self, path: str, name: str) -> datetime | None:
        return self._client.get(
            path,
            {"per_page": 1},
            read=lambda answer: mapping.first_commit_from_rest(answer.json()),
            repository=name,
        )

    def _children(self, path: str, name: str, read: Callable[[objects.Json], T | None]) -> list[T]:
        items = self._lists.settled_items(path, {}, name, read)
        return [record for record in map(read, items) if record]
