"""The ETags of conditional requests, each with the content of its answer. Works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping

from prpipeline.model.sql import Connection
from prpipeline.warehouse.rows import insert

Remembered = Mapping[str, tuple[str, str] | None]
"""The ETag and its value by key; None for a key to delete."""


def load(connection: Connection) -> dict[str, tuple[str, str]]:
    """All ETags and values by key."""
    rows = connection.execute("SELECT key, etag, value FROM meta.etags").fetchall()
    return {key: (etag, value) for key, etag, value in rows}


def save(connection: Connection, remembered: Remembered) -> None:
    """Replace what is stored under these keys."""
    connection.execute(
        "DELETE FROM meta.etags WHERE key IN (SELECT unnest(?::VARCHAR[]))", [list(remembered)]
    )
    rows = [{"key": key, "etag": kept[0], "value": kept[1]} for key, kept in remembered.items() if kept]
    insert(connection, "meta.etags", rows)
    # A repository may have been untracked with its data while it was being synced.
    connection.execute(
        """
        DELETE FROM meta.etags WHERE regexp_extract(key, '/repositories/([0-9]+)/', 1) NOT IN (
            SELECT '' UNION ALL SELECT repository_id::VARCHAR FROM meta.repositories WHERE repository_id IS NOT NULL
        )
        """
    )
