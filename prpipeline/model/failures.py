"""The failures of requests to an API, as types.

    ApiFailure
    ├── PermanentFailure        asking again brings the same answer
    │   ├── BadCredentials      the token is wrong, expired or revoked
    │   ├── AccessDenied        the token may not see this, or lacks a permission
    │   ├── NotFound            no such thing, or none that the token may see
    │   └── RequestRejected     the API does not understand the request
    └── TransientFailure        asking again may help
        ├── NetworkTrouble      no complete answer arrived
        ├── ServerTrouble       the server says that it is in trouble
        ├── MalformedAnswer     an answer that is not what the API promises
        ├── TooExpensive        the query was too much; a smaller one may do
        │   └── Overloaded      or the server as a whole is in trouble: it answered 502, 503 or 504
        ├── CursorRejected      a position that the API no longer knows; start that walk over
        └── MustWait            not now; `resume_at` says when to ask again
            ├── LimitReached    the rate limit
            └── UnexplainedRefusal  refused without a reason that is known to last

    Stopped                     the source was stopped; not a failure of the API

A message is one sentence for users, without secrets.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self, get_args

from prpipeline.model.redaction import redact

FailureKind = Literal[
    "AccessDenied",
    "ApiFailure",
    "BadCredentials",
    "CursorRejected",
    "LimitReached",
    "MalformedAnswer",
    "MustWait",
    "NetworkTrouble",
    "NotFound",
    "Overloaded",
    "PermanentFailure",
    "RequestRejected",
    "ServerTrouble",
    "TooExpensive",
    "TransientFailure",
    "UnexplainedRefusal",
]


class ApiFailure(Exception):
    """A request that got no usable answer from an API."""

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))  # the server's message may repeat the token

    @property
    def kind(self) -> FailureKind:
        """The name of its type, or of the nearest base class in the tree above."""
        names = {name: name for name in get_args(FailureKind)}
        kind: FailureKind = next(names[c.__name__] for c in type(self).__mro__ if c.__name__ in names)
        return kind


class PermanentFailure(ApiFailure):
    """Asking again brings the same answer."""


class BadCredentials(PermanentFailure):
    """The token is wrong, expired or revoked."""


class AccessDenied(PermanentFailure):
    """The token may not see this."""


class NotFound(PermanentFailure):
    """The API shows no such thing to this token."""


class RequestRejected(PermanentFailure):
    """The API does not understand the request."""


class TransientFailure(ApiFailure):
    """Asking again may help."""


class NetworkTrouble(TransientFailure):
    """No complete answer arrived."""


class ServerTrouble(TransientFailure):
    """The server says that it is in trouble."""


class MalformedAnswer(TransientFailure):
    """An answer that is not what the API promises; never taken for data."""


class TooExpensive(TransientFailure):
    """The query was too much at once."""


class Overloaded(TooExpensive):
    """The query took too long, or the server as a whole is in trouble."""


class CursorRejected(TransientFailure):
    """A position in a list that the API no longer knows."""


class MustWait(TransientFailure):
    """Sending is allowed again at ``resume_at`` (naive UTC). ``too_long``: longer than the settings let us wait.

    ``secondary``: nobody knows for how long, so that each further wait doubles.
    """

    def __init__(
        self, message: str, resume_at: datetime, *, secondary: bool = False, too_long: bool = False
    ) -> None:
        super().__init__(message)
        self.resume_at = resume_at
        self.secondary = secondary
        self.too_long = too_long

    def saying(self, more: str, *, too_long: bool = False) -> Self:
        """The same failure with a sentence more."""
        return type(self)(f"{self} {more}", self.resume_at, secondary=self.secondary, too_long=too_long)


class LimitReached(MustWait):
    """A rate limit."""


class UnexplainedRefusal(MustWait):
    """A refusal without a reason that is known to last: a limit that does not say so, or a proxy on the way."""


class Stopped(Exception):
    """Raised out of a source that was stopped; says nothing about any repository."""


class MalformedRecord(ValueError):
    """A field that is not what the API promises; the message names it."""
