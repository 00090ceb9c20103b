"""What callers of ``app`` need to read the published file."""

from prpipeline.model.sql import Connection
from prpipeline.publish.reader import QueryError, is_sample_data, open_published, query

__all__ = ["Connection", "QueryError", "is_sample_data", "open_published", "query"]
