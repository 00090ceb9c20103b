"""The receiver of webhooks and the state of its inbox, on the settings; starts no DuckDB."""

from __future__ import annotations

from collections.abc import Callable

from prpipeline.model.deliveries import InboxError, NotListening
from prpipeline.settings import Settings
from prpipeline.settings.webhooks import webhook_secrets
from prpipeline.webhooks.inbox import Inbox, Summary

__all__ = ["InboxError", "NotListening", "Summary", "serve", "summary"]


def serve(settings: Settings, *, host: str, port: int, drain: bool, listening: Callable[[str], None]) -> None:
    """Receive until the process is asked to end. Raises ConfigurationError, NotListening, InboxError."""
    secrets = webhook_secrets()
    from prpipeline.webhooks import serve as server  # Starlette and uvicorn, which nothing else needs

    server.serve(settings.data_dir, secrets, host=host, port=port, drain=drain, listening=listening)


def summary(settings: Settings) -> Summary:
    """What came and what waits. Raises InboxError."""
    inbox = Inbox(settings.data_dir)
    try:
        return inbox.summary()
    finally:
        inbox.close()
