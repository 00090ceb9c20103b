"""Environment and repositories file → frozen, validated settings. Reads nothing at import.

What a person writes wrong raises ConfigurationError: one sentence that names the place and what to do.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from prpipeline.repository import InvalidRepositoryName, RepositoryName

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


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write one like Europe/Berlin") from None
    return name


def _clock_time(value: object) -> object:
    # YAML 1.1 reads an unquoted 17:30 as the base-60 number 1050.
    if isinstance(value, int) and 0 <= value < 24 * 60:
        return dt.time(value // 60, value % 60)
    return value


def _end_of_day(value: object) -> object:
    return dt.time(0) if value in ("24:00", 24 * 60) else _clock_time(value)


def _repository_name(text: str) -> str:
    return str(RepositoryName.parse(text))


TimeZone = Annotated[str, AfterValidator(_known_zone)]
ClockTime = Annotated[dt.time, BeforeValidator(_clock_time)]
Repository = Annotated[str, AfterValidator(_repository_name)]
DaysBack = Annotated[int, Field(ge=1, le=36_500)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Calendar(_Section):
    """The working hours that business-hour columns count."""

    timezone: TimeZone = "UTC"
    days: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday")
    start: ClockTime = dt.time(9)
    end: Annotated[dt.time, BeforeValidator(_end_of_day)] = dt.time(17)  # 00:00 is midnight at its end
    holidays: tuple[dt.date, ...] = ()

    @model_validator(mode="after")
    def _day_has_hours(self) -> Calendar:
        if self.start >= self.end != dt.time(0):
            raise ValueError("the working day must start before it ends")
        return self


class MetricSettings(_Section):
    """What a definition leaves to the team. Changing one rebuilds the metrics from raw."""

    bots: tuple[str, ...] = ()
    exclude_bots: bool = True
    exclude_self: bool = True
    calendar: Calendar = Calendar()


class ScheduleSettings(_Section):
    enabled: bool = True
    time: ClockTime = dt.time(3, 15)
    timezone: TimeZone = "UTC"
    reconcile: bool = True
    reconcile_day: Weekday = "sunday"
    reconcile_time: ClockTime = dt.time(5, 15)
    keep_runs_days: Annotated[int, Field(ge=1, le=36_500)] = 90


class SyncSettings(_Section):
    days_back: DaysBack | None = None
    overlap_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 15
    page_size: Annotated[int, Field(ge=1, le=100)] = 25
    batch_size: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    reserve_percent: Annotated[int, Field(ge=0, le=90)] = 10
    max_wait_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 75
    request_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30
    attempts: Annotated[int, Field(ge=1, le=20)] = 6


class TrackedRepository(_Section):
    """One repository of the file."""

    repository: Repository
    days_back: DaysBack | None = None
    team: str | None = None


class TrackedOwner(_Section):
    """All repositories of an organisation or user, narrowed by patterns on the name (``*`` and ``?``)."""

    owner: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    archived: bool = False
    forks: bool = False
    days_back: DaysBack | None = None
    team: str | None = None


def _entry(value: object) -> object:
    if isinstance(value, str):
        return TrackedRepository(repository=value)
    if isinstance(value, Mapping):
        fields = {str(key): field for key, field in value.items()}
        return TrackedOwner(**fields) if "owner" in fields else TrackedRepository(**fields)
    return value


class RepositoriesFile(_Section):
    """The whole of ``repositories.yaml``."""

    repositories: tuple[Annotated[TrackedRepository | TrackedOwner, BeforeValidator(_entry)], ...] = ()
    sync: SyncSettings = SyncSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    metrics: MetricSettings = MetricSettings()

    @model_validator(mode="after")
    def _each_repository_once(self) -> RepositoriesFile:
        seen: set[str] = set()
        for entry in self.repositories:
            if isinstance(entry, TrackedRepository):
                if entry.repository.lower() in seen:
                    raise ValueError(f"{entry.repository} is listed twice")
                seen.add(entry.repository.lower())
        return self


class GitHubApp(_Section):
    app_id: str
    private_key: SecretStr
    installation_id: int | None = None


class GitHubSettings(_Section):
    """Where GitHub is and who we are there."""

    api_url: str = PUBLIC_API
    graphql_url: str = f"{PUBLIC_API}/graphql"
    tokens: tuple[SecretStr, ...] = ()
    app: GitHubApp | None = None
    api: Literal["graphql", "rest"] = "graphql"


class Settings(_Section):
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
    checkout = Path(__file__).resolve().parent.parent
    return checkout if (checkout / "workspace.yaml").is_file() else Path.cwd()


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the environment and the repositories file. Raises ConfigurationError."""
    env = {k: v.strip() for k, v in (os.environ if environment is None else environment).items()}
    repositories_file = Path(env.get("PRPIPELINE_REPOSITORIES") or project_root() / "repositories.yaml")
    data_dir = Path(env.get("PRPIPELINE_DATA_DIR") or project_root() / "data").expanduser().absolute()
    nearest = next((folder for folder in (data_dir, *data_dir.parents) if folder.exists()), data_dir)
    if nearest.is_file():
        raise ConfigurationError(f"{nearest} is a file; set PRPIPELINE_DATA_DIR to a folder.")
    return Settings(
        is_demo=env.get("PRPIPELINE_DEMO") == "1",
        data_dir=data_dir,
        repositories_file=repositories_file.expanduser().absolute(),
        github=_github_settings(env),
        file=read_repositories_file(repositories_file, required=bool(env.get("PRPIPELINE_REPOSITORIES"))),
    )


class _Loader(yaml.SafeLoader):
    """YAML, where what is written twice is a mistake: of two lists of repositories, the first would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"{key.value!r} is there twice", problem_mark=key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


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
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - a safe one
    except RecursionError:
        raise ConfigurationError(f"{path} is nested too deeply to be meant.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise ConfigurationError(f"{path}{where} is not valid YAML: {problem}.") from None
    if content is None:
        return RepositoriesFile()
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} must be a mapping with the key 'repositories'.")
    try:
        return RepositoriesFile(**{str(key): value for key, value in content.items()})
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_first_problem(error)}") from None


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
        except (OSError, UnicodeDecodeError):
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
    if parts is None or not host or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} is {redact_url(url)!r}; write it like {PUBLIC_API}.")
    if parts.username or parts.password:
        raise ConfigurationError(f"{name} holds a user name or password; put the credential in GITHUB_TOKEN.")
    loopback = host == "localhost" or host.startswith("127.") or host == "::1"
    if parts.scheme == "http" and not loopback and not allow_http:
        raise ConfigurationError(
            f"{name} is plain http, which would send the token unencrypted; use https, "
            "or set PRPIPELINE_ALLOW_HTTP=1 where the network is trusted."
        )


def redact_url(url: str) -> str:
    """The address without a user name or password in it."""
    return re.sub(r"//[^/@]*@", "//", url)


def _first_problem(error: ValidationError) -> str:
    """One sentence from pydantic's list: where, and what."""
    problem: Any = error.errors(include_url=False)[0]
    path = "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{part}"
        for part in problem["loc"]
        if not (isinstance(part, str) and (part.startswith("function-") or part[:1].isupper()))
    ).lstrip(".")
    if problem["type"] == "extra_forbidden":
        return f"{path} is not a known setting; remove it or check its spelling."
    message = str(problem["msg"]).removeprefix("Value error, ")
    if message.startswith("Input "):
        message = message[:1].lower() + message[1:]
    return f"{path or 'the file'}: {message.rstrip('.')}."


__all__ = [
    "Calendar",
    "ConfigurationError",
    "GitHubApp",
    "GitHubSettings",
    "InvalidRepositoryName",
    "MetricSettings",
    "RepositoriesFile",
    "ScheduleSettings",
    "Settings",
    "SyncSettings",
    "TrackedOwner",
    "TrackedRepository",
    "load_settings",
    "project_root",
    "read_repositories_file",
]
