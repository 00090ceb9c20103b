"""A world made of recorded REST answers: `pulls.jsonl.gz` (GET /pulls/{number}) and `reviews.jsonl.gz` in a folder.

What was not recorded is absent: there are no timeline events.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from prpipeline.sandbox.clock import Clock
from prpipeline.sandbox.github.model import Actor, PullRequest, Repository, Review
from prpipeline.sandbox.github.world import World


def recorded_world(
    folder: str | Path, *, inferred_reviews: bool = False, clock: Clock | None = None
) -> World:
    """The world of a recording; reviews that its makers inferred from comments are left out by default."""
    return _Loader(World(clock), Path(folder)).load(inferred_reviews)


class _Loader:
    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.actors: dict[int, Actor] = {}

    def load(self, inferred_reviews: bool) -> World:
        by_number: dict[int, PullRequest] = {}
        for body in _lines(self.folder / "pulls.jsonl.gz"):
            pull_request = self._pull_request(body)
            by_number[pull_request.number] = pull_request
            self.world.adopt(pull_request)
        for body in _lines(self.folder / "reviews.jsonl.gz"):
            if inferred_reviews or not body.get("_inferred_from_comments"):
                pull_request = by_number[body["pull_number"]]
                pull_request.reviews.append(self._review(body, pull_request))
        for pull_request in by_number.values():
            pull_request.reviews.sort(key=lambda review: review.id)
        return self.world

    def _repository(self, body: dict[str, Any]) -> Repository:
        found = self.world.find_repository(body["full_name"])
        if found:
            return found
        self._actor(body["owner"])
        return self.world.add_repository(
            body["full_name"],
            private=body["private"],
            archived=body["archived"],
            fork=body["fork"],
            id=body["id"],
            node_id=body.get("node_id") or "",
            at=_moment(body["created_at"]),
        )

    def _actor(self, body: dict[str, Any] | None) -> Actor | None:
        if body is None:
            return None
        if body["id"] not in self.actors:
            login, called = body["login"], ""
            if body["type"] == "Bot":
                slug = body["html_url"].rpartition("/apps/")[2] or login.removesuffix("[bot]")
                login, called = slug, "" if login.endswith("[bot]") else login
            self.actors[body["id"]] = self.world.add_user(
                login, id=body["id"], kind=body["type"], node_id=body.get("node_id") or "", called=called
            )
        return self.actors[body["id"]]

    def _pull_request(self, body: dict[str, Any]) -> PullRequest:
        created = _moment(body["created_at"])
        assert created is not None
        merged = body.get("merged") or body["merged_at"] is not None
        return PullRequest(
            body["id"],
            self._repository(body["base"]["repo"]),
            body["number"],
            self._actor(body["user"]),
            body["title"],
            created,
            _moment(body["updated_at"]) or created,
            node_id=body.get("node_id") or "",
            state="MERGED" if merged else body["state"].upper(),
            is_draft=bool(body.get("draft")),
            closed_at=_moment(body["closed_at"]),
            merged_at=_moment(body["merged_at"]),
            merged_by=self._actor(body.get("merged_by")),
            association=body["author_association"],
            body=body.get("body") or "",
            base_ref=body["base"]["ref"],
            head_ref=body["head"]["ref"],
            head_oid=body["head"]["sha"],
            is_cross_repository=(body["head"].get("repo") or {}).get("id") != body["base"]["repo"]["id"],
            additions=body["additions"],
            deletions=body["deletions"],
            changed_files=body["changed_files"],
            commits=body["commits"],
            comments=body["comments"],
            review_comments=body["review_comments"],
            locked=body["locked"],
            is_fork_gone=body["head"].get("repo") is None,
            labels=[self.world.known_label(label["name"]) for label in body.get("labels") or ()],
            milestone=self.world.known_milestone((body.get("milestone") or {}).get("title")),
        )

    def _review(self, body: dict[str, Any], pull_request: PullRequest) -> Review:
        submitted = _moment(body.get("submitted_at"))
        moment = submitted or pull_request.updated_at
        return Review(
            body["id"],
            pull_request,
            self._actor(body["user"]),
            body["state"],
            moment,
            submitted,
            moment,
            recorded_node_id=body.get("node_id") or "",
            commit_oid=body.get("commit_id"),
            body=body.get("body") or "",
            association=body["author_association"],
        )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
