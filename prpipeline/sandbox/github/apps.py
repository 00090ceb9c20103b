"""GitHub Apps: they sign a JWT with RS256 and get tokens for the accounts they are installed on.

The signature is checked with plain integers, so that this needs no library for cryptography; nothing is signed here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prpipeline.sandbox.clock import iso
from prpipeline.sandbox.github.limits import Credential
from prpipeline.sandbox.messages import ApiError

LONGEST_JWT = timedelta(minutes=10)
TOKEN_LIFE = timedelta(hours=1)
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


@dataclass
class Installation:
    """An App installed on an account, with access to all repositories or some."""

    id: int
    account: str
    repositories: Collection[str] | None = None
    missing_permissions: Collection[str] = ()
    tokens: list[Credential] = field(default_factory=list)


@dataclass
class App:
    """A GitHub App. `key` is its RSA key in PEM, public or private; `client_id` may sign as well as the id."""

    id: int
    key: str
    client_id: str = "Iv23liSandboxClient"
    slug: str = "review-times"
    installations: list[Installation] = field(default_factory=list)

    def check(self, jwt: str, now: datetime) -> bool:
        """Whether the JWT is this App's; raises ApiError if it is, but is not valid."""
        try:
            header, claims, signature = (_decoded(part) for part in jwt.split("."))
            algorithm, body = json.loads(header)["alg"], json.loads(claims)
        except (ValueError, KeyError, TypeError) as error:
            raise ApiError(401, "A JSON web token could not be decoded") from error
        if str(body.get("iss")) not in (str(self.id), self.client_id):
            return False
        signed = jwt.rpartition(".")[0].encode()
        if algorithm != "RS256" or not _verifies(self.key, signed, signature):
            raise ApiError(401, "A JSON web token could not be decoded")
        issued, expires, seconds = body.get("iat"), body.get("exp"), now.timestamp()
        if not isinstance(issued, int) or issued > seconds:
            raise ApiError(
                401,
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            )
        if not isinstance(expires, int) or expires <= seconds:
            raise ApiError(
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the "
                "assertion expires",
            )
        if expires > seconds + LONGEST_JWT.total_seconds():
            raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
        return True

    def new_token(self, installation: Installation, now: datetime) -> Credential:
        """A token for an hour; all of an installation's tokens share one budget."""
        credential = Credential(
            f"ghs_{self.id}_{secrets.token_urlsafe(48)}",
            login=f"{self.slug}[bot]",
            kind="installation",
            scopes=(),
            repositories=installation.repositories,
            missing_permissions=installation.missing_permissions,
            expires_at=now + TOKEN_LIFE,
        )
        if installation.tokens:
            credential.core, credential.graphql = installation.tokens[0].core, installation.tokens[0].graphql
        installation.tokens.append(credential)
        return credential

    def describe(self) -> dict[str, Any]:
        """GET /app."""
        return {"id": self.id, "slug": self.slug, "client_id": self.client_id, "name": self.slug}

    def describe_installation(self, installation: Installation) -> dict[str, Any]:
        """An installation, as lists and look-ups show it."""
        selection = "all" if installation.repositories is None else "selected"
        return {
            "id": installation.id,
            "app_id": self.id,
            "app_slug": self.slug,
            "client_id": self.client_id,
            "account": {"login": installation.account},
            "repository_selection": selection,
            "target_type": "Organization",
            "suspended_at": None,
        }


def describe_token(credential: Credential) -> dict[str, Any]:
    """The answer that hands out an installation's token."""
    return {
        "token": credential.token,
        "expires_at": iso(credential.expires_at),
        "permissions": {"metadata": "read", "pull_requests": "read"},
        "repository_selection": "all" if credential.repositories is None else "selected",
    }


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _verifies(pem: str, message: bytes, signature: bytes) -> bool:
    """RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017 section 8.2.2."""
    modulus, exponent = _rsa_numbers(pem)
    size = (modulus.bit_length() + 7) // 8
    expected = b"\0\1" + b"\xff" * (size - 54) + b"\0" + SHA256_PREFIX + hashlib.sha256(message).digest()
    opened = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big")
    return len(signature) == size and opened == expected


def _rsa_numbers(pem: str) -> tuple[int, int]:
    """Modulus and public exponent of an RSA key in any of the usual PEM wrappings."""
    der = base64.b64decode(
        "".join(line for line in pem.splitlines() if line and not line.startswith("-----"))
    )
    numbers = [n for n in _integers(der) if n > 0]
    return numbers[0], numbers[1]


def _integers(der: bytes) -> list[int]:
    """All integers in a DER structure, those inside its octet and bit strings too, in order."""
    found: list[int] = []
    while der:
        tag, length, start = der[0], der[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[2:start], "big")
        content, der = der[start : start + length], der[start + length :]
        if tag == 0x02:
            found.append(int.from_bytes(content, "big", signed=True))
        elif tag in (0x30, 0x04):
            found += _integers(content)
        elif tag == 0x03:
            found += _integers(content[1:])
    return found
