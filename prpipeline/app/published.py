"""What callers of ``app`` need to read the published file."""

from prpipeline.model.sql import Connection
from prpipeline.publish.reader import QueryError, open_published, query

__all__ = ["Connection", "QueryError", "open_published", "query"]
