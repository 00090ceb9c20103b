"""What callers of ``app`` need from ``model`` and ``settings``; importing it starts no DuckDB."""

from prpipeline.model.failures import ApiFailure, BadCredentials
from prpipeline.model.inbox import InboxError
from prpipeline.model.repository import InvalidRepositoryName, RepositoryName, by_reason, listed
from prpipeline.settings import ConfigurationError, Settings, load_settings

SAMPLE_DATA = "Sample data: made-up repositories of the demo, not from GitHub."


def filling_up(lacking: int, rows_a_run: int, *, with_bodies: bool = False) -> str:
    """The sentence for so many pull requests that lack fields, of which each sync reads so many again.

    ``with_bodies``: keys in their bodies are looked for, too, and may be what they lack.
    """
    if not rows_a_run:
        how = "sync.fill_up_per_run is 0; 'prpipeline sync --full' reads them again."
    elif lacking <= rows_a_run:
        how = "The next sync reads them again."
    else:
        how = f"Each sync reads {rows_a_run:,} of them again, 'prpipeline sync --full' all at once."
    why = (
        "by an earlier version or without their bodies, and lack newer columns or the keys there"
        if with_bodies
        else "by an earlier version and lack newer columns"
    )
    return f"{lacking:,} pull requests were read {why}. {how}"


__all__ = [
    "SAMPLE_DATA",
    "ApiFailure",
    "BadCredentials",
    "ConfigurationError",
    "InboxError",
    "InvalidRepositoryName",
    "RepositoryName",
    "Settings",
    "by_reason",
    "filling_up",
    "listed",
    "load_settings",
]
