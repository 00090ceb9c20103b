"""What is particular about one fault, and the texts that several kinds share."""

from __future__ import annotations

from dataclasses import dataclass

SOMETHING_WENT_WRONG = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub "
    "bug. Please include `5A2D:3C5F:1B2C3D4:5E6F7A8:66F00001` when reporting this issue."
)

SAML = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this "
    "organization."
)


@dataclass
class Effect:
    """How a fault changes an answer: its kind, and the parameters of the kinds that have any.

    `seconds` is how long slow kinds take, and how far away the reset of a primary limit is. `keep` is the share of a
    body or list that is still sent. `retry_after` is in seconds; without it the header is left out.
    """

    kind: str
    status: int | None = None
    seconds: float = 1.0
    retry_after: float | None = None
    keep: float = 0.5
    url: str = "http://127.0.0.1:9/elsewhere"
