"""Teams: which people are in each and when, and which repositories are its own."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Any, TypeAlias

import msgspec

from prpipeline.settings.section import Section

# As on github.com/LOGIN; an Enterprise Server's may end in _shortcode, an app's in [bot].
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?")
_PATTERN = re.compile(r"[^/\s]+/[^/\s]+")
_ORGANIZATION_OR_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9_.-]+)?")

FromGitHub: TypeAlias = bool | tuple[str, ...]


class MemberEntry:
    """A login, or a mapping of a member."""

    __slots__ = ()

    @classmethod
    def read(cls, value: object) -> Member:
        fields = {"login": value} if isinstance(value, str) else value
        if not isinstance(fields, dict):
            raise ValueError("write a login, or a mapping with a login")
        member: Member = _convert(fields, Member)
        return member


class Member(Section, MemberEntry, frozen=True, kw_only=True):
    """A person of a team, from one day to another, both included; without days, always."""

    login: str
    since: dt.date | None = msgspec.field(default=None, name="from")
    until: dt.date | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "login", self.login.strip().removeprefix("@"))
        if not _LOGIN.fullmatch(self.login):
            raise ValueError(f"{self.login!r} is not a login on GitHub; write NAME as in github.com/NAME")
        if self.since and self.until and self.until < self.since:
            raise ValueError(f"{self.login} leaves (until) before they come (from)")

    def overlaps(self, other: Member) -> bool:
        """Whether both are the same login, with a day in common."""
        return self.login.lower() == other.login.lower() and (
            (self.since or dt.date.min) <= (other.until or dt.date.max)
            and (other.since or dt.date.min) <= (self.until or dt.date.max)
        )


class _Lists(Section, frozen=True, kw_only=True):
    """What the file says of one team."""

    people: tuple[MemberEntry, ...] = ()
    repositories: tuple[str, ...] = ()


class Team(Section, frozen=True, kw_only=True):
    """A team: its people, and patterns (``*`` and ``?``) of the names of its repositories."""

    name: str
    people: tuple[Member, ...] = ()
    repositories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in self.repositories:
            if not _PATTERN.fullmatch(pattern):
                raise ValueError(
                    f"{pattern!r} is no pattern of repositories; write owner/name, in which * and ? may stand for letters"
                )
        for one, other in combinations(self.people, 2):
            if one.overlaps(other):
                raise ValueError(f"{one.login} is listed twice for the same days")


class TeamsEntry:
    """The section ``teams`` of the file: a mapping of names to teams."""

    __slots__ = ()

    @classmethod
    def read(cls, value: object) -> Teams:
        if not isinstance(value, dict):
            raise ValueError("write a mapping of names to teams")
        return Teams(listed=tuple(_team(name, of_team) for name, of_team in value.items()))


class Teams(Section, TeamsEntry, frozen=True, kw_only=True):
    """All teams in the order of the file: of a person's or a repository's several, the first listed counts.

    ``from_github``: those of GitHub that come after them, all or of these organisations and these teams
    (``organisation/team``), in this order.
    """

    listed: tuple[Team, ...] = ()
    from_github: FromGitHub = False

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for team in self.listed:
            if (known := seen.setdefault(team.name.lower(), team.name)) != team.name:
                raise ValueError(
                    f"{known!r} and {team.name!r} differ in upper and lower case only; write one"
                )

    def of_repository(self, names: Iterable[str]) -> str | None:
        """The first team with a pattern that fits any of a repository's names."""
        known = list(names)
        for team in self.listed:
            if any(self.fits(pattern, known) for pattern in team.repositories):
                return team.name
        return None

    @staticmethod
    def fits(pattern: str, names: Iterable[str]) -> bool:
        """Whether any of a repository's names is as the pattern says, in any case."""
        return any(fnmatchcase(name.lower(), pattern.lower()) for name in names)

    def spelled(self, name: str | None) -> str | None:
        """A team's name as it is spelled here, where it is here."""
        return next((t.name for t in self.listed if name and t.name.lower() == name.lower()), name)

    def __bool__(self) -> bool:
        return bool(self.listed)


def check_from_github(value: FromGitHub) -> None:
    """Raise ValueError for an entry that names no organisation or team."""
    for entry in () if isinstance(value, bool) else value:
        if not _ORGANIZATION_OR_TEAM.fullmatch(entry):
            raise ValueError(
                f"teams_from_github: {entry!r} is no organisation; write its name on GitHub, or organisation/team"
            )


def _team(name: str, value: object) -> Team:
    try:
        if not name.strip():
            raise ValueError("a team has no name; write one before the colon")
        lists = _convert(value, _Lists)
        return Team(name=name.strip(), people=lists.people, repositories=lists.repositories)
    except ValueError as error:
        raise ValueError(f"{error} - at `$.{name}`") from None


def _convert(value: object, kind: Any) -> Any:
    def read(of: Any, item: object) -> Any:
        return of.read(item)

    try:
        return msgspec.convert(value, kind, dec_hook=read)
    except msgspec.ValidationError as error:  # msgspec adds the place to other errors only
        raise ValueError(str(error)) from None
