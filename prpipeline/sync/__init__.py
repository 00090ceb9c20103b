"""What to ask of GitHub, in what order, and when the watermark moves.

Knows neither HTTP nor SQL nor Dagster: asks a ``github.source.Source``, writes by ``warehouse``.
"""

from prpipeline.sync.syncer import Syncer, SyncOptions, SyncResult

__all__ = ["SyncOptions", "SyncResult", "Syncer"]
