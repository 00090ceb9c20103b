"""What callers of ``app`` need to read the published file."""

from prpipeline.publish.export import ExportError, Format, export
from prpipeline.publish.reader import Connection, QueryError, is_sample_data, open_published, queries

__all__ = [
    "Connection",
    "ExportError",
    "Format",
    "QueryError",
    "export",
    "is_sample_data",
    "open_published",
    "queries",
]
