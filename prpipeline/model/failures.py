"""What can go wrong between us and GitHub, as types.

    ApiFailure
    ├── PermanentFailure        asking again brings the same answer
    │   ├── BadCredentials      the token is wrong, expired or revoked
    │   ├── AccessDenied        the token may not see this, or lacks a permission
    │   │   └── TeamsDenied     only the names of teams
    │   ├── NotFound            no such repository, or none that the token may see
    │   └── RequestRejected     GitHub does not understand the request
    └── TransientFailure        asking again may help
        ├── NetworkTrouble      no complete answer arrived
        ├── ServerTrouble       GitHub says that it is in trouble
        ├── MalformedAnswer     an answer that is not what GitHub promises
        ├── TooExpensive        the query was too much; a smaller one may do
        │   └── Overloaded      or GitHub as a whole is in trouble: it answered 502, 503 or 504
        ├── CursorRejected      a position that GitHub no longer knows; start that walk over
        └── LimitReached        the rate limit; `resume_at` says until when

Messages are one sentence, without secrets, fit to be shown to a person.
"""

from __future__ import annotations

from datetime import datetime

from prpipeline.model.redaction import redact


class ApiFailure(Exception):
    """Anything that kept GitHub's answer from us."""

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))  # GitHub's own words may repeat what it was sent


class PermanentFailure(ApiFailure):
    """Asking again brings the same answer."""


class BadCredentials(PermanentFailure):
    """The token is wrong, expired or revoked."""


class AccessDenied(PermanentFailure):
    """The token may not see this."""


class TeamsDenied(AccessDenied):
    """Only the names of teams are denied; asking without them gets the rest."""


class NotFound(PermanentFailure):
    """GitHub shows no such thing to this token."""


class RequestRejected(PermanentFailure):
    """GitHub does not understand the request."""


class TransientFailure(ApiFailure):
    """Asking again may help."""


class NetworkTrouble(TransientFailure):
    """No complete answer arrived."""


class ServerTrouble(TransientFailure):
    """GitHub says that it is in trouble."""


class MalformedAnswer(TransientFailure):
    """An answer that is not what GitHub promises; never taken for data."""


class TooExpensive(TransientFailure):
    """The query was too much at once."""


class Overloaded(TooExpensive):
    """The query took too long, or GitHub as a whole is in trouble."""


class CursorRejected(TransientFailure):
    """A position in a list that GitHub no longer knows."""


class LimitReached(TransientFailure):
    """A rate limit; sending is allowed again at ``resume_at`` (UTC). ``too_long``: nobody will wait for that."""

    def __init__(
        self, message: str, resume_at: datetime, *, secondary: bool = False, too_long: bool = False
    ) -> None:
        super().__init__(message)
        self.resume_at = resume_at
        self.secondary = secondary
        self.too_long = too_long
