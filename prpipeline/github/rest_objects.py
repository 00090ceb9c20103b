"""Reads REST objects. Inside a check, what does not fit raises, and the page is asked for again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from prpipeline.github import fields, mapping
from prpipeline.http.answer import Answer
from prpipeline.model.answers import Head, Outline, OwnedRepository, Repository
from prpipeline.model.failures import MalformedAnswer

Json = Mapping[str, Any]


def body_of(answer: Answer) -> Json:
    """The object that an answer is. Raises MalformedAnswer."""
    body = answer.json()
    if not isinstance(body, dict):
        raise MalformedAnswer("GitHub's answer is not the object that was asked for.")
    return body


def key(item: Json) -> str | int:
    """The id of an item of a list."""
    for name in ("node_id", "id", "sha"):
        if isinstance(found := item.get(name), (str, int)) and found:
            return found
    return json.dumps(item, sort_keys=True)


def repository(body: Json) -> Repository:
    return Repository(
        fields.integer(body, "id"), fields.string(body, "node_id"), fields.full_name(body, "full_name")
    )


def base_repository(pull_request: Json) -> Repository | None:
    """The repository that a pull request belongs to, where it says so."""
    found = pull_request["base"].get("repo")
    return repository(found) if found else None


def owned(body: Json) -> OwnedRepository:
    return OwnedRepository(
        fields.full_name(body, "full_name"), bool(body.get("archived")), bool(body.get("fork"))
    )


def head(body: Json) -> Head:
    return Head(
        fields.string(body, "node_id"), fields.time(body["updated_at"]), fields.integer(body, "number")
    )


def numbered(body: Json) -> tuple[int, Head]:
    return fields.integer(body, "number"), head(body)


def outline(body: Json) -> Outline:
    found = head(body)
    return Outline(
        found.node_id,
        fields.integer(body, "id"),
        found.updated_at,
        author=mapping.rest_actor(body["user"]),
        number=found.number,
    )
