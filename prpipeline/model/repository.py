"""The name of a repository, and the addresses that it is found in: parse, normalise, compare, list. No other module
parses names.

A repository is identified by GitHub's number, not by its name; the warehouse takes care of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

# GitHub's own limits: owners of 39 characters (enterprise-managed ones end in "_shortcode"), names of 100.
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_HOST = r"(?P<host>\[[^\]\s]+\]|[^/:\s@\[\]]+)(?::(?P<port>\d+))?"
_PATH = r"(?P<path>[^?#\s]*)(?:[?#]\S*)?"
_ADDRESSES = (
    re.compile(rf"(?:git\+)?(?P<scheme>https?|ssh|git)://(?:[^/\s@]*@)?{_HOST}[/:]{_PATH}", re.IGNORECASE),
    re.compile(rf"[\w.+-]+@(?P<host>[^/:\s@]+):{_PATH}"),  # as git clone takes it, by ssh
    re.compile(rf"(?=[^/]*\.|localhost\b){_HOST}/{_PATH}"),  # no owner has a dot
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_BARE_PULL_REQUEST = re.compile(r"(?P<path>[^#\s]+)#(?P<number>\d{1,18})")
_NUMBER = re.compile(r"(\d{1,18})(?:\.diff|\.patch)?")
# An address may contain a token, which must not get into a message.
_SECRETS = re.compile(r"(?<=://)[^/\s]*@|\?.*", re.DOTALL)


class InvalidRepositoryName(ValueError):
    """The text is not the name of a repository that can be asked for; the message says what to write or to set."""


class RepositoryName(Struct, frozen=True):
    """``owner/name`` as GitHub shows it. Names that differ only in case are the same repository."""

    owner: str
    name: str

    @classmethod
    def parse(cls, text: str) -> RepositoryName:
        """Read ``owner/name``. Not an address, whose server has to be compared: see ``GitHubSettings.repository``.

        Raises InvalidRepositoryName.
        """
        found = Address.parse(text)
        if found.server is not None or found.pull_request is not None:
            raise InvalidRepositoryName(_no_name(text))
        return found.name

    @property
    def key(self) -> str:
        """The same text for all spellings of a name."""
        return str(self).lower()

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


class Address(Struct, frozen=True):
    """What people paste where a repository or a pull request is asked for.

    ``server`` is the web server's address, such as ``https://github.com``, and None for a name alone.
    """

    name: RepositoryName
    server: str | None = None
    pull_request: int | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``owner/name``, ``owner/name#12``, or the address of any page, clone or API object of a repository.

        Raises InvalidRepositoryName.
        """
        wanted = text.strip()
        server, number, path = None, None, wanted
        if found := next((f for form in _ADDRESSES if (f := form.fullmatch(wanted))), None):
            server, path = _server(found), found["path"]
        elif found := _BARE_PULL_REQUEST.fullmatch(wanted):
            number, path = int(found["number"]), found["path"]
        parts = path.strip("/").split("/")
        if server is not None:
            parts = _without_api_root(parts)
        owner, name, *page = [*parts, ""] if len(parts) < 2 else parts
        name = name.removesuffix(".git")
        kind, digits, *_ = [*page, "", ""]
        if shown := _NUMBER.fullmatch(digits) if kind in {"pull", "pulls", "issues"} else None:
            number = int(shown[1])
        if (
            not _OWNER.fullmatch(owner)
            or not _NAME.fullmatch(name)
            or name in {".", ".."}
            or (page and server is None and shown is None)
        ):
            raise InvalidRepositoryName(_no_name(text))
        return cls(RepositoryName(owner, name), server, number)


def _server(found: re.Match[str]) -> str:
    groups = found.groupdict()
    scheme = (groups.get("scheme") or "https").lower()
    is_web = scheme in _DEFAULT_PORTS
    scheme = scheme if is_web else "https"
    port = groups.get("port") if is_web else None  # that of ssh says nothing about the web server
    host = groups["host"].lower().rstrip(".")
    return f"{scheme}://{host}{f':{port}' if port not in (None, _DEFAULT_PORTS[scheme]) else ''}"


def _without_api_root(parts: list[str]) -> list[str]:
    """The path of an API object as that of its page: without ``api/v3`` (Enterprise Server) and ``repos``."""
    if parts[:2] == ["api", "v3"] and len(parts) > 3:
        parts = parts[2:]
    return parts[1:] if parts[0] == "repos" and len(parts) > 2 else parts


def without_secrets(text: str) -> str:
    """What a person wrote, fit for a message: an address without user, password and query."""
    return _SECRETS.sub("", text.strip())


def _no_name(text: str) -> str:
    return f"{without_secrets(text)!r} is not a repository name; write it as owner/name."


def by_reason(said: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The names grouped by message: one bad token fails many repositories for the same reason.

    Messages that differ only in the repository's own name are the same one, with OWNER/NAME in its place.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, reason in said:
        groups.setdefault(without_name(name, reason), []).append((name, reason))
    return {
        alike if len(group) > 1 else group[0][1]: [name for name, _ in group]
        for alike, group in groups.items()
    }


def without_name(name: str, reason: str) -> str:
    """The message with OWNER/NAME in place of the repository's own name."""
    return re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", "OWNER/NAME", reason, flags=re.IGNORECASE)


def listed(names: Sequence[str], most: int = 10) -> str:
    """The names as a list in a sentence."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
