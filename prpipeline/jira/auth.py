"""Credentials: an API token (Basic), a personal access token (Bearer), OAuth 2.0 by a refresh token. Shows no secret.

Refresh tokens of OAuth rotate: each use makes the old one invalid within ten minutes. So one process at a time
refreshes, under a lock beside the file, and writes the new token to the file before anybody uses it.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import requests
from filelock import FileLock
from requests.auth import HTTPBasicAuth

from prpipeline.http.signing import BearerAuth
from prpipeline.http.transport import Transport
from prpipeline.http.words import json_object
from prpipeline.jira.protocol import check_status, explanation
from prpipeline.model import redaction
from prpipeline.model.failures import BadCredentials, MalformedAnswer, PermanentFailure
from prpipeline.settings import JiraOAuth, JiraSettings

_REFRESH_BEFORE = timedelta(minutes=5)
_HEADERS = {"Accept": "application/json", "User-Agent": "prpipeline"}


class Credential(Protocol):
    """Who asks."""

    @property
    def name(self) -> str:
        """What to call it; no secret."""

    def auth(self, transport: Transport, now: datetime) -> requests.auth.AuthBase:
        """What signs a request; ``now`` is Jira's clock."""

    def renew(self) -> bool:
        """After a 401: drop what was cached; whether trying again makes sense."""


def credential(settings: JiraSettings) -> Credential:
    """The credential of the settings, which have one."""
    if settings.oauth is not None:
        return OAuthCredential(settings.oauth)
    assert settings.token is not None
    return TokenCredential(settings.token.get_secret_value(), settings.email)


class TokenCredential:
    """An API token with its account's e-mail address; without one, a personal access token."""

    def __init__(self, token: str, email: str | None) -> None:
        redaction.hold(token)
        if email:
            redaction.hold(email)
        self._auth = HTTPBasicAuth(email, token) if email else BearerAuth(token)
        self.name = "API token (JIRA_EMAIL, JIRA_TOKEN)" if email else "personal access token (JIRA_TOKEN)"

    def auth(self, transport: Transport, now: datetime) -> requests.auth.AuthBase:
        return self._auth

    def renew(self) -> bool:
        return False


class Stranger:
    """No credential, for the one question that needs none."""

    name = "none"

    def auth(self, transport: Transport, now: datetime) -> requests.auth.AuthBase:
        return BearerAuth(None)

    def renew(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _Tokens:
    """What the file holds; as the user brings it, the refresh token alone."""

    refresh_token: str
    access_token: str | None = None
    expires_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        return bool(self.access_token and self.expires_at and self.expires_at - now >= _REFRESH_BEFORE)


class OAuthCredential:
    """OAuth 2.0 (3LO), from the file with its refresh token."""

    name = "OAuth 2.0 (JIRA_OAUTH_TOKEN_FILE)"

    def __init__(self, oauth: JiraOAuth) -> None:
        redaction.hold(oauth.client_secret.get_secret_value())
        self._oauth = oauth
        self._tokens: _Tokens | None = None
        self._rejected: str | None = None

    def auth(self, transport: Transport, now: datetime) -> requests.auth.AuthBase:
        if self._tokens is None or not self._tokens.is_good(now):
            self._tokens = self._fresh(transport, now)
        return BearerAuth(self._tokens.access_token)

    def renew(self) -> bool:
        self._rejected = self._tokens.access_token if self._tokens else None
        self._tokens = None
        return True

    def _fresh(self, transport: Transport, now: datetime) -> _Tokens:
        path = self._oauth.token_file
        try:
            with FileLock(f"{path}.lock"):
                held = _read(path)  # anew: another process may have refreshed
                if held.is_good(now) and held.access_token != self._rejected:
                    return held
                fresh = self._refreshed(transport, held, now)
                _write(path, fresh)
                return fresh
        except OSError as error:
            raise PermanentFailure(
                f"JIRA_OAUTH_TOKEN_FILE: {path} cannot be read and written ({error.strerror or error}); it has to hold the "
                "refresh token, and is written anew at each use."
            ) from None

    def _refreshed(self, transport: Transport, held: _Tokens, now: datetime) -> _Tokens:
        answer = transport.send(
            "POST",
            f"{self._oauth.sign_in_url}/oauth/token",
            headers=_HEADERS,
            auth=BearerAuth(None),
            body={
                "grant_type": "refresh_token",
                "client_id": self._oauth.client_id,
                "client_secret": self._oauth.client_secret.get_secret_value(),
                "refresh_token": held.refresh_token,
            },
        )
        body = json_object(answer) or {}
        if answer.status in {400, 401, 403} and body:
            raise BadCredentials(
                f"Atlassian does not accept the refresh token ({answer.status}, {explanation(answer)}): it was used "
                "elsewhere, is over a year old, or was not used for 90 days. Authorise the app anew, and put the new refresh "
                f"token into {self._oauth.token_file}."
            )
        check_status(answer)
        access, seconds = body.get("access_token"), body.get("expires_in")
        if not isinstance(access, str) or not access:
            raise MalformedAnswer("Atlassian's answer to the refresh token has no access token.")
        rotated = body.get("refresh_token")
        refresh = rotated if isinstance(rotated, str) and rotated else held.refresh_token
        for secret in (access, refresh):
            redaction.hold(secret)
        is_known = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 < seconds < 1e7
        expires_at = now + timedelta(seconds=float(seconds)) if is_known and seconds else None
        return _Tokens(refresh, access, expires_at)


def _read(path: Path) -> _Tokens:
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    try:
        body = json.loads(text)
        tokens = _Tokens(
            body["refresh_token"],
            body.get("access_token"),
            datetime.fromisoformat(body["expires_at"]) if body.get("expires_at") else None,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        tokens = _Tokens(text)
    if not isinstance(tokens.refresh_token, str) or not tokens.refresh_token or " " in tokens.refresh_token:
        raise BadCredentials(f"JIRA_OAUTH_TOKEN_FILE: {path} holds no refresh token; put one in.")
    for secret in (tokens.refresh_token, tokens.access_token):
        redaction.hold(secret or "")
    return tokens


def _write(path: Path, tokens: _Tokens) -> None:
    """Replace the file in one step, readable by its owner alone."""
    content = {"refresh_token": tokens.refresh_token, "access_token": tokens.access_token}
    if tokens.expires_at:
        content["expires_at"] = tokens.expires_at.isoformat()
    number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
