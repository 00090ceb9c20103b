"""What a release shows, in short: a hidden file beside it, and how it is read off a warehouse.

To look at every row again costs as much as all else of a day's publication; so a repository is told by what every
write of its rows leaves behind: when it changed, the time at which GitHub gave each pull request, how many rows there
are, when its metrics were computed and by which settings.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from prpipeline import metrics
from prpipeline.model.sql import Connection
from prpipeline.publish import dictionary
from prpipeline.publish.release_tables import query

_CONTENTS_NAME = ".contents.json"

# What tells of each table's rows, by repository. Some bear its name, and get a new one apart from all else.
_WITNESSES = {
    "raw.pull_requests": "hash(pull_request_id, synced_at)",
    "raw.reviews": "0",
    "raw.review_events": "0",
    "metrics.pull_request_times": "0",
    "metrics.draft_periods": "hash(repository)",
    "metrics.reviewer_weekly": "hash(repository)",
    "metrics.author_weekly": "hash(repository)",
}


@dataclass(frozen=True, slots=True)
class Contents:
    """What a release's file shows. ``states``: by repository_id what differs when its rows do."""

    layout: str
    states: dict[str, str]
    bytes_when_whole: int

    def differing(self, states: dict[str, str]) -> list[int]:
        """The repositories whose states are not these, or that are there no more."""
        both = self.states.keys() | states.keys()
        return sorted(int(key) for key in both if self.states.get(key) != states.get(key))


def read(folder: Path) -> Contents | None:
    try:
        return Contents(**json.loads((folder / _CONTENTS_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # none, or another version's
        return None


def write(folder: Path, contents: Contents) -> None:
    (folder / _CONTENTS_NAME).write_text(json.dumps(asdict(contents)), encoding="utf-8")


def layout(connection: Connection) -> str:
    """Changes with whatever the code and the settings say of the tables, other than the values in them."""
    texts = [dictionary.text()]
    texts += [query(table.name, "warehouse") for table in dictionary.load().tables]
    texts += map(metrics.published_view, metrics.PUBLISHED_VIEWS)
    for rows in (
        "FROM warehouse.metrics.definitions",
        "SELECT * EXCLUDE (as_of) FROM warehouse.metrics.metric_settings",
    ):
        texts.append(str(connection.execute(rows).fetchall()))
    texts.append(duckdb.__version__)  # hashes are its own
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def states(connection: Connection) -> dict[str, str]:
    counted = " UNION ALL ".join(
        f"SELECT repository_id, row(count(*), sum({witness}))::VARCHAR AS state, '{table}' AS told_by "
        f"FROM warehouse.{table} GROUP BY repository_id"
        for table, witness in _WITNESSES.items()
    )
    rows = connection.execute(
        f"""
        SELECT repository_id, string_agg(state, ' ' ORDER BY told_by, state)
        FROM (
            SELECT repository_id, row(
                any_value(names.repository), any_value(names.team), list(changed_at ORDER BY tracked_as)
            )::VARCHAR, 'names and change'
            FROM warehouse.meta.repositories
            JOIN names USING (repository_id)
            GROUP BY repository_id
            UNION ALL
            SELECT repository_id, row(computed_at, metric_version, settings_fingerprint)::VARCHAR, 'computed'
            FROM warehouse.meta.metric_states
            UNION ALL {counted}
        ) AS witnesses(repository_id, state, told_by)
        SEMI JOIN names USING (repository_id)  -- of others nothing is shown
        GROUP BY repository_id
        """
    ).fetchall()
    return {str(repository_id): state for repository_id, state in rows}
