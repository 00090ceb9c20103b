"""What is stored and published, for those who show it; changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prpipeline.metrics.checks import Check, Findings, find
from prpipeline.model.sql import Connection, rows_of
from prpipeline.publish.reader import open_published
from prpipeline.settings import Settings
from prpipeline.warehouse import Warehouse, activity, jira_projects, tracking
from prpipeline.warehouse.activity import Publication, RecordedSync
from prpipeline.warehouse.jira_projects import RecordedJiraSync, SelectedProject
from prpipeline.warehouse.summary import Summary, Week, preview, row_counts, summaries, weeks_of_all

if TYPE_CHECKING:
    import pandas as pd

_LATEST = """
    SELECT repository, number, title, author_login, state, review_time_hours, null_reason, first_reviewer_login
    FROM review_time_hours WHERE NOT is_bot_author ORDER BY created_at DESC LIMIT ?
"""


class Stored:
    """Looks at the data folder; each look is of one moment. Raises WarehouseError."""

    def __init__(self, settings: Settings, warehouse: Warehouse) -> None:
        self._settings = settings
        self._warehouse = warehouse

    def check(self, checks: Sequence[Check]) -> list[Findings]:
        """What these checks find in the warehouse, all of the same moment."""
        with self._warehouse.transaction() as connection:
            return list(find(connection, checks))

    def row_counts(self, names: Sequence[str]) -> dict[str, dict[str, int]]:
        """How many rows of these repositories each table holds, by tracked name."""
        with self._warehouse.transaction() as connection:
            ids = self._ids(connection, names)
            return {ids[i]: rows for i, rows in row_counts(connection, list(ids)).items()}

    def summaries(self, names: Sequence[str]) -> dict[str, Summary]:
        """What is stored of these repositories, by tracked name."""
        with self._warehouse.transaction() as connection:
            ids = self._ids(connection, names)
            return {ids[i]: summary for i, summary in summaries(connection, list(ids)).items()}

    def weeks(self) -> tuple[Week, ...]:
        """The last half year of all repositories together, by week."""
        with self._warehouse.transaction() as connection:
            return weeks_of_all(connection)

    @staticmethod
    def _ids(connection: Connection, names: Sequence[str]) -> dict[int, str]:
        known = tracking.get(connection, names)
        return {t.repository_id: t.tracked_as for t in known.values() if t.repository_id is not None}

    def latest(self, limit: int) -> list[dict[str, Any]]:
        """The newest pull requests with their review times, as published; columns by name."""
        with open_published(self._settings.published_path) as connection:
            return rows_of(connection, _LATEST, [limit])

    def preview(self, table: str, repository_id: int) -> pd.DataFrame:
        """The newest rows of a repository in a table."""
        with self._warehouse.transaction() as connection:
            return preview(connection, table, repository_id)

    def activity_since(
        self, sync_id: int, publication_id: int, limit: int
    ) -> tuple[list[RecordedSync], list[Publication]]:
        """The recorded syncs and publications with higher numbers, the first ``limit`` of each."""
        if not self._warehouse.exists():
            return [], []
        with self._warehouse.transaction() as connection:
            return (
                activity.syncs_since(connection, sync_id, limit),
                activity.publications_since(connection, publication_id, limit),
            )

    def jira_projects(self) -> list[SelectedProject]:
        """The projects of Jira that are selected, with how far each has come."""
        if not self._warehouse.exists():
            return []
        with self._warehouse.transaction() as connection:
            is_ours = jira_projects.holds_samples(connection) == self._settings.is_demo
            return jira_projects.selected(connection) if is_ours else []

    def jira_activity_since(self, sync_id: int, limit: int) -> list[RecordedJiraSync]:
        """The recorded syncs of projects with higher numbers, the first ``limit`` of them."""
        if not self._warehouse.exists():
            return []
        with self._warehouse.transaction() as connection:
            return jira_projects.syncs_since(connection, sync_id, limit)
