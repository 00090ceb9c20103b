"""All settings, from the environment and the repositories file. Reads nothing at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from prpipeline.settings.alerts import AlertSettings
from prpipeline.settings.errors import ConfigurationError, SecretStr
from prpipeline.settings.github import GitHubSettings, github_settings
from prpipeline.settings.jira import JiraOptions, JiraSettings, jira_settings
from prpipeline.settings.metrics import MetricSettings
from prpipeline.settings.publishing import BucketPlace, publish_to
from prpipeline.settings.repositories_file import RepositoriesFile, read_repositories_file
from prpipeline.settings.schedule import ScheduleSettings
from prpipeline.settings.section import Section
from prpipeline.settings.sync import SyncSettings
from prpipeline.settings.teams import Teams
from prpipeline.settings.warehouse import WarehousePlace, warehouse_place

DEMO_TICKET_PREFIXES = ("OCTO", "MOON")  # of the sample repositories' tickets, and their projects
DEMO_SOURCE = "demo"  # marks the demo's repositories among the tracked ones


class Settings(Section, frozen=True, kw_only=True):
    """All settings, read once."""

    data_dir: Path
    repositories_file: Path
    github: GitHubSettings
    file: RepositoriesFile
    alert_secrets: Mapping[str, SecretStr] = {}  # by the variables that alerts name
    warehouse: WarehousePlace = (
        WarehousePlace()
    )  # PRPIPELINE_WAREHOUSE; without anything: the file in the data folder
    publish_to: BucketPlace | None = None  # PRPIPELINE_PUBLISH_TO; None: the data folder alone
    jira: JiraSettings | None = None  # None: there is no Jira, or it is not to be asked
    is_demo: bool = False  # GitHub is the sandbox with the sample repositories

    @property
    def sync(self) -> SyncSettings:
        return self.file.sync

    @property
    def schedule(self) -> ScheduleSettings:
        return self.file.schedule

    @property
    def metrics(self) -> MetricSettings:
        found = self.file.metrics
        if self.is_demo and not found.ticket_prefixes:
            return replace(found, ticket_prefixes=DEMO_TICKET_PREFIXES)
        return found

    @property
    def teams(self) -> Teams:
        return self.file.all_teams

    @property
    def alerts(self) -> AlertSettings:
        return self.file.alerts

    @property
    def jira_options(self) -> JiraOptions:
        """The file's group ``jira``; without one, nothing of Jira is selected. The demo has projects of its own."""
        if self.is_demo:
            return JiraOptions(projects=DEMO_TICKET_PREFIXES if self.jira else ())
        return self.file.jira or JiraOptions()

    @property
    def uses_jira(self) -> bool:
        """Whether projects of Jira are selected; what else that needs, ``connected_jira`` says."""
        return bool(self.jira_options.projects)

    @property
    def reads_bodies(self) -> bool:
        """Whether bodies of pull requests are asked for: to look for keys of issues there."""
        return self.uses_jira and "body" in self.jira_options.links_from

    def connected_jira(self) -> JiraSettings:
        """Jira's address with a credential. Raises ConfigurationError where the environment lacks one of them."""
        if self.jira is None:
            raise ConfigurationError(
                f"{self.repositories_file} selects projects of Jira, but JIRA_URL is not set; set it to the site's address, "
                "with JIRA_EMAIL and JIRA_TOKEN."
                if self.uses_jira
                else "JIRA_URL is not set; set it to the address of your Jira, with JIRA_EMAIL and JIRA_TOKEN."
            )
        if self.jira.token is None and self.jira.oauth is None:
            raise ConfigurationError(
                "JIRA_TOKEN is not set; create one at https://id.atlassian.com/manage-profile/security/api-tokens (Data "
                "Center: in your profile), and set it."
            )
        if self.jira.oauth is None and self.jira.email is None and self.jira.known_edition == "cloud":
            raise ConfigurationError(
                "JIRA_EMAIL is not set; set it to the e-mail address of the token's account."
            )
        return self.jira

    @property
    def warehouse_path(self) -> Path:
        """The local file, where it is one."""
        return self.warehouse.file or self.data_dir / "warehouse.duckdb"

    @property
    def published_path(self) -> Path:
        return self.data_dir / "published" / "prpipeline.duckdb"


def project_root() -> Path:
    """The checkout that contains this package; the current folder for an installed wheel."""
    checkout = Path(__file__).resolve().parent.parent.parent
    return checkout if (checkout / "workspace.yaml").is_file() else Path.cwd()


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the environment and the repositories file. Raises ConfigurationError."""
    env = {k: v.strip() for k, v in (os.environ if environment is None else environment).items()}
    default_file = project_root() / "repositories.yaml"
    repositories_file = place("PRPIPELINE_REPOSITORIES", env.get("PRPIPELINE_REPOSITORIES") or default_file)
    data_dir = place("PRPIPELINE_DATA_DIR", env.get("PRPIPELINE_DATA_DIR") or project_root() / "data")
    nearest = next((folder for folder in (data_dir, *data_dir.parents) if folder.exists()), data_dir)
    if nearest.is_file():
        raise ConfigurationError(f"{nearest} is a file; set PRPIPELINE_DATA_DIR to a folder.")
    github = github_settings(env)
    file = read_repositories_file(repositories_file, github, required=repositories_file != default_file)
    return Settings(
        is_demo=env.get("PRPIPELINE_DEMO") == "1",
        data_dir=data_dir,
        repositories_file=repositories_file,
        github=github,
        file=file,
        alert_secrets=file.alerts.secrets(env),
        warehouse=warehouse_place(env, data_dir),
        publish_to=publish_to(env),
        jira=jira_settings(env),
    )


def place(variable: str, text: str | Path) -> Path:
    """The path in a variable; it need not exist. Raises ConfigurationError."""
    try:
        path = Path(text).expanduser().absolute()
        path.exists()  # raises for an impossible path
        str(path).encode()  # as DuckDB takes it
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"{variable} is not a possible path (it is not UTF-8); correct it."
        ) from None
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise ConfigurationError(f"{variable} is not a possible path ({reason}); correct it.") from None
    return path
