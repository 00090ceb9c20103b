"""Environment and repositories file, as frozen, validated settings. Reads nothing at import."""

from prpipeline.settings.alerts import AlertSettings, AlertTarget, DigestSettings
from prpipeline.settings.errors import ConfigurationError, SecretStr
from prpipeline.settings.github import GitHubApp, GitHubSettings, NamedCredential
from prpipeline.settings.jira import Edition, JiraOAuth, JiraOptions, JiraSettings
from prpipeline.settings.load import DEMO_SOURCE, Settings, load_settings, place, project_root
from prpipeline.settings.metrics import Calendar, MetricSettings, SizeLimits
from prpipeline.settings.publishing import BucketPlace, pull_from
from prpipeline.settings.repositories_file import (
    RepositoriesFile,
    TrackedOwner,
    TrackedRepository,
    read_repositories_file,
)
from prpipeline.settings.schedule import ScheduleSettings
from prpipeline.settings.section import WEEKDAYS, ClockTime, DayEnd, Weekday, as_json
from prpipeline.settings.sync import SyncSettings
from prpipeline.settings.targets import Targets
from prpipeline.settings.teams import Member, Team, Teams
from prpipeline.settings.warehouse import WarehousePlace, place_of

__all__ = [
    "DEMO_SOURCE",
    "WEEKDAYS",
    "AlertSettings",
    "AlertTarget",
    "BucketPlace",
    "Calendar",
    "ClockTime",
    "ConfigurationError",
    "DayEnd",
    "DigestSettings",
    "Edition",
    "GitHubApp",
    "GitHubSettings",
    "JiraOAuth",
    "JiraOptions",
    "JiraSettings",
    "Member",
    "MetricSettings",
    "NamedCredential",
    "RepositoriesFile",
    "ScheduleSettings",
    "SecretStr",
    "Settings",
    "SizeLimits",
    "SyncSettings",
    "Targets",
    "Team",
    "Teams",
    "TrackedOwner",
    "TrackedRepository",
    "WarehousePlace",
    "Weekday",
    "as_json",
    "load_settings",
    "place",
    "place_of",
    "project_root",
    "pull_from",
    "read_repositories_file",
]
