"""Keeps secrets out of everything that is written: by pattern, and by value for those we hold."""

from __future__ import annotations

import re

# Installation tokens carry dots and dashes since 2026; private keys and JWTs belong to GitHub Apps.
_PATTERNS = re.compile(
    r"gh[pousr]_[A-Za-z0-9._-]{16,}"
    r"|github_pat_\w{16,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    re.DOTALL,
)
_AUTHORIZATION = re.compile(
    r"(authorization['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|token|basic)\s+)?[^\s'\",]+", re.IGNORECASE
)


def redact(text: str, *secrets: str) -> str:
    """``text`` with each of ``secrets``, and whatever looks like a credential, replaced by ``***``."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _AUTHORIZATION.sub(r"\1***", _PATTERNS.sub("***", text))
