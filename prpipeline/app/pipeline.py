"""The whole way of the data, wired: settings → GitHub → warehouse → metrics → publication.

Dagster's assets and the command line call it, by ``run`` or step by step; it holds no logic of its own steps.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from prpipeline import metrics
from prpipeline.alerts.conditions import run_trouble
from prpipeline.app import audit, credential_locks, freshness, reporting, repositories_file
from prpipeline.app.estimate import Estimate, estimate_history, with_fill_up
from prpipeline.app.schedule_times import next_run
from prpipeline.app.stored import Stored
from prpipeline.app.teams import organizations, teams_of
from prpipeline.app.tracking import TrackingService
from prpipeline.github.etags import MemoryEtags
from prpipeline.github.sources import open_sources
from prpipeline.metrics.checks import Findings, all_checks, find
from prpipeline.model.repository import RepositoryName
from prpipeline.model.tracking import Caller
from prpipeline.publish.release import Release, publish
from prpipeline.report import ReportInfo
from prpipeline.settings import Settings, TrackedOwner, as_json, read_repositories_file
from prpipeline.sync import SyncOptions, SyncResult
from prpipeline.sync.context import Progress as HistoryProgress
from prpipeline.sync.profiles import read_profiles
from prpipeline.sync.source import Source
from prpipeline.sync.teams import read_teams
from prpipeline.sync.workers import sync_with_workers
from prpipeline.warehouse import activity, alerts, etags, host, jira_people, jira_projects, tracking
from prpipeline.warehouse.alerts import Trouble
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.leases import Leases
from prpipeline.warehouse.summary import count_rows

if TYPE_CHECKING:
    from prpipeline.sync.jira_syncer import JiraResult

__all__ = ["Estimate", "HistoryProgress", "Pipeline", "SyncOptions", "SyncResult"]

log = logging.getLogger("prpipeline")

# One transaction for this many repositories' metrics: few enough to see progress, many enough to be fast.
_DERIVED_AT_ONCE = 200

# Where nothing changes, readers still see once a day that all is well.
_QUIET = timedelta(hours=23)  # less than a day, so that a daily run is never passed over


class Pipeline:
    """The steps on one data folder. ``tracking`` says which repositories it is about, ``stored`` what is there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tracking = TrackingService(settings)
        self.warehouse = self.tracking.warehouse
        self.stored = Stored(settings, self.warehouse)

    def follow_file(self, seen: str | None = None) -> str:
        """Track what the repositories file names, unless it is as it was when ``seen`` was returned.

        Owners in the file are listed again every hour, for they get new repositories. Raises ConfigurationError,
        ApiFailure.
        """
        if self.settings.is_demo:
            return ""
        path = self.settings.repositories_file
        file = read_repositories_file(path, self.settings.github)
        stamp = hashlib.sha256(json.dumps(as_json(file)).encode()).hexdigest()[:16]
        if any(isinstance(entry, TrackedOwner) for entry in file.repositories):
            stamp += f"@{utc_now():%Y-%m-%dT%H}"
        if stamp == seen or (not file.repositories and not self.warehouse.exists()):
            return stamp
        with self._sources() as sources:
            owned = cache(sources[0].owner_repositories)
            repositories = repositories_file.wanted(file, owned)
            for sentence in repositories_file.unmatched(file, owned):
                log.warning(sentence)
        with self.warehouse.transaction() as connection:
            if repositories:
                host.check(connection, "github", self.tracking.host)
            repositories_file.follow(connection, repositories, utc_now(), file.all_teams)
        return stamp

    def follow_jira(self) -> None:
        """Select the projects of Jira that the repositories file names, and no others. Makes nothing where it names none."""
        if not (self.settings.uses_jira or self.warehouse.exists()):
            return
        options, is_demo = self.settings.jira_options, self.settings.is_demo
        with self.warehouse.transaction() as connection:
            if jira_projects.follow(connection, options.entries, utc_now(), is_demo=is_demo):
                jira_people.follow(connection, options.people_rows, utc_now())

    def to_be_tracked(self) -> tuple[list[str], list[str]]:
        """What is tracked once the repositories file is followed, and what to say of its patterns; changes nothing.

        Raises ApiFailure where the owners in the file cannot be listed.
        """
        if self.settings.is_demo or not self.settings.file.repositories:
            return self.tracking.tracked(), []
        sources = open_sources(self.settings)
        try:
            owned = cache(sources[0].owner_repositories)
            found = repositories_file.wanted(self.settings.file, owned)
            notes = repositories_file.unmatched(self.settings.file, owned, with_excludes=True)
        finally:
            for source in sources:
                source.close()
        return repositories_file.tracked_after(found, self.tracking.tracked_rows()), notes

    # ── the steps ────────────────────────────────────────────────────────────────────────────────────

    def sync(
        self,
        names: Sequence[str],
        options: SyncOptions,
        *,
        on_progress: Callable[[HistoryProgress], None] = lambda progress: None,
    ) -> Iterator[SyncResult]:
        """Bring these up to date with GitHub; a result each, as each is done.

        Waits while another process syncs by one of the same credentials; what another one is syncing by others is left
        to it, and is "unchanged" here. ``on_progress`` may be called from several
        threads. Raises OtherHost, WarehouseError.
        """
        with self.asking() as (sources, leases):
            yield from sync_with_workers(
                sources, self.warehouse, self.settings.sync, names, options, on_progress, leases
            )
            if wanted := organizations(self.settings, self.tracking.tracked_rows()):
                read_teams(sources, self.warehouse, wanted)
            if self.settings.uses_jira:
                read_profiles(sources, self.warehouse)

    def sync_jira(self, options: SyncOptions, entries: Sequence[str] | None = None) -> Iterator[JiraResult]:
        """Bring the selected projects of Jira up to date, or these of them; a result each, as each is done.

        Waits while another process asks Jira with the same credential. Raises ConfigurationError, OtherHost,
        WarehouseError.
        """
        from prpipeline.app import jira  # only where Jira is used

        chosen = self.settings.jira_options.entries if entries is None else entries
        yield from jira.sync(self.settings, self.warehouse, chosen, options)

    @contextmanager
    def asking(self) -> Iterator[tuple[Sequence[Source], Leases]]:
        """The sources, while no other process asks by one of the same credentials, and this run's leases.

        Raises OtherHost, WarehouseError.
        """
        with self.warehouse.transaction() as connection:
            host.claim(connection, "github", self.tracking.host)
        with closing(self.warehouse.store.leases()) as leases:
            credential_locks.take(self.settings, leases)
            with self._sources() as sources:
                yield sources, leases

    def estimate(self, names: Sequence[str], days_back: int | None = None) -> list[Estimate]:
        """What the histories of these repositories would cost; changes nothing."""
        source, *others = open_sources(self.settings)
        try:
            found = dict(zip(names, estimate_history(source, names, days_back), strict=True))
            lacking = self.tracking.lacking_fields(names)
            return with_fill_up(source, found, lacking, self.settings.sync.fill_up_per_run)
        finally:
            for each in (source, *others):
                each.close()

    def untrack_never_found(self, results: Sequence[SyncResult], candidates: Collection[str]) -> list[str]:
        """Untrack those candidates that GitHub never knew, most likely typing errors; their tracked names."""
        unknown = [
            RepositoryName.parse(result.tracked_as)
            for result in results
            if result.failure == "NotFound"
            and result.repository_id is None
            and result.tracked_as in candidates
        ]
        return self.tracking.untrack(unknown, delete_data=True) if unknown else []

    @contextmanager
    def _sources(self) -> Iterator[Sequence[Source]]:
        remembered = MemoryEtags(self._etags())
        sources = open_sources(self.settings, etags=remembered)
        try:
            yield sources
        finally:
            for source in sources:
                source.close()
        if remembered.fresh:
            with self.warehouse.transaction() as connection:
                etags.save(connection, remembered.fresh)

    def _etags(self) -> dict[str, tuple[str, str]]:
        if not self.warehouse.exists():
            return {}
        with self.warehouse.transaction() as connection:
            return etags.load(connection)

    def derive(self, names: Sequence[str]) -> None:
        """Compute the metrics of these repositories from what is stored; asks GitHub nothing."""
        for start in range(0, len(names), _DERIVED_AT_ONCE):
            with self.warehouse.transaction() as connection:
                known = tracking.get(connection, names[start : start + _DERIVED_AT_ONCE])
                ids = [t.repository_id for t in known.values() if t.repository_id is not None]
                metrics.rebuild(connection, ids, self.settings.metrics, utc_now())

    def aggregate(self) -> dict[str, int]:
        """Bring every table that spans repositories up to date; how many rows each has.

        Before that, the metrics of repositories are computed that are behind their data (a run was killed) or that
        come from other definitions or settings.
        """
        with self.warehouse.transaction() as connection:
            stale = set(metrics.stale_repositories(connection, self.settings.metrics))
            stale |= set(tracking.with_metrics_behind(connection))
            metrics.rebuild(connection, sorted(stale), self.settings.metrics, utc_now())
            tables = metrics.rebuild_aggregates(
                connection,
                self.settings.metrics,
                utc_now(),
                teams_of(self.settings),
                self.settings.jira_options.links_from,
            )
            return count_rows(connection, [f"metrics.{table}" for table in tables])

    def publish(self, audited: Sequence[Findings] | None = None, *, caller: Caller = "python") -> Release:
        """Put what the warehouse holds before its readers, unless an ERROR check finds rows.

        ``audited`` is what all checks found, where the caller has just run them. Raises ReleaseBlocked.
        """
        if audited is None:
            with self.warehouse.transaction() as connection:
                checks = all_checks(None, with_jira=metrics.has_jira(connection))
                audited = list(find(connection, audit.failing(connection, checks)))
        if found := audit.blocking(audited):
            blocked = audit.ReleaseBlocked(found)
            causes = ", ".join(sorted(each.check.name for each in found))
            with self.warehouse.transaction() as connection:
                alerts.note_trouble(connection, Trouble("release", "", causes, str(blocked), utc_now()))
            raise blocked
        return self._published(caller)

    def _published(self, caller: Caller, *, is_only: bool = False) -> Release:
        """Publish, and put it on record."""
        # From before: what changes while it is written has to be published again.
        basis = self._basis()
        deliveries = freshness.of_deliveries(self.settings)
        release = publish(
            self.warehouse,
            is_only=is_only,
            next_run_at=self._next_run_at(),
            newest_delivery_at=deliveries.newest_at,
            median_delivery_seconds=deliveries.median_seconds,
        )
        freshness.note_published(self.settings, deliveries.looked_at, release.published_at)
        with self.warehouse.transaction() as connection:
            activity.record_publication(
                connection,
                published_at=release.published_at,
                is_whole=release.is_whole,
                size_bytes=release.size_bytes,
                seconds=release.seconds,
                row_counts=release.rows,
                basis=basis,
                caller=caller,
            )
            alerts.clear_trouble(connection, "release", "")
        return release

    def note_run(self, caller: Caller, error: Exception | None) -> None:
        """Put on record that a run of this caller got to its end (None), or what stopped it. Raises WarehouseError."""
        if (error is None and not self.warehouse.exists()) or isinstance(error, host.OtherHost):
            return  # of another server's data folder nothing is changed
        with self.warehouse.transaction() as connection:
            if error is None:
                alerts.clear_trouble(connection, "run", caller)
            else:
                alerts.note_trouble(connection, run_trouble(caller, error, utc_now()))

    def has_news(self) -> bool:
        """Whether publishing would show readers anything but that it is later; once a day that is enough."""
        with self.warehouse.transaction() as connection:
            last = activity.last_publication(connection)
        if last is None or not self.settings.published_path.exists():
            return True
        return last.basis != self._basis() or utc_now() - last.published_at >= _QUIET

    def _basis(self) -> str:
        with self.warehouse.transaction() as connection:
            chosen = json.dumps(as_json(teams_of(self.settings)))
            if uses_jira := self.settings.uses_jira:
                chosen += ",".join(self.settings.jira_options.links_from)
            chosen = metrics.fingerprint(self.settings.metrics) + chosen
            return activity.publication_basis(connection, chosen, with_jira=uses_jira)

    def _next_run_at(self) -> datetime | None:
        coming = next_run(self.settings.schedule, datetime.now(UTC))
        return coming and coming.replace(tzinfo=None)

    def publish_deletion(self) -> None:
        """Leave nothing published, of now or before, that still has rows which were deleted on purpose."""
        self.aggregate()
        self._published("command_line", is_only=True)
        self.report()

    def upload(self, *, is_only: bool = False) -> str | None:
        """Publish beyond the data folder, where that is set and not done yet; a sentence where it failed.

        ``is_only`` leaves no older release there, after ``publish_deletion``.
        """
        if self.settings.publish_to is None:
            return None
        from prpipeline.app import elsewhere  # only where it is used

        return elsewhere.upload(self.settings, self.tracking, is_only=is_only)

    @property
    def report_path(self) -> Path:
        return reporting.report_path(self.settings)

    def report(self) -> ReportInfo:
        """Write the report of what is published, beside it. Raises WarehouseError."""
        return reporting.report(self.settings)
