"""Deliveries of GitHub's webhooks: is one signed with our secret, and what does it tell. Pure; shows and keeps no content."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

from prpipeline.github import fields
from prpipeline.model.deliveries import Notice
from prpipeline.model.failures import MalformedRecord

NEEDED_EVENTS = ("pull_request", "pull_request_review", "repository")
"""The events without which changes are announced late or not at all."""

EVENTS = (*NEEDED_EVENTS, "meta")
"""What a hook of ours subscribes to. Comments of reviews come in bursts, and the review itself is told anyway."""

_ROSTER = frozenset({"installation", "installation_repositories", "installation_target"})
_SIGNATURE = re.compile(rb"sha256=[0-9a-f]{64}")

Json = Mapping[str, Any]


class Signature:
    """Checks the signature (``X-Hub-Signature-256``) of a body that arrives in pieces, against each of our secrets."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._macs = [hmac.new(secret, digestmod=hashlib.sha256) for secret in secrets]

    def update(self, piece: bytes) -> None:
        """Take the next piece of the body, as it came."""
        for mac in self._macs:
            mac.update(piece)

    def is_valid(self, header: bytes | None) -> bool:
        """Whether one of the secrets signed the body. All are compared, in constant time."""
        if header is None or not _SIGNATURE.fullmatch(header):
            return False
        given = header.removeprefix(b"sha256=")
        return any(hmac.compare_digest(mac.hexdigest().encode(), given) for mac in self._macs)


def signed(secret: bytes, body: bytes) -> str:
    """The header's value for a body."""
    return f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"


def read(event: str, payload: Json) -> Notice:
    """What a delivery tells. Raises MalformedRecord where GitHub would not have sent it.

    New events and actions appear without notice: of what has a pull request we look at that, and pass over the rest.
    """
    action = payload.get("action")
    action = action if isinstance(action, str) and action.isascii() and action.isprintable() else None
    if event == "ping":
        return Notice("ping", event, hook_id=_hook_id(payload), problem=_wrong_with(payload.get("hook")))
    if event == "meta":
        kind: Any = "hook_deleted" if action == "deleted" else "other"
        return Notice(kind, event, action, hook_id=_hook_id(payload))
    if event in _ROSTER:
        return Notice("roster", event, action, repositories=_concerned(event, action, payload))
    if isinstance(payload.get("pull_request"), Mapping):
        return _of_pull_request(event, action, payload)
    if event == "repository":
        return Notice("repository", event, action, repository_id=_id(payload, "repository"))
    return Notice("other", event, action)


def _of_pull_request(event: str, action: str | None, payload: Json) -> Notice:
    body = payload["pull_request"]
    return Notice(
        "pull_request",
        event,
        action,
        repository_id=_id(payload, "repository"),
        pull_request_id=fields.integer(body, "id"),
        number=fields.integer(body, "number"),
        node_id=fields.text(body.get("node_id")),
        updated_at=fields.time(body.get("updated_at")),
    )


def tells_of_review(event: str) -> bool:
    """Whether it tells of a review, which may change (by a dismissal or an edit) and move no time of its pull request."""
    return event.startswith("pull_request_review")


def _id(payload: Json, name: str) -> int:
    found = payload.get(name)
    if not isinstance(found, Mapping):
        raise MalformedRecord(f"{name} is missing")
    return fields.integer(found, "id")


def _hook_id(payload: Json) -> int | None:
    return fields.optional_integer(payload, "hook_id")


def _concerned(event: str, action: str | None, payload: Json) -> tuple[int, ...] | None:
    """The ids of the repositories that are named; None where none are, so that it may be any."""
    names = ("repositories_added", "repositories_removed", "repositories")
    lists = [found for name in names if isinstance(found := payload.get(name), list)]
    if event == "installation_target" or not lists:
        return None
    return tuple(
        sorted({fields.integer(each, "id") for found in lists for each in found if isinstance(each, Mapping)})
    )


def _wrong_with(hook: object) -> str:
    """What is wrong with the hook that a ping shows; empty if nothing is."""
    if not isinstance(hook, Mapping):
        return ""
    wrong = []
    events = hook.get("events")
    subscribed = set(map(str, events)) if isinstance(events, list) else {"*"}
    if "*" not in subscribed and (missing := [event for event in NEEDED_EVENTS if event not in subscribed]):
        wrong.append(f"it is not subscribed to {', '.join(missing)}")
    config = hook.get("config")
    if isinstance(config, Mapping):
        if config.get("content_type") not in {None, "json"}:
            wrong.append("its content type is not application/json")
        if str(config.get("insecure_ssl", "0")) != "0":
            wrong.append("it does not verify TLS certificates")
    if hook.get("active") is False:
        wrong.append("it is not active")
    return " and ".join(wrong)
