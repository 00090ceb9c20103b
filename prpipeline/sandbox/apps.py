"""GitHub Apps: they sign a JWT, and get tokens for the accounts they are installed on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class App:
    """A GitHub App."""

    id: int
