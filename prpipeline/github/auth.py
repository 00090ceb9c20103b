"""Credentials: a personal token, a GitHub App's installation, or none. Holds secrets; shows none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

import requests

from prpipeline.github.fields import time as parse_time
from prpipeline.github.protocol import check_status
from prpipeline.http.answer import Answer
from prpipeline.http.signing import BearerAuth
from prpipeline.http.transport import Transport
from prpipeline.model import redaction
from prpipeline.model.failures import (
    AccessDenied,
    BadCredentials,
    MalformedAnswer,
    MalformedRecord,
    NotFound,
    PermanentFailure,
    ServerTrouble,
    TooExpensive,
)
from prpipeline.settings import GitHubApp, SecretStr

_REFRESH_BEFORE = timedelta(minutes=10)
_JWT_SECONDS = 540  # GitHub allows ten minutes
_JWT_HEADERS = {"Accept": "application/vnd.github+json", "User-Agent": "prpipeline"}


class Credential(Protocol):
    """Who asks."""

    @property
    def name(self) -> str:
        """What to call it in logs; no secret."""

    def scope(self, repository: str | None) -> str:
        """Repositories (``owner/name``) of the same scope may share a request and share an allowance."""

    def auth(self, transport: Transport, repository: str | None, now: datetime) -> requests.auth.AuthBase:
        """What signs a request for this repository; ``now`` is GitHub's clock."""

    def renew(self) -> bool:
        """After a 401: drop what was cached; whether trying again makes sense."""


class TokenCredential:
    """A personal access token, classic or fine-grained, or one that a workflow was given."""

    def __init__(self, token: SecretStr, name: str = "token") -> None:
        redaction.hold(token.get_secret_value())
        self._token = token
        self.name = name

    def scope(self, repository: str | None) -> str:
        return ""

    def auth(self, transport: Transport, repository: str | None, now: datetime) -> requests.auth.AuthBase:
        return BearerAuth(self._token.get_secret_value())

    def renew(self) -> bool:
        return False


class Anonymous:
    """No credential: public repositories, by REST, 60 requests an hour."""

    name = "anonymous"

    def scope(self, repository: str | None) -> str:
        return ""

    def auth(self, transport: Transport, repository: str | None, now: datetime) -> requests.auth.AuthBase:
        return BearerAuth(None)

    def renew(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _InstallationToken:
    token: SecretStr
    expires_at: datetime


class AppCredential:
    """A GitHub App: signs in as the installation on the account that owns the repository."""

    def __init__(self, app: GitHubApp, api_url: str, name: str | None = None) -> None:
        redaction.hold(app.private_key.get_secret_value())
        self._app = app
        self._api_url = api_url
        self._installations: dict[str, int] = {}  # by owner
        self._tokens: dict[int, _InstallationToken] = {}
        self.name = name or f"App {app.app_id}"

    def scope(self, repository: str | None) -> str:
        if self._app.installation_id is not None or repository is None:
            return ""
        return repository.partition("/")[0].lower()

    def auth(self, transport: Transport, repository: str | None, now: datetime) -> requests.auth.AuthBase:
        installation = self._installation(transport, repository, now)
        held = self._tokens.get(installation)
        if held is None or held.expires_at - now < _REFRESH_BEFORE:
            held = self._tokens[installation] = self._new_token(transport, installation, now)
        return BearerAuth(held.token.get_secret_value())

    def renew(self) -> bool:
        self._tokens.clear()
        return True

    def _installation(self, transport: Transport, repository: str | None, now: datetime) -> int:
        if self._app.installation_id is not None:
            return self._app.installation_id
        if repository is None:
            raise PermanentFailure(
                "It is not known which installation of the GitHub App to use; set GITHUB_APP_INSTALLATION_ID."
            )
        owner = self.scope(repository)
        if owner not in self._installations:
            # A name without a repository is an owner of whom all repositories are asked; GitHub finds
            # organisations under /users, too.
            is_owner = "/" not in repository
            path = f"/users/{quote(owner)}/installation" if is_owner else f"/repos/{repository}/installation"
            try:
                body = self._as_app(transport, "GET", path, now)
            except NotFound:
                raise NotFound(
                    f"The GitHub App {self._app.app_id} is not installed for {repository}, or there is no such "
                    "repository; install the App on it, with read access to Pull requests and Metadata."
                ) from None
            self._installations[owner] = _field(body, "id", int)
        return self._installations[owner]

    def _new_token(self, transport: Transport, installation: int, now: datetime) -> _InstallationToken:
        body = self._as_app(transport, "POST", f"/app/installations/{installation}/access_tokens", now)
        granted = body.get("permissions")
        if isinstance(granted, dict) and "pull_requests" not in granted:
            raise AccessDenied(
                f"The GitHub App {self._app.app_id} lacks a permission: Pull requests: read; add it in the App's settings "
                "and have the installation accept it."
            )
        token = _field(body, "token", str)
        redaction.hold(token)
        try:
            return _InstallationToken(SecretStr(token), parse_time(_field(body, "expires_at", str)))
        except MalformedRecord as error:
            raise MalformedAnswer(f"GitHub's installation token: {error}.") from None

    def _as_app(self, transport: Transport, method: str, path: str, now: datetime) -> dict[str, Any]:
        answer = self._send(transport, method, path, now)
        if answer.status == 401 and abs(answer.server_time - now) > timedelta(seconds=30):
            # GitHub refuses a signature from what it takes for another time than now: use its own clock.
            answer = self._send(transport, method, path, answer.server_time)
        try:
            check_status(answer)
        except BadCredentials:
            raise BadCredentials(
                f"GitHub does not accept the key of the App {self._app.app_id} (401); check GITHUB_APP_ID and "
                "GITHUB_APP_PRIVATE_KEY_PATH, and this machine's clock."
            ) from None
        except TooExpensive as trouble:
            raise ServerTrouble(str(trouble)) from None
        body = answer.json()
        if not isinstance(body, dict):
            raise MalformedAnswer("GitHub's answer to the App is not what it promises.")
        return body

    def _send(self, transport: Transport, method: str, path: str, now: datetime) -> Answer:
        auth = BearerAuth(self._signed(now))
        return transport.send(method, self._api_url + path, headers=_JWT_HEADERS, auth=auth)

    def _signed(self, now: datetime) -> str:
        try:
            import jwt
        except ImportError:
            raise PermanentFailure(
                "To sign in as a GitHub App, install prpipeline[app]: pip install 'prpipeline[app]'."
            ) from None
        seconds = int((now - datetime(1970, 1, 1)).total_seconds())
        claims = {"iat": seconds - 60, "exp": seconds + _JWT_SECONDS, "iss": self._app.app_id}
        try:
            return jwt.encode(claims, self._app.private_key.get_secret_value(), algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError, NotImplementedError):
            raise BadCredentials(
                "The GitHub App's private key cannot be read; point GITHUB_APP_PRIVATE_KEY_PATH at the .pem file as "
                "GitHub gave it."
            ) from None


def _field(body: dict[str, Any], name: str, kind: type[Any]) -> Any:
    value = body.get(name)
    if not isinstance(value, kind):
        raise MalformedAnswer(f"GitHub's answer to the App lacks {name}.")
    return value
