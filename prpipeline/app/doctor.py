"""Examines everything that a sync needs; says of each what is wrong and what to do. Changes nothing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from prpipeline.app.schedule_times import next_runs
from prpipeline.app.tracking import TrackingService
from prpipeline.github.sources import open_sources
from prpipeline.model.failures import ApiFailure
from prpipeline.model.repository import RepositoryName, by_reason, listed
from prpipeline.settings import Settings
from prpipeline.sync.source import Source
from prpipeline.warehouse import WarehouseError
from prpipeline.warehouse.tracking import Tracked

_SMALLEST_DISK = 1_000_000_000
_SHOWN_REASONS = 5


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
    tracked: list[str] = []
    try:
        rows = TrackingService(settings).tracked_rows()
        # The credential is tried on one that was synced before: another's name may be wrong.
        tracked = [row.tracked_as for row in sorted(rows, key=lambda row: row.status != "ok")]
        yield from _repositories(rows)
    except WarehouseError as error:
        yield Finding("problem", "warehouse", str(error))
    sources = open_sources(settings)
    for source in sources:
        yield from _credential(source, tracked)
        source.close()
    yield _schedule(settings)
    yield _published(settings)


def _versions() -> Finding:
    names = ("prpipeline", "dagster", "duckdb")
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("ok", "versions", f"Python {python}, " + ", ".join(f"{n} {version(n)}" for n in names))


def _settings(settings: Settings) -> Finding:
    file = settings.repositories_file
    if not file.exists():
        return Finding("note", "repositories file", f"{file} does not exist; it is optional.")
    return Finding("ok", "repositories file", f"{file}: {len(settings.file.repositories)} entries.")


def _repositories(rows: list[Tracked]) -> Iterator[Finding]:
    if not rows:
        yield Finding("note", "repositories", "None is tracked yet; name one: prpipeline sync OWNER/NAME")
        return
    reasons = by_reason((row.tracked_as, row.last_error) for row in rows if row.last_error)
    failed = sum(map(len, reasons.values()))
    how_many = f", the last sync of {failed:,} failed" if failed else ""
    yield Finding("ok", "repositories", f"{len(rows):,} tracked{how_many}.")
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


def _credential(source: Source, tracked: list[str]) -> Iterator[Finding]:
    if source.is_anonymous:
        yield Finding(
            "note",
            "credential",
            f"None: {source.address} will answer 60 requests an hour, for public repositories. Set GITHUB_TOKEN for "
            "5,000.",
        )
    try:
        if tracked:
            source.repository(RepositoryName.parse(tracked[0]))
        else:
            source.try_credential()
    except ApiFailure as failure:
        yield Finding("problem", source.name, str(failure))
        return
    known = source.allowance(tracked[0] if tracked else None)
    left = (
        f"{known.remaining:,} of {known.limit:,} {known.resource} left, anew at {known.resets_at:%H:%M} UTC"
        if known
        else "no limits"
    )
    seen = f"sees {tracked[0]}" if tracked else "is accepted"
    yield Finding("ok", source.name, f"{source.address} answers, the credential {seen}; {left}.")


def _schedule(settings: Settings) -> Finding:
    coming = next_runs(settings.schedule, datetime.now(UTC))
    if not coming:
        return Finding("note", "schedule", "Off; set schedule.enabled in the repositories file.")
    texts = ", ".join(f"{name} next at {moment:%Y-%m-%d %H:%M} UTC" for name, moment in coming.items())
    return Finding("ok", "schedule", f"{texts}, while 'prpipeline dev' or Dagster's daemon runs.")


def _published(settings: Settings) -> Finding:
    if not settings.published_path.exists():
        return Finding("note", "published file", "Not there yet; the first sync makes it.")
    return Finding("ok", "published file", str(settings.published_path))
