"""What callers of ``app`` need from ``model`` and ``settings``; importing it starts no DuckDB."""

from prpipeline.model.failures import ApiFailure, BadCredentials
from prpipeline.model.repository import InvalidRepositoryName, RepositoryName, by_reason, listed
from prpipeline.settings import ConfigurationError, Settings, load_settings

SAMPLE_DATA = "Sample data: made-up repositories of the demo, not from GitHub."

__all__ = [
    "SAMPLE_DATA",
    "ApiFailure",
    "BadCredentials",
    "ConfigurationError",
    "InvalidRepositoryName",
    "RepositoryName",
    "Settings",
    "by_reason",
    "listed",
    "load_settings",
]
