"""DuckDB's errors as sentences: what is wrong with the warehouse, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from prpipeline.warehouse.store import Store


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


def sentence(error: duckdb.Error, store: Store) -> str:
    """One sentence on an error that a store's tables were used with."""
    text, path = str(error), store.path
    if said := store.explain(text):
        return said
    first, lowered = text.splitlines()[0] if text else type(error).__name__, text.lower()
    if "conflicting lock" in lowered or "could not set lock" in lowered:
        holder = re.search(r"held in (.*?PID \d+)", text)
        who = f" ({holder[1]})" if holder else ""
        return (
            f"{store.where} is open in another program{who}; close it there, and open published/prpipeline.duckdb "
            "instead, which is for readers."
        )
    if any(words in lowered for words in _FULL):
        return f"The disk of {path.parent} is full; free some space and run again. What was synced before is kept."
    if any(words in lowered for words in _NEWER):
        return f"{store.where} was written by a newer DuckDB than this one ({duckdb.__version__}); upgrade duckdb."
    if any(words in lowered for words in _READ_ONLY):
        return f"{store.where} cannot be written to; correct its permissions, or set PRPIPELINE_DATA_DIR to another folder."
    if isinstance(error, (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException)) or (
        "corrupt" in lowered or "not a valid duckdb" in lowered
    ):
        return (
            f"{store.where} is damaged or no DuckDB file ({first}); move it away, with the {path.name}.wal beside it if "
            "there is one, and sync again, or restore a backup."
        )
    return f"DuckDB refuses to work on {store.where}: {first}"
