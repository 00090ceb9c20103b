"""What callers of ``app`` need to read the published file."""

from prpipeline.model.sql import Connection
from prpipeline.publish.query import QueryError, query
from prpipeline.publish.release import open_published

__all__ = ["Connection", "QueryError", "open_published", "query"]
