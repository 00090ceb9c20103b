"""How many pull requests are stored; apart from ``records``, so that who only counts imports no kinds of records.

Works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from prpipeline.model.sql import Connection


def lacking_counts(connection: Connection, repository_ids: Sequence[int], field_set: int) -> dict[int, int]:
    """How many pull requests of each of these repositories lack fields; those without any are absent."""
    rows = connection.execute(
        """
        SELECT repository_id, count(*) FROM raw.pull_requests
        WHERE repository_id IN (SELECT unnest(?::BIGINT[])) AND coalesce(field_set, 1) < ? GROUP BY ALL
        """,
        [list(repository_ids), field_set],
    ).fetchall()
    return dict(rows)


def count(connection: Connection, repository_id: int) -> int:
    """How many pull requests of a repository are stored."""
    return counts(connection, [repository_id]).get(repository_id, 0)


def counts(connection: Connection, repository_ids: Sequence[int]) -> dict[int, int]:
    """How many pull requests of each of these repositories are stored; those without any are absent."""
    rows = connection.execute(
        """
        SELECT repository_id, count(*) FROM raw.pull_requests
        WHERE repository_id IN (SELECT unnest(?::BIGINT[])) GROUP BY ALL
        """,
        [list(repository_ids)],
    ).fetchall()
    return dict(rows)
