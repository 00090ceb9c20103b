"""What GitHub tells of a person, to match them with an account of Jira."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

EmailKind = Literal["verified", "public", "commit"]
"""Where an address is from: an organisation verified its domain, the profile shows it, a commit was written by it."""

Verified = Literal["all", "withheld", "unknown"]
"""Of the organisations that were asked: all told the addresses that they verified, some withhold them, or some did not answer."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The public profile of an account; ``email`` is for matching only, never stored as it is."""

    actor_id: int
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """What a person can be matched by; ``emails`` are never stored as they are."""

    actor_id: int
    name: str | None
    emails: Sequence[tuple[EmailKind, str]]
    verified: Verified = "all"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an organisation's verified addresses are withheld, in a sentence; ``login``: of whom they were asked for."""

    login: str
    reason: str


@dataclass(frozen=True, slots=True)
class VerifiedEmails:
    """The addresses that an organisation verified, by the number of the person; ``refusal``: the first of those left out."""

    by_person: Mapping[int, Sequence[str]]
    refusal: Refusal | None = None
