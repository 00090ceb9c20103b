"""The report: one self-contained HTML file with charts and lists, made from the published database.

Not here: opening the database, what a number means (prpipeline/metrics), when it is written (prpipeline/app).
"""

from prpipeline.model.sql import Connection
from prpipeline.report.content import EarlierVersionError
from prpipeline.report.options import ReportOptions
from prpipeline.report.write import FILE_NAME, ReportInfo, write_report

__all__ = ["FILE_NAME", "Connection", "EarlierVersionError", "ReportInfo", "ReportOptions", "write_report"]
