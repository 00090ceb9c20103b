"""What the UI shows beside an asset: schemas, numbers that it plots over time, previews, sentences."""

from collections.abc import Sequence

import dagster as dg
import pandas as pd

from prpipeline.defs import lineage, picture
from prpipeline.metrics.checks import Findings
from prpipeline.model.repository import by_reason, listed
from prpipeline.publish import dictionary
from prpipeline.publish.release import Release
from prpipeline.report import ReportInfo
from prpipeline.sync import SyncResult
from prpipeline.warehouse.summary import Summary, Week

Metadata = dict[str, dg.MetadataValue | str | int | float]

_RAW = {"pull_requests", "reviews", "review_events"}  # as GitHub gives them: no column comes of another

# Every sign that means something in Markdown or HTML, written so that it means itself.
_ENTITIES = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_{}[]<>#!|~@&"}


def description(table: str) -> str:
    entry = dictionary.load().table(table)
    return entry.comment


def of_table(table: str) -> Metadata:
    """What is known of a table before it has rows."""
    entry = dictionary.load().table(table)
    comes_from = {} if table in _RAW else lineage.in_words(table)
    schema = dg.TableSchema(
        [
            dg.TableColumn(
                c.name, c.type.lower(), description=f"{c.description} {comes_from.get(c.name, '')}".strip()
            )
            for c in entry.columns
        ]
    )
    return {
        "dagster/column_schema": dg.MetadataValue.table_schema(schema),
        "dagster/table_name": f"prpipeline.main.{table}",
    }


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
    if result.on_github:
        entries["coverage %"] = round(100 * result.held / result.on_github, 1)
    if result.window_end is not None:
        start = f"{result.window_start:%Y-%m-%d %H:%M}" if result.window_start else "the beginning"
        entries["window"] = f"{start} to {result.window_end:%Y-%m-%d %H:%M} UTC"
    return entries


def to_look_at(table: str, summary: Summary, rows: pd.DataFrame) -> Metadata:
    """What is for the eye; costs a few kilobytes an event."""
    entries: Metadata = {}
    if table == "review_time_hours":
        entries["dagster/column_lineage"] = lineage.of_review_times()
        entries |= _picture(summary.weeks)
    entries["preview"] = preview(rows)
    return entries


def _picture(weeks: Sequence[Week]) -> Metadata:
    """The review time by week: drawn, and as a line of text for where the UI hides pictures behind a click."""
    if all(week.median_hours is None for week in weeks):
        return {}
    svg = picture.review_time_by_week(weeks)
    text = "Median hours until the first review, by week"
    return {
        "review time by week": dg.MetadataValue.md(picture.markdown(svg, text)),
        "median hours by week": sparkline([week.median_hours for week in picture.without_gaps(weeks)]),
    }


def of_aggregate(table: str, rows: int) -> Metadata:
    # Dagster knows lineage of materializations only, not of definitions.
    return {"dagster/row_count": rows, "dagster/column_lineage": lineage.of_aggregate(table)}


def of_release(release: Release, weeks: Sequence[Week]) -> Metadata:
    table = pd.DataFrame({"table": list(release.rows), "rows": list(release.rows.values())})
    # The UI plots numbers over time for what has no partitions, such as this.
    return (
        _picture(weeks)
        | _last_week(weeks)
        | {
            "file": dg.MetadataValue.path(str(release.path)),
            "dagster/row_count": release.rows["review_time_hours"],
            "megabytes": round(release.size_bytes / 1e6, 2),
            "written": "whole" if release.is_whole else "what changed since the last release",
            "seconds": release.seconds,
            "rows": dg.MetadataValue.md(table.to_markdown(index=False)),
        }
    )


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


def sparkline(values: Sequence[float | None]) -> str:
    """A line of blocks, one a week; a dot where there is no value."""
    known = [value for value in values if value is not None]
    top = max(known, default=0.0) or 1.0
    return "".join("·" if value is None else "▁▂▃▄▅▆▇█"[min(7, int(8 * value / top))] for value in values)


def sentence(result: SyncResult) -> str:
    """What happened to a repository, for the log."""
    if result.failed:
        return f"{result.tracked_as}: failed. {result.error}"
    if result.mode == "unchanged":
        return f"{result.tracked_as}: nothing new."
    removed = f", {_counted(result.removed, 'row')} gone from GitHub removed" if result.removed else ""
    return (
        f"{result.tracked_as}: {result.mode}, {_counted(result.pull_requests, 'pull request')} with "
        f"{_counted(result.reviews, 'review')} read{removed}, in {_counted(result.requests, 'request')} "
        f"and {result.seconds:.1f} s."
    )


def finding(found: Findings) -> str:
    """What a check found, for the list of checks."""
    if not found.count:
        return "Nothing found, as it should be."
    shown = f", of which the first {len(found.rows)} are shown" if found.count > len(found.rows) else ""
    return f"{_counted(found.count, 'row')} found{shown}. {found.check.description}"


def _counted(number: float, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def failures(failed: Sequence[SyncResult], total: int) -> str:
    """Which repositories failed and why, in a few sentences."""
    reasons = list(by_reason((result.tracked_as, result.error or "") for result in failed).items())
    shown = [f"{listed(names)}: {reason}" for reason, names in reasons[:10]]
    left = sum(len(names) for _, names in reasons[10:])
    more = f" And {left} more." if left else ""
    if total == 1:
        return shown[0]
    others = "; the others are done" if len(failed) < total else ""
    return f"{len(failed)} of {total} repositories failed{others}. " + " ".join(shown) + more


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
