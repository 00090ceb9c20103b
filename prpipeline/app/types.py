"""What callers of ``app`` need from the rooms behind it, so that they import ``app`` alone."""

from prpipeline.metrics import aggregate_tables
from prpipeline.metrics.checks import Check, Findings, all_checks
from prpipeline.model.failures import ApiFailure
from prpipeline.model.repository import InvalidRepositoryName, RepositoryName, by_reason, listed
from prpipeline.publish import dictionary
from prpipeline.publish.release import Release
from prpipeline.report import ReportInfo
from prpipeline.settings import ConfigurationError, ScheduleSettings, Settings, load_settings
from prpipeline.sync import SyncOptions, SyncResult
from prpipeline.sync.jira_syncer import JiraResult
from prpipeline.warehouse import WarehouseError
from prpipeline.warehouse.activity import Publication, RecordedSync
from prpipeline.warehouse.jira_projects import RecordedJiraSync
from prpipeline.warehouse.summary import Summary, Week
from prpipeline.warehouse.tracking import Tracked

__all__ = [
    "ApiFailure",
    "Check",
    "ConfigurationError",
    "Findings",
    "InvalidRepositoryName",
    "JiraResult",
    "Publication",
    "RecordedJiraSync",
    "RecordedSync",
    "Release",
    "ReportInfo",
    "RepositoryName",
    "ScheduleSettings",
    "Settings",
    "Summary",
    "SyncOptions",
    "SyncResult",
    "Tracked",
    "WarehouseError",
    "Week",
    "aggregate_tables",
    "all_checks",
    "by_reason",
    "dictionary",
    "listed",
    "load_settings",
]
