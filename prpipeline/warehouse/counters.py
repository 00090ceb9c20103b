"""The numbers of what is recorded, and how long records are kept. Works inside the caller's transaction."""

from __future__ import annotations

from typing import Literal

from prpipeline.model.sql import Connection

KEPT_DAYS = 400


def next_id(
    connection: Connection,
    name: Literal["syncs", "jira_syncs", "publications", "messages"],
    count: int = 1,
) -> int:
    """The next id from a counter, the last of ``count``: rows are deleted, and the table's highest could come again."""
    found = connection.execute("SELECT value FROM meta.counters WHERE name = ?", [name]).fetchone()
    value = count + (found[0] if found else 0)
    if found:
        connection.execute("UPDATE meta.counters SET value = ? WHERE name = ?", [value, name])
    else:
        connection.execute("INSERT INTO meta.counters VALUES (?, ?)", [name, value])
    return value
