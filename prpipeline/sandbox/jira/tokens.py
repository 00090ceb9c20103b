"""Who may ask what, where: tokens with and without scopes, personal ones, OAuth's that rotate."""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from prpipeline.sandbox.jira.model import User
from prpipeline.sandbox.messages import Request

Kind = Literal["unscoped", "scoped", "personal", "oauth"]
ALL_SCOPES = frozenset({"read:jira-work", "read:jira-user"})


@dataclass
class Token:
    """``email``: the other half of Basic. ``hidden_projects``: numbers of projects that its account may not browse."""

    token: str
    user: User
    kind: Kind = "unscoped"
    email: str = "reader@example.com"
    scopes: frozenset[str] = ALL_SCOPES
    expires_at: datetime | None = None
    is_revoked: bool = False

    def is_valid(self, now: datetime) -> bool:
        return not self.is_revoked and (self.expires_at is None or now < self.expires_at)


@dataclass
class OAuthApp:
    """``refresh_token``: the only one that is good now; each use brings another."""

    client_id: str
    client_secret: str
    refresh_token: str
    user: User
    site_urls: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def rotate(self, now: datetime) -> tuple[Token, str]:
        """A new access token, and the new refresh token."""
        self.used.append(self.refresh_token)
        number = next(self._numbers)
        self.refresh_token = f"rotated-refresh-token-{number}"
        access = f"oauth-access-token-{number}"
        return Token(access, self.user, "oauth", expires_at=now + timedelta(hours=1)), self.refresh_token


def presented(request: Request) -> tuple[str | None, str | None]:
    """The user name and the secret of a request; Bearer has no user name."""
    scheme, _, value = (request.header("authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return None, value.strip()
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(value.encode(), validate=True).decode().partition(":")
        except ValueError:
            return None, None
        return name, secret
    return None, None
