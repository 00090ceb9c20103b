"""Removes secrets from everything that is written: our own by value, others by pattern."""

from __future__ import annotations

import logging
import re

_PRIVATE_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL
)
# Installation tokens have contained dots and dashes since 2026; JWTs belong to GitHub Apps, as private keys do.
_PATTERNS = re.compile(
    r"gh[pousr]_[A-Za-z0-9._-]{16,}"
    r"|github_pat_\w{16,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_AUTHORIZATION = re.compile(
    r"(authorization['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|token|basic)\s+)?[^\s'\",]+", re.IGNORECASE
)
_SHORTEST = 8  # a shorter value could be an ordinary word
_held: set[str] = set()


def hold(secret: str) -> None:
    """Redact this value from now on. Call it with every credential that is read."""
    if len(secret) >= _SHORTEST:
        _held.add(secret)


def redact(text: str) -> str:
    """``text`` with ``***`` for each of our secrets, and for everything that looks like a credential."""
    text = _PRIVATE_KEYS.sub("***", text)  # whole, before a line of one that is held by itself
    for secret in sorted(_held, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _AUTHORIZATION.sub(r"\1***", _PATTERNS.sub("***", text))


class RedactingFilter(logging.Filter):
    """Redacts the message, its arguments and a traceback; for a logger or a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # arguments do not match the message; logging reports that itself
            message = f"{record.msg} {record.args}"
        record.msg, record.args = redact(message), ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


# All our code logs to this logger, so every handler gets redacted text.
logging.getLogger("prpipeline").addFilter(RedactingFilter())
