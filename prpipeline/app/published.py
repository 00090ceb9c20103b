"""What callers of ``app`` need to read the published file."""

from prpipeline.publish.reader import Connection, QueryError, is_sample_data, open_published, queries

__all__ = ["Connection", "QueryError", "is_sample_data", "open_published", "queries"]
