"""prpipeline: review-time analytics for GitHub in one DuckDB file.

The flow goes one way: github → sync → warehouse → metrics → publish. Dagster (``defs``) and the
command line (``cli``) stand beside it.
"""

__version__ = "0.1.0"
