"""What a person says of themselves on GitHub."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """The public profile of an account; ``email`` is for matching only, never stored as it is."""

    actor_id: int
    name: str | None
    email: str | None
