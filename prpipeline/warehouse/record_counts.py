"""How many pull requests are stored; apart from ``records``, so that who only counts imports no kinds of records.

Works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from prpipeline.model.sql import Connection


class Wanted(Struct, frozen=True):
    """What is read of a pull request now: a set of fields (``model.field_sets``), with or without the keys in its body."""

    field_set: int
    body_keys: bool = False

    @property
    def lacking(self) -> str:
        """The condition for rows of raw.pull_requests that lack some of it. Bots' bodies are not looked at."""
        fields = f"coalesce(field_set, 1) < {int(self.field_set)}"
        keys = "NOT (coalesce(has_body_keys, false) OR author_is_bot)"
        return f"({fields} OR {keys})" if self.body_keys else fields


def lacking_counts(connection: Connection, repository_ids: Sequence[int], wanted: Wanted) -> dict[int, int]:
    """How many pull requests of each of these repositories lack fields; those without any are absent."""
    rows = connection.execute(
        f"""
        SELECT repository_id, count(*) FROM raw.pull_requests
        WHERE repository_id IN (SELECT unnest(?::BIGINT[])) AND {wanted.lacking} GROUP BY ALL
        """,
        [list(repository_ids)],
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
