"""What the UI shows beside an asset: schemas, numbers that it plots over time, previews, sentences."""

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import dagster as dg
import pandas as pd

from prpipeline.app.freshness import DeliveryFreshness
from prpipeline.app.types import (
    Findings,
    Publication,
    Release,
    ReportInfo,
    Summary,
    SyncResult,
    Tracked,
    Week,
    by_reason,
    listed,
)
from prpipeline.defs import picture

Metadata = dict[str, dg.MetadataValue | str | int | float]

PUBLISHED_AT = "published at"
_SHOWN = 50  # rows of a table
AGAIN = "To read only these again: on the page of asset raw/pull_requests click Materialize, then Failed."

# Every sign that means something in Markdown or HTML, written so that it means itself.
_ENTITIES = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_{}[]<>#!|~@&"}


def of_partition(
    table: str, summary: Summary, result: SyncResult | None, rows_before: int | None
) -> Metadata:
    """One repository's part of a table after a sync (or after computing anew, without a result)."""
    rows = summary.rows.get(table, 0)
    entries: Metadata = {"dagster/partition_row_count": rows}
    if rows_before is not None:
        entries["rows added"] = rows - rows_before
    if table == "review_time_hours":
        entries |= _last_week(summary.weeks)
    return entries | (_of_sync(result) if result else {})


def _last_week(weeks: Sequence[Week]) -> Metadata:
    known = [week for week in weeks if week.median_hours is not None]
    return {"median hours, last week with reviews": round(known[-1].median_hours or 0, 2)} if known else {}


def _of_sync(result: SyncResult) -> Metadata:
    entries: Metadata = {
        "mode": result.mode,
        "pull requests read": result.pull_requests,
        "reviews read": result.reviews,
        "rows removed": result.removed,
        "requests": result.requests,
        "points": result.points,
        "seconds": result.seconds,
    }
    if result.on_github is not None:
        entries["pull requests here"] = result.held
        entries["pull requests counted by GitHub"] = result.on_github
    if result.window_end is not None:
        start = f"{result.window_start:%Y-%m-%d %H:%M}" if result.window_start else "the beginning"
        entries["window"] = f"{start} to {result.window_end:%Y-%m-%d %H:%M} UTC"
    return entries


def to_look_at(table: str, summary: Summary, rows: pd.DataFrame) -> Metadata:
    """The picture and the first rows; they cost a few kilobytes an event."""
    drawn = _picture(summary.weeks) if table == "review_time_hours" else {}
    return drawn | {"preview": preview(rows)}


def _picture(weeks: Sequence[Week]) -> Metadata:
    if all(week.median_hours is None for week in weeks):
        return {}
    text = "Median hours until the first review, by week"
    drawn = picture.markdown(picture.review_time_by_week(weeks), text)
    return {"review time by week": dg.MetadataValue.md(drawn)}


def of_release(release: Release, weeks: Sequence[Week], tracked: Sequence[Tracked]) -> Metadata:
    table = pd.DataFrame({"table": list(release.rows), "rows": list(release.rows.values())})
    # The UI plots numbers over time for what has no partitions, such as this.
    return (
        _picture(weeks)
        | _last_week(weeks)
        | {
            PUBLISHED_AT: dg.MetadataValue.timestamp(release.published_at.replace(tzinfo=UTC)),
            "file": dg.MetadataValue.path(str(release.path)),
            "dagster/row_count": release.rows["review_time_hours"],
            "megabytes": round(release.size_bytes / 1e6, 2),
            "written": "whole" if release.is_whole else "what changed since the last release",
            "seconds": release.seconds,
            "rows": dg.MetadataValue.md(table.to_markdown(index=False)),
        }
        | _failing(tracked)
    )


def of_publication(
    publication: Publication, path: Path, weeks: Sequence[Week], tracked: Sequence[Tracked]
) -> Metadata:
    """A publication that something else than Dagster made, from its record."""
    release = Release(
        path=path,
        folder=path.parent,
        published_at=publication.published_at,
        rows=publication.row_counts,
        is_whole=publication.is_whole,
        size_bytes=publication.size_bytes,
        seconds=publication.seconds,
    )
    return of_release(release, weeks, tracked) | {"by": publication.caller.replace("_", " ")}


def of_deliveries(found: DeliveryFreshness) -> Metadata:
    """How fresh webhooks make what is published; the UI plots the delay. Nothing where there are none."""
    entries: Metadata = {}
    if found.newest_at is not None:
        entries["newest delivery at"] = dg.MetadataValue.timestamp(found.newest_at.replace(tzinfo=UTC))
    if found.median_seconds is not None:
        entries["median seconds, delivery to publication"] = found.median_seconds
    return entries


def _failing(tracked: Sequence[Tracked]) -> Metadata:
    """The repositories whose numbers are older than the release, because their syncs fail."""
    rows = [row for row in tracked if row.last_error]
    entries: Metadata = {"repositories whose sync fails": len(rows)}
    if rows:
        frame = pd.DataFrame(
            {
                "repository": [plain(row.tracked_as) for row in rows],
                "last success": [
                    f"{row.last_sync_at:%Y-%m-%d %H:%M}" if row.last_sync_at else "never" for row in rows
                ],
                "why": [plain_sentence(row.last_error or "") for row in rows],
            }
        )
        entries["not up to date"] = dg.MetadataValue.md(frame.head(_SHOWN).to_markdown(index=False))
    return entries


def of_published(release: Release, table: str) -> Metadata:
    """A table of the release; views are not counted."""
    return {"dagster/row_count": release.rows[table]} if table in release.rows else {}


def of_report(report: ReportInfo) -> Metadata:
    return {
        "file": dg.MetadataValue.path(str(report.path)),
        "megabytes": round(report.size_bytes / 1e6, 2),
        "repositories": report.repositories,
        "pull requests waiting": report.waiting,
        "seconds": report.seconds,
    }


def preview(frame: pd.DataFrame) -> dg.MetadataValue:
    """Rows as a Markdown table; what people wrote is shown as they wrote it, not rendered."""
    shown = frame.astype("object").where(frame.notna(), "")
    return dg.MetadataValue.md(shown.map(plain).to_markdown(index=False, disable_numparse=True))


def plain(value: object) -> str:
    """Text of unknown origin, made harmless in Markdown and in the UI."""
    text = "".join(c if c.isprintable() else " " for c in str(value))
    text = text if len(text) <= 60 else text[:59] + "…"
    return text.translate(_ENTITIES)


def finding(found: Findings) -> str:
    """What a check found, for the list of checks."""
    if not found.count:
        return "Nothing found, as it should be."
    shown = f", of which the first {len(found.rows)} are shown" if found.count > len(found.rows) else ""
    return f"{_counted(found.count, 'row')} found{shown}. {found.check.description}"


def errors(blocking: Sequence[Findings]) -> str:
    """Which ERROR checks failed, for a run that publishes nothing."""
    return " ".join(f"{found.check.name}: {finding(found)}" for found in blocking)


def _counted(number: float, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def failures(failed: Sequence[SyncResult], total: int, *, publishes: bool) -> str:
    """Which repositories failed and why, what becomes of the others, and how to read only these again."""
    reasons = list(by_reason((result.tracked_as, result.error or "") for result in failed).items())
    shown = [f"{listed(names)}: {reason}" for reason, names in reasons[:10]]
    left = sum(len(names) for _, names in reasons[10:])
    more = f" And {left} more." if left else ""
    if total == 1:
        return shown[0]
    others = ""
    if len(failed) < total:
        by = "this run" if publishes else "the next run of job 'publish'"
        others = f"; the others are done, and published by {by}"
    return f"{len(failed)} of {total} repositories failed{others}. {' '.join(shown)}{more} {AGAIN}"


def failure_table(failed: Sequence[SyncResult]) -> str:
    frame = pd.DataFrame(
        {
            "repository": [plain(result.tracked_as) for result in failed],
            "why": [plain_sentence(result.error or "") for result in failed],
            "again": ["no use before it is mended" if r.is_permanent else "may help" for r in failed],
        }
    )
    return frame.to_markdown(index=False)


def plain_sentence(text: str) -> str:
    return " ".join(plain(word) for word in text.split())
