"""Webhooks: who subscribed to what, a signed delivery for each change of the world, and GitHub's API of them.

Deliveries are sent by a thread, in the order of the changes, once each: GitHub does not try again.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import queue
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from prpipeline.sandbox.clock import iso
from prpipeline.sandbox.github import rest_objects as objects
from prpipeline.sandbox.github.model import Actor, PullRequest, Repository, Review
from prpipeline.sandbox.github.world import World

MOST_HOOKS = 20
TIMEOUT = 10.0

# What each change is called in deliveries; of a review the event is another one.
_PULL_REQUEST = {
    "open_pull_request": "opened",
    "close": "closed",
    "merge": "closed",
    "reopen": "reopened",
    "ready_for_review": "ready_for_review",
    "convert_to_draft": "converted_to_draft",
    "request_review": "review_requested",
    "remove_review_request": "review_request_removed",
    "push": "synchronize",
    "force_push": "synchronize",
    "edit_title": "edited",
    "edit_body": "edited",
    "label": "labeled",
    "unlabel": "unlabeled",
    "set_milestone": "milestoned",
}
_REVIEW = {
    "review": "submitted",
    "submit_review": "submitted",
    "dismiss_review": "dismissed",
    "edit_review": "edited",
}
_REPOSITORY = {
    "rename_repository": "renamed",
    "transfer_repository": "transferred",
    "set_private": "privatized",
    "delete_repository": "deleted",
}


@dataclass
class Hook:
    """A webhook of an organisation or a repository (`owner/name`)."""

    id: int
    target: str
    url: str
    secret: str | None
    events: list[str]
    content_type: str = "form"  # GitHub's default
    insecure_ssl: str = "0"
    active: bool = True

    @property
    def is_of_organization(self) -> bool:
        return "/" not in self.target


@dataclass(frozen=True)
class Delivered:
    """A delivery, sent or about to be; `headers` as GitHub sends them."""

    hook: Hook
    guid: str
    event: str
    action: str | None
    body: bytes
    headers: dict[str, str] = field(repr=False)


class Hooks:
    """The webhooks of a world. `is_sending` off: deliveries are only kept in `deliveries`, for a test to send."""

    def __init__(self, world: World, base: Callable[[], str]) -> None:
        self.world = world
        self.hooks: dict[int, Hook] = {}
        self.deliveries: list[Delivered] = []
        self.answers: list[tuple[str, int]] = []  # GUID and status, 0 where none came
        self.is_sending = True
        self._base = base
        self._next = 292_430_182
        self._queue: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
        self._sender: threading.Thread | None = None

    def add(self, target: str, url: str, secret: str | None, events: list[str], **config: Any) -> Hook:
        """Add a hook, which GitHub tells by a ping."""
        hook = Hook(self._next, target, url, secret, events, **config)
        self._next += 1
        self.hooks[hook.id] = hook
        self.world.on_change = self._changed
        about: dict[str, Any] = {
            "hook_id": hook.id,
            "hook": shown(hook, self._base()),
            "zen": "Keep it simple.",
        }
        self._deliver(hook, "ping", None, about)
        return hook

    def remove(self, hook: Hook) -> None:
        """Remove a hook; those that subscribed to `meta` are told."""
        del self.hooks[hook.id]
        if "meta" in hook.events:
            self._deliver(hook, "meta", "deleted", {"hook_id": hook.id, "hook": shown(hook, self._base())})

    def tell(self, event: str, action: str | None, repository: Repository, payload: dict[str, Any]) -> None:
        """Deliver to every hook that this is for."""
        payload = {"repository": objects.repository(repository, self._base()), **payload}
        for hook in list(self.hooks.values()):
            wants = hook.active and ("*" in hook.events or event in hook.events)
            if hook.target.lower() not in {repository.full_name.lower(), repository.owner.login.lower()}:
                continue
            if wants and (hook.is_of_organization or (event, action) != ("repository", "deleted")):
                self._deliver(hook, event, action, payload)

    def _changed(self, name: str, about: object, result: object) -> None:
        if (isinstance(result, Review) and name == "review") or isinstance(result, PullRequest):
            about = result
        if name in _REPOSITORY:
            found = about if isinstance(about, Repository) else result
            if not isinstance(found, Repository) and isinstance(about, str):
                found = self.world.find_repository(about)
            if isinstance(found, Repository):
                action = _REPOSITORY[name]
                self.tell(
                    "repository",
                    "publicized" if name == "set_private" and not found.private else action,
                    found,
                    {},
                )
        elif name in _REVIEW and isinstance(about, Review):
            if about.submitted_at is not None:
                self._of_review(_REVIEW[name], about)
        elif name in _PULL_REQUEST and isinstance(about, PullRequest):
            self._of_pull_request(_PULL_REQUEST[name], about)

    def _of_pull_request(self, action: str, pull_request: PullRequest) -> None:
        body = objects.pull_request(pull_request, self._base(), detailed=True)
        payload: dict[str, Any] = {"number": pull_request.number, "pull_request": body}
        if action.startswith("review_request"):
            who = next(e.requested_reviewer for e in reversed(pull_request.events) if e.requested_reviewer)
            key = "requested_reviewer" if isinstance(who, Actor) else "requested_team"
            payload[key] = (
                objects.user(who, self._base()) if isinstance(who, Actor) else objects.team(who, self._base())
            )
        self.tell("pull_request", action, pull_request.repository, payload)

    def _of_review(self, action: str, review: Review) -> None:
        """Its pull request is reduced, and its state in lower case."""
        pull_request = objects.pull_request(review.pull_request, self._base(), detailed=False)
        body = objects.review(review, self._base())
        body["state"] = str(body["state"]).lower()
        self.tell(
            "pull_request_review",
            action,
            review.pull_request.repository,
            {"review": body, "pull_request": pull_request},
        )

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────

    def _deliver(self, hook: Hook, event: str, action: str | None, payload: dict[str, Any]) -> None:
        content = payload if action is None else {"action": action, **payload}
        body = json.dumps(content, ensure_ascii=False).encode()
        guid = str(uuid.uuid4())
        headers = {
            "User-Agent": "GitHub-Hookshot/044aadd",
            "Content-Type": "application/json"
            if hook.content_type == "json"
            else "application/x-www-form-urlencoded",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": guid,
            "X-GitHub-Hook-ID": str(hook.id),
            "X-GitHub-Hook-Installation-Target-Type": "organization"
            if hook.is_of_organization
            else "repository",
        }
        if hook.secret:
            digest = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature-256"] = f"sha256={digest}"
        delivery = Delivered(hook, guid, event, action, body, headers)
        self.deliveries.append(delivery)
        if self.is_sending:
            if self._sender is None:
                self._sender = threading.Thread(target=self._send_all, name="hooks", daemon=True)
                self._sender.start()
            self._queue.put(delivery)

    def _send_all(self) -> None:
        while True:
            delivery = self._queue.get()
            self.answers.append((delivery.guid, self.send(delivery)))

    @staticmethod
    def send(delivery: Delivered) -> int:
        """Send one, again perhaps; the status of the answer, 0 where none came."""
        parts = urlsplit(delivery.hook.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            connection.request("POST", parts.path or "/", delivery.body, delivery.headers)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


def shown(hook: Hook, base: str) -> dict[str, Any]:
    """A hook as the API shows it: without its secret."""
    kind = "orgs" if hook.is_of_organization else "repos"
    config = {"url": hook.url, "content_type": hook.content_type, "insecure_ssl": hook.insecure_ssl}
    return {
        "type": "Organization" if hook.is_of_organization else "Repository",
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": hook.events,
        "config": config | ({"secret": "********"} if hook.secret else {}),
        "updated_at": iso(None),
        "created_at": iso(None),
        "url": f"{base}/{kind}/{hook.target}/hooks/{hook.id}",
    }
