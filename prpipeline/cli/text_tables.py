"""The tables that commands print for people, on standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from prpipeline.app.basics import SAMPLE_DATA, by_reason, listed

if TYPE_CHECKING:
    from prpipeline.app.jira import JiraEstimate, JiraResult
    from prpipeline.app.people import Match
    from prpipeline.app.pipeline import Estimate, SyncResult

_STYLES = {"ok": "green", "new": "cyan", "failed": "red", "gone": "red", "forbidden": "red"}
_PROGRESS = ("status", "last sync", "complete to (UTC)")


def results_table(results: Sequence[SyncResult], published: str | None) -> None:
    """What the sync of each repository did, on standard output."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, justify in (
        ("repository", "left"),
        ("what", "left"),
        ("pull requests", "right"),
        ("reviews", "right"),
        ("requests", "right"),
        ("seconds", "right"),
    ):
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for r in results:
        style = "red" if r.failed else None
        table.add_row(
            escape(r.repository or r.tracked_as),
            r.mode,
            f"{r.pull_requests:,}",
            f"{r.reviews:,}",
            f"{r.requests:,}",
            f"{r.seconds:.1f}",
            style=style,
        )
    console = output()
    console.print(table)
    _reasons(console, [(r.tracked_as, r.error or "") for r in results if r.failed])
    if published:
        console.print(f"\nPublished: {escape(published)}", soft_wrap=True)


def jira_results_table(results: Sequence[JiraResult], published: str | None) -> None:
    """What the sync of each project of Jira did, on standard output."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("project of Jira", overflow="fold")
    table.add_column("what")
    for heading in ("issues", "requests", "seconds"):
        table.add_column(heading, justify="right")
    for r in results:
        style = "red" if r.failed else None
        table.add_row(
            escape(r.project), r.mode, f"{r.issues:,}", f"{r.requests:,}", f"{r.seconds:.1f}", style=style
        )
    console = output()
    console.print(table)
    _project_reasons(console, [(r.project, r.error) for r in results if r.error])
    if published:
        console.print(f"\nPublished: {escape(published)}", soft_wrap=True)


def jira_estimates_table(estimates: Sequence[JiraEstimate]) -> None:
    """What histories of projects of Jira would cost, on standard output."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("project of Jira", overflow="fold")
    for heading in ("issues", "requests", "time"):
        table.add_column(heading, justify="right")
    for e in estimates:
        count = "" if e.issues is None else f"{e.issues:,}"
        table.add_row(escape(e.project), count, f"{e.requests:,}", duration(e.seconds))
    console = output()
    console.print(table)
    _project_reasons(console, [(e.project, e.error) for e in estimates if e.error])


def _progress(row: dict[str, Any]) -> tuple[str, str, str]:
    """The cells of how far a repository or project has come, for the headings in ``_PROGRESS``."""
    return (
        f"[{_STYLES.get(row['status'], 'white')}]{row['status']}",
        _ago(row["last_sync_at"]),
        f"{row['watermark_at']:%Y-%m-%d %H:%M}" if row["watermark_at"] else "",
    )


def jira_status_table(rows: Sequence[dict[str, Any]]) -> None:
    """How far each project of Jira has come, on standard output."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("project of Jira", overflow="fold")
    for heading in _PROGRESS:
        table.add_column(heading, no_wrap=True)
    table.add_column("issues", justify="right")
    for row in rows:
        name = row["entry"]
        if row["project"] not in {None, name}:
            name += f" ({row['project']})"
        table.add_row(
            escape(name),
            *_progress(row),
            f"{row['issues']:,}",
        )
    console = output()
    console.print()
    console.print(table)
    _project_reasons(
        console, [(row["project"] or row["entry"], row["last_error"]) for row in rows if row["last_error"]]
    )


def people_table(matched: Sequence[Match]) -> None:
    """Who of GitHub is who in Jira, on standard output."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("on GitHub", "in Jira", "account", "by"):
        table.add_column(heading, overflow="fold")
    for match in matched:
        by = f"{match.method} (weak)" if match.is_weak else match.method
        name = "".join(c for c in match.display_name or "" if c.isprintable())
        table.add_row(escape(match.login), escape(name), escape(match.account_id), by)
    output().print(table if matched else "Nobody is matched.")


def _project_reasons(console: Console, said: Sequence[tuple[str, str]]) -> None:
    for name, reason in said:
        console.print(f"[red]{escape(name)}:[/red] {escape(reason)}", soft_wrap=True)


def review_times(latest: Sequence[Mapping[str, Any]]) -> None:
    """The newest pull requests and how long they waited, on standard output."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column("pull request", no_wrap=True)
    table.add_column("title", max_width=40)  # the only one that is cut on a narrow screen
    table.add_column("author", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("review time", justify="right", no_wrap=True)
    table.add_column("reviewer", no_wrap=True)
    for row in latest:
        hours = row["review_time_hours"]
        table.add_row(
            escape(f"{row['repository']}#{row['number']}"),
            Text("".join(c for c in row["title"] if c.isprintable()), no_wrap=True, overflow="ellipsis"),
            escape(row["author_login"] or "(deleted)"),
            row["state"],
            f"{hours:.2f} h"
            if hours is not None
            else f"[dim]{(row['null_reason'] or '').replace('_', ' ')}[/dim]",
            escape(row["first_reviewer_login"] or ""),
        )
    console = output()
    console.print(table)
    console.print()


def estimates_table(estimates: Sequence[Estimate]) -> None:
    """What histories would cost, on standard output."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("repository", overflow="fold")
    for heading in ("pull requests", "requests", "points", "time"):
        table.add_column(heading, justify="right")
    for e in estimates:
        count = "" if e.pull_requests is None else f"{e.pull_requests:,}"
        table.add_row(escape(e.repository), count, f"{e.requests:,}", f"{e.points:,}", duration(e.seconds))
    if len(estimates) > 1:
        table.add_row(
            "all",
            f"{sum(e.pull_requests or 0 for e in estimates):,}",
            f"{sum(e.requests for e in estimates):,}",
            f"{sum(e.points for e in estimates):,}",
            duration(sum(e.seconds for e in estimates)),
            style="bold",
        )
    console = output()
    console.print(table)
    console.print("For whole histories. Of a repository that is synced already only what changed is read.")
    known = [e.hourly_limit for e in estimates if not e.error]
    if known and not any(known):
        console.print("GitHub sets no limits here: nothing waits for an hourly allowance.")
    if lacking := sum(e.pull_requests_lacking_fields for e in estimates):
        console.print(
            f"Of these repositories {lacking:,} stored pull requests lack some of what is read now: the next sync reads "
            f"{sum(e.fill_up_pull_requests for e in estimates):,} of them again, in "
            f"{sum(e.fill_up_requests for e in estimates):,} requests.",
            soft_wrap=True,
        )
    _reasons(console, [(e.repository, e.error) for e in estimates if e.error])


def duration(seconds: float) -> str:
    """A number of seconds in the unit that reads best."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def status_table(
    rows: Sequence[dict[str, Any]],
    published: str | None,
    next_run: datetime | None,
    *,
    is_sample_data: bool,
    filling_up: str | None,
) -> None:
    """How far each repository has come, on standard output."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("repository", overflow="fold")
    for heading in _PROGRESS:
        table.add_column(heading, no_wrap=True)
    table.add_column("pull requests", justify="right")
    table.add_column("GitHub counts", justify="right")
    for row in rows:
        name = row["tracked_as"]
        if row["repository"] not in {None, name}:
            name += f" (now {row['repository']})"
        table.add_row(
            escape(name),
            *_progress(row),
            f"{row['pull_requests']:,}",
            _counted_by_github(row),
        )
    console = output()
    console.print(table)
    _reasons(console, [(row["tracked_as"], row["last_error"]) for row in rows if row["last_error"]])
    for row in rows:
        if row["short_lists"]:
            console.print(
                f"[yellow]{escape(row['tracked_as'])}:[/yellow] {listed(row['short_lists'])}", soft_wrap=True
            )
    if filling_up:
        console.print(f"\n{filling_up}", soft_wrap=True)
    console.print(
        f"\nPublished: {escape(published)}" if published else "\nNothing is published yet.", soft_wrap=True
    )
    if is_sample_data:
        console.print(SAMPLE_DATA, style="yellow", soft_wrap=True)
    console.print(
        f"Next scheduled run: {next_run:%Y-%m-%d %H:%M} UTC, if Dagster runs."
        if next_run
        else "Schedules are off."
    )
    console.print(_summary([row["status"] for row in rows]))


def _summary(statuses: Sequence[str]) -> str:
    """All of it in a line, such as: 35 of 36 complete, 1 failed."""
    new = statuses.count("new")
    failed = len(statuses) - new - statuses.count("ok")
    return (
        f"{statuses.count('ok'):,} of {len(statuses):,} complete"
        + (f", {failed:,} failed" if failed else "")
        + (f", {new:,} not read yet" if new else "")
        + "."
    )


def _reasons(console: Console, said: Sequence[tuple[str, str]]) -> None:
    for reason, names in by_reason(said).items():
        console.print(f"[red]{escape(listed(names))}:[/red] {escape(reason)}", soft_wrap=True)


def output() -> Console:
    """Standard output; a file or a pipe has no width of its own."""
    console = Console(highlight=False, emoji=False)  # a repository's :smile: is text
    return console if console.is_terminal else Console(width=160, highlight=False, emoji=False)


def _counted_by_github(row: dict[str, Any]) -> str:
    """How many there should be; a count says nothing of whether each is up to date."""
    if row["history_days_back"] is not None:
        return f"{row['history_days_back']} days"
    on_github = row["pull_requests_on_github"]
    return "" if on_github is None else f"{on_github:,}"


def _ago(moment: datetime | None) -> str:
    if moment is None:
        return "never"
    minutes = int((datetime.now(UTC).replace(tzinfo=None) - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"
