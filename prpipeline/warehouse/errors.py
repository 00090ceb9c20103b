"""What DuckDB's errors mean for whoever runs the pipeline, and what to do about them."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb


class WarehouseError(Exception):
    """The warehouse cannot be used; the message is one sentence that says why and what to do. Nothing was changed."""


_FULL = (
    "no space left",
    "disk full",
    "out of disk",
    "disk quota",
    "file too large",
    "max_temp_directory_size",
)
_READ_ONLY = ("permission denied", "read-only file system", "operation not permitted")
_NEWER = ("storage version number", "with version number", "newer version of duckdb")


def sentence(error: duckdb.Error, path: Path) -> str:
    """What the error says about the file, and what to do."""
    text = str(error)
    first, lowered = text.splitlines()[0] if text else type(error).__name__, text.lower()
    if "conflicting lock" in lowered or "could not set lock" in lowered:
        holder = re.search(r"held in (.*?PID \d+)", text)
        who = f" ({holder[1]})" if holder else ""
        return (
            f"{path} is open in another program{who}; close it there, and open published/prpipeline.duckdb "
            "instead, which is for readers."
        )
    if any(words in lowered for words in _FULL):
        return f"The disk of {path.parent} is full; free some space and run again. What was synced before is kept."
    if any(words in lowered for words in _NEWER):
        return f"{path} was written by a newer DuckDB than this one ({duckdb.__version__}); upgrade duckdb."
    if any(words in lowered for words in _READ_ONLY):
        return f"{path} cannot be written to; mend its permissions, or set PRPIPELINE_DATA_DIR to another folder."
    if isinstance(error, (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException)) or (
        "corrupt" in lowered or "not a valid duckdb" in lowered
    ):
        return (
            f"{path} is damaged or no DuckDB file ({first}); move it away, with the {path.name}.wal beside it if "
            "there is one, and sync again, or restore a backup."
        )
    return f"DuckDB refuses to work on {path}: {first}"
