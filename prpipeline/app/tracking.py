"""The tracked repositories of a data folder, and how far each is synced. Sends no requests, and imports little.

A repository is tracked by the file, the command line or a partition in the UI. The demo's are only there for the demo,
and are shown as long as nothing real is tracked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from msgspec.structs import replace

from prpipeline.app.teams import teams_of
from prpipeline.model.field_sets import FIELD_SET, WITHOUT_FIRST_COMMIT
from prpipeline.model.repository import InvalidRepositoryName, RepositoryName
from prpipeline.model.tracking import TrackedBy
from prpipeline.settings import Settings
from prpipeline.warehouse import (
    Warehouse,
    WarehouseError,
    host,
    jira_projects,
    record_counts,
    shortfalls,
    tracking,
)
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.host import OtherHost
from prpipeline.warehouse.stores import open_store
from prpipeline.warehouse.tracking import Tracked

__all__ = ["OtherHost", "Tracked", "TrackingService", "WarehouseError"]


class TrackingService:
    """The tracked repositories of a data folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.warehouse = Warehouse(open_store(settings.warehouse, settings.data_dir))

    @property
    def host(self) -> str:
        """The address of the GitHub that the settings lead to, as the warehouse keeps it."""
        return host.DEMO if self.settings.is_demo else host.normalised(self.settings.github.api_url)

    def shown(self) -> TrackingService:
        """What people see as tracked: this, or the demo's repositories on the same folder while they are all there is."""
        if self.settings.is_demo or not self.warehouse.exists():
            return self
        with self.warehouse.transaction() as connection:
            is_demo = tracking.tracks_demo_alone(connection)
        if not is_demo:
            return self
        demo = copy(self)  # by the same DuckDB: starting another one takes longer than all else
        demo.settings = replace(self.settings, is_demo=True)
        return demo

    def holds_samples(self) -> bool:
        """Whether the demo's sample data are here. They go when a real repository is read for the first time."""
        if not self.warehouse.exists():
            return False
        with self.warehouse.transaction() as connection:
            return tracking.holds_demo(connection)

    def nothing_tracked(self) -> str:
        """The sentence for who asks about tracked repositories while there are none."""
        if self.holds_samples():
            return "No real repository is tracked yet; the sample data of the demo are all there is."
        if self.settings.file.repositories:
            return f"No repository is tracked yet; the next sync tracks what {self.settings.repositories_file} names."
        return "No repository is tracked yet."

    def tracked(self) -> list[str]:
        """The partition keys of all tracked repositories."""
        return [t.tracked_as for t in self.tracked_rows()]

    def tracked_rows(self) -> list[Tracked]:
        """All tracked repositories with how far each has come."""
        if not self.warehouse.exists():
            return []
        with self.warehouse.transaction() as connection:
            return [t for t in tracking.all_tracked(connection) if self._is_ours(t)]

    def adopt(self, partition_keys: Iterable[str]) -> list[str]:
        """Track repositories that were added as partitions in the UI; a sentence for each that cannot be."""
        refused = []
        for key in sorted(set(partition_keys).difference(self.tracked())):
            try:
                self.track([self.settings.github.repository(key)], tracked_by="ui")
            except InvalidRepositoryName as error:
                refused.append(f"{error} The partition is removed.")
        return refused

    def find(self, name: RepositoryName) -> Tracked | None:
        """A repository that is or was tracked, by the name it was tracked under or the one it has now."""
        if not self.warehouse.exists():
            return None
        with self.warehouse.transaction() as connection:
            known = tracking.find(connection, name)
        return known if known and self._is_ours(known) else None

    def known_rows(self) -> list[Tracked]:
        """All repositories that are or were tracked."""
        if not self.warehouse.exists():
            return []
        with self.warehouse.transaction() as connection:
            return [t for t in tracking.all_known(connection) if self._is_ours(t)]

    def _is_ours(self, tracked: Tracked) -> bool:
        """The demo's repositories are not on the real GitHub, nor the real ones in the demo."""
        return (tracked.tracked_by == "demo") == self.settings.is_demo

    def track(
        self,
        names: Sequence[RepositoryName],
        *,
        tracked_by: TrackedBy,
        days_back: int | None = None,
        keep_options: bool = False,
    ) -> list[str]:
        """Track these; returns the partition keys of those that were not tracked before.

        With ``keep_options``, what is tracked already keeps its days_back. Raises InvalidRepositoryName for a sample
        repository of the demo, and OtherHost.
        """
        added = []
        teams = teams_of(self.settings)
        with self.warehouse.transaction() as connection:
            if self.settings.is_demo:
                tracked_by = "demo"
            host.check(connection, "github", self.host)
            for name in names:
                known = tracking.find(connection, name)
                if known is not None and known.tracked_by == "demo" != tracked_by:
                    raise InvalidRepositoryName(
                        f"{name} is a sample repository of the demo, not one of GitHub; if you mean another one of that "
                        f"name, first: prpipeline untrack --delete-data {name}"
                    )
                if known is not None and known.is_tracked and keep_options:
                    continue
                if tracking.track(
                    connection,
                    name,
                    tracked_by=tracked_by,
                    now=utc_now(),
                    days_back=days_back if days_back is not None or known is None else known.days_back,
                    team=known.team if known else teams.of_repository([str(name)]),
                ):
                    added.append(known.tracked_as if known else str(name))
        return added

    def forget_demo(self) -> None:
        """Remove the sample repositories and all their rows."""
        with self.warehouse.transaction() as connection:
            tracking.forget_tracked_by(connection, "demo")

    def untrack(self, names: Sequence[RepositoryName], *, delete_data: bool) -> list[str]:
        """Stop tracking these; returns the partition keys of those that were."""
        dropped = []
        with self.warehouse.transaction() as connection:
            for name in names:
                known = tracking.find(connection, name)
                if known is not None and tracking.untrack(connection, name, delete_data=delete_data):
                    dropped.append(known)
        return [known.tracked_as for known in dropped]

    @property
    def wanted(self) -> record_counts.Wanted:
        """What the settings let a sync read. gh's own token, which may be there, is not looked for."""
        github = self.settings.github
        by_graphql = github.api == "graphql" and (github.tokens or github.app)
        has_all = by_graphql or self.settings.sync.first_commit_by_rest
        return record_counts.Wanted(
            FIELD_SET if has_all else WITHOUT_FIRST_COMMIT, self.settings.reads_bodies
        )

    def lacking_fields(self, names: Sequence[str] | None = None) -> dict[str, int]:
        """How many stored pull requests of these, or of all tracked, lack fields that a sync reads; by tracked name."""
        rows = [
            t for t in self.tracked_rows() if t.repository_id and (names is None or t.tracked_as in names)
        ]
        if not rows:
            return {}
        with self.warehouse.transaction() as connection:
            ids = [t.repository_id for t in rows if t.repository_id]
            lacking = record_counts.lacking_counts(connection, ids, self.wanted)
        return {t.tracked_as: lacking[t.repository_id] for t in rows if t.repository_id in lacking}

    def jira_status(self) -> list[dict[str, Any]]:
        """One row per selected project of Jira, as it is now in the warehouse; none where there is no Jira."""
        if not (self.settings.uses_jira or self.settings.is_demo) or not self.warehouse.exists():
            return []
        with self.warehouse.transaction() as connection:
            is_ours = jira_projects.holds_samples(connection) == self.settings.is_demo
            rows = jira_projects.selected(connection) if is_ours else []
            if not rows:
                return []
            from prpipeline.warehouse import jira_records  # only where Jira is used

            held = jira_records.counts(connection)
        return [
            {
                "entry": row.entry,
                "project": row.project_key,
                "project_id": row.project_id,
                "status": row.status,
                "last_sync_at": row.last_sync_at,
                "watermark_at": row.watermark_at,
                "reconciled_at": row.reconciled_at,
                "issues": held.get(row.project_id or 0, 0),
                "last_error": row.last_error,
            }
            for row in rows
        ]

    def status(self) -> list[dict[str, Any]]:
        """One row per tracked repository, as it is now in the warehouse."""
        if not self.warehouse.exists():
            return []
        with self.warehouse.transaction() as connection:
            rows = [t for t in tracking.all_tracked(connection) if self._is_ours(t)]
            ids = [t.repository_id for t in rows if t.repository_id]
            held = record_counts.counts(connection, ids)
            short: dict[int, list[str]] = {}
            for each in shortfalls.all_of(connection, ids):
                short.setdefault(each.repository_id, []).append(each.sentence)
            lacking = record_counts.lacking_counts(connection, ids, self.wanted)
        return [
            {
                "tracked_as": t.tracked_as,
                "repository": t.repository,
                "repository_id": t.repository_id,
                "status": t.status,
                "last_sync_at": t.last_sync_at,
                "watermark_at": t.watermark_at,
                "pull_requests": held.get(t.repository_id or 0, 0),
                "pull_requests_on_github": t.pull_requests_on_github,
                "pull_requests_lacking_fields": lacking.get(t.repository_id or 0, 0),
                "history_days_back": t.history_days_back,
                "last_error": t.last_error,
                "short_lists": short.get(t.repository_id or 0, []),
            }
            for t in rows
        ]
