"""prpipeline: review-time analytics for GitHub in one DuckDB file.

Data flows one way: github → sync → warehouse → metrics → publish. Dagster (``defs``) and the command line
(``cli``) run it.
"""

from typing import TYPE_CHECKING, Any

from prpipeline.model.version import __version__

if TYPE_CHECKING:
    from prpipeline.app.api import (
        get_pull_request_reviews,
        get_repository_pull_requests,
        sync_repository_history,
    )

__all__ = [
    "__version__",
    "get_pull_request_reviews",
    "get_repository_pull_requests",
    "sync_repository_history",
]


def __getattr__(name: str) -> Any:
    # Imported on demand: importing a part of the package must not import all of it.
    if name in __all__:
        from prpipeline.app import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
