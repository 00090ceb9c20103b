"""Examines everything that a sync needs; says of each what is wrong and what to do. Changes nothing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from msgspec.structs import replace

from prpipeline.app import teams
from prpipeline.app.basics import SAMPLE_DATA, filling_up
from prpipeline.app.repositories_file import unmatched_by_tracked
from prpipeline.app.schedule_times import next_runs
from prpipeline.app.silence import unannounced
from prpipeline.app.tracking import TrackingService
from prpipeline.github.sources import open_sources
from prpipeline.model.deliveries import InboxError
from prpipeline.model.failures import AccessDenied, ApiFailure, NotFound
from prpipeline.model.repository import RepositoryName, by_reason, listed
from prpipeline.settings import ConfigurationError, Settings
from prpipeline.sync.source import Source
from prpipeline.warehouse import WarehouseError
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.tracking import Tracked
from prpipeline.webhooks.inbox import Inbox

_OLDEST_HINT_SECONDS = 15 * 60
_SMALLEST_DISK = 1_000_000_000
_SHOWN_REASONS = 5
_TRIED_REPOSITORIES = 3
_ATTEMPTS = 2


Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined."""

    level: Level
    what: str
    says: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything that a sync needs, one after the other."""
    yield _versions()
    yield _settings(settings)
    yield from _folder(settings)
    tracked: list[Tracked] = []
    holds_samples = False
    failed: dict[str, str] = {}
    try:
        tracking = TrackingService(settings)
        # The credential is tried on those that were synced before: another's name may be wrong.
        tracked = sorted(tracking.tracked_rows(), key=lambda row: row.status != "ok")
        holds_samples = tracking.holds_samples()
        failed = {row["entry"]: row["last_error"] for row in tracking.jira_status() if row["last_error"]}
        yield from _repositories(tracked, tracking.nothing_tracked())
        names = [n for row in tracked for n in (row.tracked_as, row.repository) if n]
        for sentence in unmatched_by_tracked(settings.file, names):
            yield Finding("note", "repositories file", sentence)
        for sentence in teams.notes(settings, tracking.warehouse, names):
            yield Finding("note", "teams", sentence)
        for sentence in teams.unread(settings, tracking.warehouse, tracked):
            yield Finding("note", "teams", sentence)
        if settings.uses_jira:
            from prpipeline.app.people import withheld

            for sentence in withheld(tracking.warehouse):
                yield Finding("note", "people", sentence)
        if lacking := sum(tracking.lacking_fields().values()):
            says = filling_up(lacking, settings.sync.fill_up_per_run, with_bodies=settings.reads_bodies)
            yield Finding("note", "pull requests", says)
    except WarehouseError as error:
        yield Finding("problem", "warehouse", str(error))
    sources = open_sources(_impatient(settings))
    for source in sources:
        yield from _credential(source, tracked)
        source.close()
    yield from _jira(settings, failed)
    yield _schedule(settings)
    yield from _alerts(settings)
    yield from _webhooks(settings, tracked)
    yield _published(settings, is_sample_data=holds_samples)
    yield from _elsewhere(settings)


def _impatient(settings: Settings) -> Settings:
    """The same with few attempts: what a sync would wait out is what who asks the doctor wants to know."""
    sync = replace(settings.sync, attempts=min(_ATTEMPTS, settings.sync.attempts))
    return replace(settings, file=replace(settings.file, sync=sync))


def _versions() -> Finding:
    names = ("prpipeline", "dagster", "duckdb")
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("ok", "versions", f"Python {python}, " + ", ".join(f"{n} {version(n)}" for n in names))


def _settings(settings: Settings) -> Finding:
    file = settings.repositories_file
    if not file.exists():
        return Finding("note", "repositories file", f"{file} does not exist; it is optional.")
    return Finding("ok", "repositories file", f"{file}: {len(settings.file.repositories)} entries.")


def _repositories(rows: list[Tracked], nothing_tracked: str) -> Iterator[Finding]:
    if not rows:
        yield Finding("note", "repositories", f"{nothing_tracked} Name one: prpipeline sync OWNER/NAME")
        return
    reasons = by_reason((row.tracked_as, row.last_error) for row in rows if row.last_error)
    failed = sum(map(len, reasons.values()))
    how_many = f", the last sync of {failed:,} failed" if failed else ""
    yield Finding("problem" if failed else "ok", "repositories", f"{len(rows):,} tracked{how_many}.")
    for reason, names in list(reasons.items())[:_SHOWN_REASONS]:
        yield Finding("problem", listed(names), reason)
    if len(reasons) > _SHOWN_REASONS:
        yield Finding("problem", "repositories", "More failed for other reasons; see: prpipeline status")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        yield Finding(
            "problem",
            "data folder",
            f"{existing} cannot be written to; mend that, or set PRPIPELINE_DATA_DIR.",
        )
        return
    free = shutil.disk_usage(existing).free
    yield Finding(
        "ok" if free > _SMALLEST_DISK else "problem",
        "data folder",
        f"{folder}, {free / 1e9:.1f} GB free{'' if free > _SMALLEST_DISK else '; make room before you sync'}.",
    )


def _credential(source: Source, tracked: list[Tracked]) -> Iterator[Finding]:
    """Whether the credential is accepted. What only one repository refuses is that repository's problem."""
    if source.is_anonymous:
        yield Finding(
            "note",
            "credential",
            f"None: {source.address} will answer 60 requests an hour, for public repositories. Set GITHUB_TOKEN for "
            "5,000.",
        )
    seen: str | None = None
    try:
        for row in tracked[:_TRIED_REPOSITORIES]:
            try:
                source.repository(RepositoryName.parse(row.tracked_as))
            except (NotFound, AccessDenied) as failure:
                if row.last_error is None:  # else it is among the syncs that failed
                    yield Finding("problem", row.tracked_as, str(failure))
            else:
                seen = row.tracked_as
                break
        if seen is None:
            source.try_credential()
        source.check_queries(seen)
    except ApiFailure as failure:
        yield Finding("problem", source.name, str(failure))
        return
    known = source.allowance(seen)
    left = (
        f"{known.remaining:,} of {known.limit:,} {known.resource} left, anew at {known.resets_at:%H:%M} UTC"
        if known
        else "no limits"
    )
    does = f"sees {seen}" if seen else "is accepted"
    yield Finding("ok", source.name, f"{source.address} answers, the credential {does}; {left}.")


def _jira(settings: Settings, failed: Mapping[str, str]) -> Iterator[Finding]:
    """Whether Jira's credential is accepted, and each selected project may be browsed; nothing where there is no Jira.

    ``failed``: why the last sync of an entry failed, where it did.
    """
    if not settings.uses_jira:
        if settings.jira is not None:
            says = "JIRA_URL is set, but no project is selected, so that nothing of Jira is read; list some in the repositories file under jira.projects."
            yield Finding("note", "Jira", says)
        return
    from prpipeline.app.jira import opened

    try:
        source = opened(settings, impatient=True)
        try:
            account = source.account()
            found = source.find_projects(settings.jira_options.entries)
        finally:
            source.close()
    except (ApiFailure, ConfigurationError) as failure:
        yield Finding("problem", "Jira", str(failure))
        return
    name = account.display_name or account.account_id
    yield Finding("ok", "Jira", f"{source.site} accepts the token of {name} (time zone {account.time_zone}).")
    for entry, project in found.items():
        if isinstance(project, ApiFailure):
            yield Finding("problem", f"Jira {entry}", str(project))
        elif entry in failed:
            yield Finding(
                "problem", f"Jira {entry}", f"It may be browsed, but its last sync failed: {failed[entry]}"
            )
        else:
            yield Finding("ok", f"Jira {entry}", f"{project.name} ({project.project_key}) may be browsed.")


def _schedule(settings: Settings) -> Finding:
    coming = next_runs(settings.schedule, datetime.now(UTC))
    if not coming:
        return Finding("note", "schedule", "Off; set schedule.enabled in the repositories file.")
    texts = ", ".join(f"{name} next at {moment:%Y-%m-%d %H:%M} UTC" for name, moment in coming.items())
    return Finding("ok", "schedule", f"{texts}, while 'prpipeline dev' or Dagster's daemon runs.")


def _alerts(settings: Settings) -> Iterator[Finding]:
    """Tries the addresses of alerts without sending anything; nothing where there are none."""
    from prpipeline.alerts.receiver import NotSent, Receiver

    for name in settings.alerts.targets:
        try:
            Receiver(name, settings.alerts.target(name), settings.alert_secrets)
        except NotSent as error:
            yield Finding("problem", "alerts", str(error))
        else:
            yield Finding("ok", "alerts", f"{name}: its address can be used.")


def _webhooks(settings: Settings, tracked: list[Tracked]) -> Iterator[Finding]:
    """What came, what waits and what is wrong with hooks; nothing where no receiver ever ran."""
    inbox = Inbox(settings.data_dir)
    if not inbox.exists():
        return
    try:
        found = inbox.summary()
        now = utc_now()
        last = (
            f"the last delivery came at {found.last_delivery_at:%Y-%m-%d %H:%M} UTC"
            if found.last_delivery_at
            else "none came yet"
        )
        age = found.oldest_seconds(now) or 0.0
        is_stuck = age > _OLDEST_HINT_SECONDS
        yield Finding(
            "problem" if is_stuck else "ok",
            "webhooks",
            f"{found.received:,} deliveries, {last}; {found.refused:,} refused, {found.parked:,} parked, {found.depth:,} wait"
            f"{f', the oldest for {age / 60:,.0f} minutes: does Dagster run, or serve with --drain?' if is_stuck else '.'}",
        )
        if found.refused > found.received:
            yield Finding(
                "problem",
                "webhooks",
                "More were refused than received: is the secret the same on both sides?",
            )
        for hook in found.hooks:
            if hook.deleted_at:
                yield Finding(
                    "problem",
                    f"webhook {hook.hook_id}",
                    f"It was deleted at GitHub at {hook.deleted_at:%Y-%m-%d %H:%M} UTC.",
                )
            elif hook.problem:
                says = f"It is set up wrong: {hook.problem}. Mend it: prpipeline webhooks install"
                yield Finding("problem", f"webhook {hook.hook_id}", says)
    except InboxError as error:
        yield Finding("problem", "webhooks", str(error))
        return
    finally:
        inbox.close()
    warehouse = TrackingService(settings).warehouse
    if warehouse.exists():
        try:
            with warehouse.transaction() as connection:
                stopped = unannounced(connection, settings, tracked)
        except WarehouseError as error:
            yield Finding("problem", "webhooks", str(error))
            return
        for name, says in stopped.items():
            yield Finding("problem", name, says)


def _published(settings: Settings, *, is_sample_data: bool) -> Finding:
    if not settings.published_path.exists():
        return Finding("note", "published file", "Not there yet; the first sync makes it.")
    if is_sample_data:
        return Finding("note", "published file", f"{settings.published_path}. {SAMPLE_DATA}")
    return Finding("ok", "published file", str(settings.published_path))


def _elsewhere(settings: Settings) -> Iterator[Finding]:
    """Whether the bucket can be read, and has what is published here; nothing where there is none."""
    if settings.publish_to is None:
        return
    from prpipeline.app import elsewhere

    try:
        yield Finding("ok", "bucket", elsewhere.look(settings))
    except WarehouseError as error:
        yield Finding("problem", "bucket", str(error))
        return
    last = elsewhere.last_upload(settings)
    if last and last.error:
        yield Finding("problem", "bucket", elsewhere.in_words(last))
