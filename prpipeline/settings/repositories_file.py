"""``repositories.yaml``: which repositories to track, and the settings of sync, schedule, metrics and alerts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import msgspec

from prpipeline.model.repository import RepositoryName
from prpipeline.settings.alerts import AlertSettings
from prpipeline.settings.errors import ConfigurationError
from prpipeline.settings.github import GitHubSettings
from prpipeline.settings.jira import JiraOptions
from prpipeline.settings.metrics import MetricSettings
from prpipeline.settings.schedule import ScheduleSettings
from prpipeline.settings.section import DaysBack, Section, sentence
from prpipeline.settings.sync import SyncSettings
from prpipeline.settings.targets import Targets
from prpipeline.settings.teams import FromGitHub, Teams, TeamsEntry, check_from_github

# What Dagster's catalog accepts as an owner.
_OWNER = re.compile(r"team:[A-Za-z0-9_-]+|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}")


class Entry:
    """An entry of the list of repositories: a name, a mapping of a repository, or a mapping of an owner."""

    __slots__ = ()

    @classmethod
    def read(cls, value: object, github: GitHubSettings) -> Entry:
        fields = {"repository": value} if isinstance(value, str) else value
        if not isinstance(fields, dict):
            raise ValueError("write owner/name, or a mapping with a repository or an owner")
        if isinstance(text := fields.get("repository"), str):
            fields = {**fields, "repository": str(github.repository(text))}
        kind: type[TrackedRepository | TrackedOwner] = (
            TrackedOwner if "owner" in fields else TrackedRepository
        )
        try:
            return msgspec.convert(fields, kind)
        except msgspec.ValidationError as error:  # msgspec adds the entry's position to other errors only
            raise ValueError(str(error)) from None


class TrackedRepository(Section, Entry, frozen=True, kw_only=True):
    """One repository."""

    repository: str
    days_back: DaysBack | None = None
    team: str | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "repository", str(RepositoryName.parse(self.repository)))


class TrackedOwner(Section, Entry, frozen=True, kw_only=True):
    """All repositories of an organisation or user, filtered by patterns on the name (``*`` and ``?``)."""

    owner: str
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    archived: bool = False
    forks: bool = False
    days_back: DaysBack | None = None
    team: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", self.owner):
            raise ValueError(
                f"{self.owner!r} is not an owner; write an organisation's or user's name on GitHub"
            )


class RepositoriesFile(Section, frozen=True, kw_only=True):
    """The whole file. ``owners`` answer for the numbers: e-mail addresses, or teams as ``team:name``."""

    repositories: tuple[Entry, ...] = ()
    owners: tuple[str, ...] = ()
    sync: SyncSettings = SyncSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    metrics: MetricSettings = MetricSettings()
    alerts: AlertSettings = AlertSettings()
    targets: Targets = Targets()
    jira: JiraOptions | None = None
    teams: TeamsEntry = Teams()
    teams_from_github: FromGitHub = False

    @property
    def all_teams(self) -> Teams:
        return msgspec.structs.replace(cast(Teams, self.teams), from_github=self.teams_from_github)

    def __post_init__(self) -> None:
        check_from_github(self.teams_from_github)
        for owner in self.owners:
            if not _OWNER.fullmatch(owner):
                raise ValueError(
                    f"owners: {owner!r} is neither an e-mail address nor a team like team:platform"
                )
        seen: set[str] = set()
        for entry in self.repositories:
            if isinstance(entry, TrackedRepository):
                if entry.repository.lower() in seen:
                    raise ValueError(f"{entry.repository} is listed twice")
                seen.add(entry.repository.lower())


def read_repositories_file(path: Path, github: GitHubSettings, *, required: bool = False) -> RepositoriesFile:
    """Parse and validate. A missing file is an empty one, unless required. Addresses must be of this GitHub.

    Raises ConfigurationError.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if required:
            raise ConfigurationError(
                f"{path} does not exist; create it, or unset PRPIPELINE_REPOSITORIES."
            ) from None
        return RepositoriesFile()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from None
    from prpipeline.settings import yaml_text

    try:
        content = yaml_text.load(text)
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}.") from None
    if content is None:
        return RepositoriesFile()
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} must be a mapping with the key 'repositories'.")

    def read(kind: Any, value: object) -> Any:
        return Entry.read(value, github) if kind is Entry else kind.read(value)

    try:
        return msgspec.convert(content, RepositoriesFile, dec_hook=read)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {sentence(str(error), RepositoriesFile)}") from None
