"""The name of a repository: parse, normalise, compare, list. No other module parses names.

A repository is identified by GitHub's number, not by its name; the warehouse takes care of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# GitHub's own limits: owners of 39 characters (enterprise-managed ones end in "_shortcode"), names of 100.
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_URL = re.compile(
    r"(?:https?://|ssh://git@|git@|git://)[^/:\s]+(?::\d+)?[/:](?P<path>[^?#\s]+)", re.IGNORECASE
)
# A copied clone URL may contain a token, which must not get into a message.
_LOGIN = re.compile(r"^(https?://)[^/\s]*@", re.IGNORECASE)


class InvalidRepositoryName(ValueError):
    """The text is not a repository name; the message shows the right form."""


@dataclass(frozen=True, slots=True)
class RepositoryName:
    """``owner/name`` as GitHub shows it. Names that differ only in case are the same repository."""

    owner: str
    name: str

    @classmethod
    def parse(cls, text: str) -> RepositoryName:
        """Read ``owner/name``, a web or clone URL, with or without ``.git``.

        Raises InvalidRepositoryName.
        """
        path = text = _LOGIN.sub(r"\1", text.strip())
        if url := _URL.fullmatch(path):
            path = url["path"]
        elif path.lower().startswith("github.com/"):
            path = path[len("github.com/") :]
        parts = path.strip("/").removesuffix(".git").split("/")
        if url and len(parts) > 2:  # a link to any page of the repository
            parts = parts[:2]
        if (
            len(parts) != 2
            or not _OWNER.fullmatch(parts[0])
            or not _NAME.fullmatch(parts[1])
            or parts[1] in {".", ".."}
        ):
            raise InvalidRepositoryName(f"{text!r} is not a repository name; write it as owner/name.")
        return cls(*parts)

    @property
    def key(self) -> str:
        """The same text for all spellings of a name."""
        return str(self).lower()

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


def by_reason(said: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The names grouped by message: one bad token fails many repositories for the same reason."""
    names: dict[str, list[str]] = {}
    for name, reason in said:
        names.setdefault(reason, []).append(name)
    return names


def listed(names: Sequence[str], most: int = 10) -> str:
    """The names as a list in a sentence."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
