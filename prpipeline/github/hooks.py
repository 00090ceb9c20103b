"""Sets up webhooks by GitHub's REST API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from prpipeline.github import fields
from prpipeline.github.client import Client
from prpipeline.github.protocol import Unprocessable
from prpipeline.github.rest_lists import RestLists
from prpipeline.github.rest_objects import body_of
from prpipeline.github.webhooks import EVENTS
from prpipeline.http.answer import Answer
from prpipeline.model.failures import NotFound
from prpipeline.settings import SecretStr

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Installed:
    """A hook that delivers."""

    hook_id: int
    is_new: bool


class Hooks:
    """The webhooks of an organisation, or of a repository (``owner/name``)."""

    def __init__(self, client: Client, target: str) -> None:
        self._client, self._target = client, target
        kind = "repos" if "/" in target else "orgs"
        self._path = f"/{kind}/{target}/hooks"

    def install(self, url: str, secret: SecretStr) -> Installed:
        """Create the hook that delivers to an address, or mend the one that does. Raises ApiFailure."""
        try:
            if (found := self._delivering_to(url)) is not None:
                return self._mended(found, url, secret)
            body = {"name": "web", **_wanted(url, secret)}
            try:
                hook_id = self._client.write("POST", self._path, body, read=_id, repository=self._target)
            except Unprocessable:
                # Another process, or an attempt whose answer was lost, made it.
                if (found := self._delivering_to(url)) is None:
                    raise
                return self._mended(found, url, secret)
            return Installed(hook_id, is_new=True)
        except NotFound:
            raise NotFound(self._not_shown()) from None

    def _mended(self, hook_id: int, url: str, secret: SecretStr) -> Installed:
        path = f"{self._path}/{hook_id}"
        self._client.write("PATCH", path, _wanted(url, secret), read=_id, repository=self._target)
        return Installed(hook_id, is_new=False)

    def _delivering_to(self, url: str) -> int | None:
        """The first hook that delivers there."""
        for hook in RestLists(self._client).items(self._path, {}, self._target, _checked):
            if _same(_url_of(hook), url):
                return fields.integer(hook, "id")
        return None

    def _not_shown(self) -> str:
        if "/" in self._target:
            return (
                f"GitHub shows no webhooks of {self._target}: the token does not administer it (classic: scope "
                "admin:repo_hook; fine-grained: Webhooks, read and write), or there is no such repository."
            )
        return (
            f"GitHub shows no webhooks of {self._target}: the token is not of an owner of the organisation (classic: scope "
            "admin:org_hook), or it is no organisation; for a user's repositories, install OWNER/NAME for each."
        )


def _wanted(url: str, secret: SecretStr) -> dict[str, Any]:
    return {
        "active": True,
        "events": list(EVENTS),
        "config": {
            "url": url,
            "content_type": "json",
            "secret": secret.get_secret_value(),
            "insecure_ssl": "0",
        },
    }


def _id(answer: Answer) -> int:
    return fields.integer(body_of(answer), "id")


def _checked(hook: Json) -> object:
    return fields.integer(hook, "id"), hook["config"]


def _url_of(hook: Json) -> str:
    config = hook.get("config")
    return str(config.get("url", "")) if isinstance(config, Mapping) else ""


def _same(one: str, other: str) -> bool:
    """Whether two addresses are one place: upper and lower case of a host are equal, as is a slash at the end."""
    try:
        return _place(one) == _place(other)
    except ValueError:
        return False


def _place(url: str) -> tuple[object, ...]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port, parts.path.rstrip("/"), parts.query
