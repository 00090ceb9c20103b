"""Environment and repositories file → frozen, validated settings. Reads nothing at import.

What a person writes wrong raises ConfigurationError: one sentence that names the place and what to do.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from prpipeline.model.repository import InvalidRepositoryName, RepositoryName

PUBLIC_API = "https://api.github.com"
DEMO_SOURCE = "demo"  # how the demo's repositories came to be tracked

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)


class ConfigurationError(ValueError):
    """Something in the environment or the repositories file is wrong; the message says what and where."""


class SecretStr:
    """Text that neither str nor repr shows, and that msgspec refuses to write."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "SecretStr('**********')"

    def __str__(self) -> str:
        return "**********"


class ClockTime(dt.time):
    """A time of day as people write it."""

    @classmethod
    def read(cls, value: object) -> Self:
        if type(value) is int:  # YAML 1.1 takes an unquoted 17:30 for the base-60 number 1050
            larger, smaller = divmod(value, 60)
            value = f"{larger:02}:{smaller:02}"
            if larger >= 60:  # 17:30:00
                value = f"{larger // 60:02}:{larger % 60:02}:{smaller:02}"
        if isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", value):
            return cls.fromisoformat(value)
        raise ValueError(f"{value!r} is no time of day; write one like 17:30")


class DayEnd(ClockTime):
    """A day may end at 24:00, which is 00:00 here."""

    @classmethod
    def read(cls, value: object) -> Self:
        return cls(0) if value in ("24:00", 24 * 60) else super().read(value)


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write one like Europe/Berlin") from None


DaysBack = Annotated[int, Meta(ge=1, le=36_500)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Checks types and ranges where a file is read, what __post_init__ says always."""


class Calendar(_Section, frozen=True, kw_only=True):
    """The working hours that business-hour columns count."""

    timezone: str = "UTC"
    days: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday")
    start: ClockTime = ClockTime(9)
    end: DayEnd = DayEnd(17)
    holidays: tuple[dt.date, ...] = ()

    def __post_init__(self) -> None:
        _check_zone(self.timezone)
        if self.start >= self.end != DayEnd(0):
            raise ValueError("the working day must start before it ends")


class MetricSettings(_Section, frozen=True, kw_only=True):
    """What a definition leaves to the team. Changing one rebuilds the metrics from raw."""

    bots: tuple[str, ...] = ()
    exclude_bots: bool = True
    exclude_self: bool = True
    calendar: Calendar = Calendar()


class ScheduleSettings(_Section, frozen=True, kw_only=True):
    enabled: bool = True
    time: ClockTime = ClockTime(3, 15)
    timezone: str = "UTC"
    reconcile: bool = True
    reconcile_day: Weekday = "sunday"
    reconcile_time: ClockTime = ClockTime(5, 15)
    keep_runs_days: Annotated[int, Meta(ge=1, le=36_500)] = 90

    def __post_init__(self) -> None:
        _check_zone(self.timezone)


class SyncSettings(_Section, frozen=True, kw_only=True):
    days_back: DaysBack | None = None
    overlap_minutes: Annotated[int, Meta(ge=0, le=24 * 60)] = 15
    page_size: Annotated[int, Meta(ge=1, le=100)] = 25
    batch_size: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    reserve_percent: Annotated[int, Meta(ge=0, le=90)] = 10
    max_wait_minutes: Annotated[int, Meta(ge=0, le=24 * 60)] = 75
    request_timeout_seconds: Annotated[float, Meta(gt=0, le=600)] = 30
    attempts: Annotated[int, Meta(ge=1, le=20)] = 6


class Entry:
    """What the list of repositories holds: a name, or a mapping of one of two kinds."""

    __slots__ = ()

    @classmethod
    def read(cls, value: object) -> Entry:
        fields = {"repository": value} if isinstance(value, str) else value
        if not isinstance(fields, dict):
            raise ValueError("write owner/name, or a mapping with a repository or an owner")
        kind: type[TrackedRepository | TrackedOwner] = (
            TrackedOwner if "owner" in fields else TrackedRepository
        )
        try:
            return msgspec.convert(fields, kind)
        except msgspec.ValidationError as error:  # msgspec adds the entry's place to other errors only
            raise ValueError(str(error)) from None


class TrackedRepository(_Section, Entry, frozen=True, kw_only=True):
    """One repository of the file."""

    repository: str
    days_back: DaysBack | None = None
    team: str | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "repository", str(RepositoryName.parse(self.repository)))


class TrackedOwner(_Section, Entry, frozen=True, kw_only=True):
    """All repositories of an organisation or user, narrowed by patterns on the name (``*`` and ``?``)."""

    owner: str
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    archived: bool = False
    forks: bool = False
    days_back: DaysBack | None = None
    team: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", self.owner):
            raise ValueError(f"{self.owner!r} is no owner; write an organisation's or user's name on GitHub")


class RepositoriesFile(_Section, frozen=True, kw_only=True):
    """The whole of ``repositories.yaml``."""

    repositories: tuple[Entry, ...] = ()
    sync: SyncSettings = SyncSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    metrics: MetricSettings = MetricSettings()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for entry in self.repositories:
            if isinstance(entry, TrackedRepository):
                if entry.repository.lower() in seen:
                    raise ValueError(f"{entry.repository} is listed twice")
                seen.add(entry.repository.lower())


class GitHubApp(_Section, frozen=True, kw_only=True):
    app_id: str
    private_key: SecretStr
    installation_id: int | None = None


class GitHubSettings(_Section, frozen=True, kw_only=True):
    """Where GitHub is and who we are there."""

    api_url: str = PUBLIC_API
    graphql_url: str = f"{PUBLIC_API}/graphql"
    tokens: tuple[SecretStr, ...] = ()
    app: GitHubApp | None = None
    api: Literal["graphql", "rest"] = "graphql"


class Settings(_Section, frozen=True, kw_only=True):
    """Everything that can be set, read once."""

    data_dir: Path
    repositories_file: Path
    github: GitHubSettings
    file: RepositoriesFile
    is_demo: bool = False  # GitHub is the stand-in with the sample repositories

    @property
    def sync(self) -> SyncSettings:
        return self.file.sync

    @property
    def schedule(self) -> ScheduleSettings:
        return self.file.schedule

    @property
    def metrics(self) -> MetricSettings:
        return self.file.metrics

    @property
    def warehouse_path(self) -> Path:
        return self.data_dir / "warehouse.duckdb"

    @property
    def published_path(self) -> Path:
        return self.data_dir / "published" / "prpipeline.duckdb"


def project_root() -> Path:
    """The checkout that this package runs from; without one (an installed wheel), the current folder."""
    checkout = Path(__file__).resolve().parent.parent.parent
    return checkout if (checkout / "workspace.yaml").is_file() else Path.cwd()


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the environment and the repositories file. Raises ConfigurationError."""
    env = {k: v.strip() for k, v in (os.environ if environment is None else environment).items()}
    repositories_file = place(
        "PRPIPELINE_REPOSITORIES", env.get("PRPIPELINE_REPOSITORIES") or project_root() / "repositories.yaml"
    )
    data_dir = place("PRPIPELINE_DATA_DIR", env.get("PRPIPELINE_DATA_DIR") or project_root() / "data")
    nearest = next((folder for folder in (data_dir, *data_dir.parents) if folder.exists()), data_dir)
    if nearest.is_file():
        raise ConfigurationError(f"{nearest} is a file; set PRPIPELINE_DATA_DIR to a folder.")
    return Settings(
        is_demo=env.get("PRPIPELINE_DEMO") == "1",
        data_dir=data_dir,
        repositories_file=repositories_file,
        github=_github_settings(env),
        file=read_repositories_file(repositories_file, required=bool(env.get("PRPIPELINE_REPOSITORIES"))),
    )


def place(variable: str, text: str | Path) -> Path:
    """Where the variable says that something is; it need not be there. Raises ConfigurationError."""
    try:
        path = Path(text).expanduser().absolute()
        path.exists()  # raises where there cannot be such a path
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise ConfigurationError(f"{variable} names no place ({reason}); correct it.") from None
    return path


def read_repositories_file(path: Path, *, required: bool = False) -> RepositoriesFile:
    """Parse and validate. A missing file is an empty one, unless required. Raises ConfigurationError."""
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
    from prpipeline.settings import strict_yaml

    try:
        content = strict_yaml.load(text)
    except strict_yaml.InvalidYaml as error:
        raise ConfigurationError(f"{path}: {error}.") from None
    if content is None:
        return RepositoriesFile()
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} must be a mapping with the key 'repositories'.")
    try:
        return msgspec.convert(content, RepositoriesFile, dec_hook=lambda kind, value: kind.read(value))
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {_sentence(str(error))}") from None


def as_json(section: _Section) -> Any:
    """As JSON would have it."""
    return msgspec.to_builtins(section, enc_hook=str)


def _github_settings(env: Mapping[str, str]) -> GitHubSettings:
    api_url = (env.get("GITHUB_API_URL") or PUBLIC_API).rstrip("/")
    graphql_url = (env.get("GITHUB_GRAPHQL_URL") or _graphql_url(api_url)).rstrip("/")
    for name, url in (("GITHUB_API_URL", api_url), ("GITHUB_GRAPHQL_URL", graphql_url)):
        _check_url(name, url, allow_http=env.get("PRPIPELINE_ALLOW_HTTP", "") in {"1", "true", "yes"})
    tokens = [t.strip() for t in (env.get("GITHUB_TOKEN") or env.get("GH_TOKEN") or "").split(",")]
    tokens = list(dict.fromkeys(t for t in tokens if t))
    for token in tokens:
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise ConfigurationError(
                "GITHUB_TOKEN holds white space or unprintable characters; copy it again."
            )
    api = env.get("PRPIPELINE_GITHUB_API") or "graphql"
    if api not in {"graphql", "rest"}:
        raise ConfigurationError(f"PRPIPELINE_GITHUB_API is {api!r}; write graphql or rest.")
    return GitHubSettings(
        api_url=api_url,
        graphql_url=graphql_url,
        tokens=tuple(SecretStr(t) for t in tokens),
        app=_github_app(env),
        api="rest" if api == "rest" else "graphql",
    )


def _github_app(env: Mapping[str, str]) -> GitHubApp | None:
    app_id = env.get("GITHUB_APP_ID")
    key = env.get("GITHUB_APP_PRIVATE_KEY", "").replace("\\n", "\n")
    key_path = env.get("GITHUB_APP_PRIVATE_KEY_PATH")
    if not app_id:
        if key or key_path:
            raise ConfigurationError("GITHUB_APP_ID is missing beside the App's private key; set it.")
        return None
    if not key and key_path:
        try:
            key = Path(key_path).expanduser().read_text(encoding="ascii")
        except (OSError, RuntimeError, UnicodeDecodeError):
            raise ConfigurationError(
                f"GITHUB_APP_PRIVATE_KEY_PATH: {key_path} cannot be read; point it at the App's .pem file."
            ) from None
    if "PRIVATE KEY" not in key:
        raise ConfigurationError(
            "GITHUB_APP_ID is set, but no private key is; set GITHUB_APP_PRIVATE_KEY_PATH to the App's .pem file."
        )
    installation = env.get("GITHUB_APP_INSTALLATION_ID")
    if installation and not installation.isdigit():
        raise ConfigurationError(f"GITHUB_APP_INSTALLATION_ID is {installation!r}, not a number.")
    return GitHubApp(
        app_id=app_id,
        private_key=SecretStr(key),
        installation_id=int(installation) if installation else None,
    )


def _graphql_url(api_url: str) -> str:
    """As GitHub's servers lay them out: GHES …/api/v3 → …/api/graphql, else …/graphql."""
    if api_url.endswith("/api/v3"):
        return api_url.removesuffix("/v3") + "/graphql"
    return api_url + "/graphql"


def _check_url(name: str, url: str, *, allow_http: bool) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host, parts = None, None
    if " " in url or not url.isprintable():
        parts = None
    if parts is None or not host or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} is {redact_url(url)!r}; write it like {PUBLIC_API}.")
    if parts.username or parts.password:
        raise ConfigurationError(f"{name} holds a user name or password; put the credential in GITHUB_TOKEN.")
    if parts.scheme == "http" and not _is_here(host) and not allow_http:
        raise ConfigurationError(
            f"{name} is plain http, which would send the token unencrypted; use https, "
            "or set PRPIPELINE_ALLOW_HTTP=1 where the network is trusted."
        )


def _is_here(host: str) -> bool:
    """Whether it is this machine's loopback; 127.example.org is not."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def redact_url(url: str) -> str:
    """The address without a user name or password in it."""
    return re.sub(r"//[^/@]*@", "//", url)


_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "date": "a date like 2026-12-24",
    "datetime": "a date with a time",
    "float": "a number",
    "int": "a whole number",
    "null": "nothing",
    "object": "a mapping",
    "str": "text",
}


def _sentence(problem: str) -> str:
    """One sentence from msgspec's: where, and what; it speaks as of JSON, and counts from 0."""
    says, *places = problem.split(" - at `$")
    place = "".join(part.removesuffix("`") for part in reversed(places)).removeprefix(".")
    place = re.sub(r"\[(\d+)\]", lambda index: f"[{int(index[1]) + 1}]", place)
    if field := re.fullmatch(r"Object (contains unknown|missing required) field `(.*)`", says, re.DOTALL):
        is_unknown, name = field[1] == "contains unknown", f"{place}.{field[2]}".removeprefix(".")
        what = "not a known setting; remove it or check its spelling" if is_unknown else "missing; add it"
        return f"{name} is {what}."
    if says.startswith("Invalid enum value"):
        says = f"write one of {', '.join(WEEKDAYS)}"  # no other words are to choose from
    says = says.replace("Invalid RFC3339 encoded date", "Expected `date`")
    says = says.replace(", got `float`", ", not a fraction")
    says = re.sub(r"`(\w+)(?: \| null)?`", lambda kind: _WORDS.get(kind[1], kind[1]), says)
    says = says.replace("Expected ", "write ").replace(", got ", ", not ")
    return f"{place or 'the file'}: {says.rstrip('.')}."


__all__ = [
    "Calendar",
    "ConfigurationError",
    "GitHubApp",
    "GitHubSettings",
    "InvalidRepositoryName",
    "MetricSettings",
    "RepositoriesFile",
    "ScheduleSettings",
    "SecretStr",
    "Settings",
    "SyncSettings",
    "TrackedOwner",
    "TrackedRepository",
    "as_json",
    "load_settings",
    "place",
    "project_root",
    "read_repositories_file",
]
