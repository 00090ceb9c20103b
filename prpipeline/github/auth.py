"""Credentials: a personal token, a GitHub App's installation, or none. Holds secrets; shows none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import requests
from pydantic import SecretStr

from prpipeline.github.transport import Transport


class Credential(Protocol):
    """Who we are on a lane."""

    @property
    def name(self) -> str:
        """What to call it in logs; no secret."""

    def auth(self, transport: Transport, repository: str | None) -> requests.auth.AuthBase:
        """What signs a request for this repository (``owner/name``)."""

    def renew(self) -> bool:
        """After a 401: drop what was cached; whether trying again makes sense."""


class BearerAuth(requests.auth.AuthBase):
    """Sets the header itself: left to its own, requests prefers what stands in ``~/.netrc``."""

    def __init__(self, header: str | None) -> None:
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._header:
            request.headers["Authorization"] = self._header
        return request


class TokenCredential:
    """A personal access token, classic or fine-grained, or one that a workflow was given."""

    def __init__(self, token: SecretStr, name: str = "token") -> None:
        self._token = token
        self.name = name

    def auth(self, transport: Transport, repository: str | None) -> requests.auth.AuthBase:
        return BearerAuth(f"Bearer {self._token.get_secret_value()}")

    def renew(self) -> bool:
        return False


class Anonymous:
    """No credential: public repositories, by REST, 60 requests an hour."""

    name = "anonymous"

    def auth(self, transport: Transport, repository: str | None) -> requests.auth.AuthBase:
        return BearerAuth(None)

    def renew(self) -> bool:
        return False


Now = Callable[[], float]
