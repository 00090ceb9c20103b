"""What to ask of GitHub, in what order, and when the watermark moves.

Asks a ``Source`` and writes to the warehouse; knows neither HTTP nor Dagster.
"""

from prpipeline.sync.syncer import Syncer, SyncOptions, SyncResult

__all__ = ["SyncOptions", "SyncResult", "Syncer"]
