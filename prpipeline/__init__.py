"""prpipeline: review-time analytics for GitHub in one DuckDB file.

The flow goes one way: github → sync → warehouse → metrics → publish. Dagster (``defs``) and the
command line (``cli``) stand beside it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prpipeline.facade import (
        get_pull_request_reviews,
        get_repository_pull_requests,
        sync_repository_history,
    )

__version__ = "0.1.0"

__all__ = ["get_pull_request_reviews", "get_repository_pull_requests", "sync_repository_history"]


def __getattr__(name: str) -> Any:
    # On demand, so that importing any part of the package does not import all of it.
    if name in __all__:
        from prpipeline import facade

        return getattr(facade, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
