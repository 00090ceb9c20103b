"""A stand-in for Jira with a world, a warehouse, and a comparison of the two. Waits move the world's clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from prpipeline.jira.sources import JiraEdition, open_source
from prpipeline.sandbox.github import ManualClock
from prpipeline.sandbox.jira import Issue, JiraSandbox, Project, Quirks, Token, World
from prpipeline.settings import JiraOptions, SyncSettings
from prpipeline.settings.jira import jira_settings
from prpipeline.sync import SyncOptions
from prpipeline.sync.jira_syncer import JiraResult, JiraSyncer
from prpipeline.warehouse import jira_projects
from prpipeline.warehouse.database import utc_now
from prpipeline_tests.support import stores
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.sync_lab import JumpingClock

SITE = "https://jira.example.com"
"""What stand-ins say their address is where a warehouse is synced with one and then with another."""


def let_pass(world: World, **delta: float) -> None:
    """Move the world's clock, which stands still by itself."""
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(timedelta(**delta))


def small_world(issues: int = 12, **more: Any) -> tuple[World, Project]:
    """One project, whose issues went through some statuses."""
    world = World(ManualClock(), **more)
    project = world.add_project("ABC")
    for number in range(issues):
        issue = world.create(project, f"Work {number}")
        for status in ("3", "4", "10")[: number % 4]:
            let_pass(world, minutes=7)
            world.transition(issue, status, author=world.bot)
    let_pass(world, hours=1)
    return world, project


class JiraLab:
    """What a test works with. ``entries`` are those of jira.projects."""

    def __init__(
        self,
        server: JiraSandbox,
        folder: Path,
        entries: Iterable[str] = ("ABC",),
        options: JiraOptions | None = None,
        environment: dict[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self.server, self.world = server, server.world
        assert isinstance(self.world.clock, ManualClock)
        self.clock = JumpingClock(self.world.clock)
        self.entries = list(entries)
        self.followed: list[str] | None = None  # the entries that were selected last
        self.options = options or JiraOptions()
        self.environment = environment or server.environment
        self.settings = SyncSettings(**{"attempts": 3, "overlap_minutes": 15, **settings})
        self.warehouse = stores.new_warehouse(folder, with_jira=True)
        stores.keep_attached(self.warehouse)

    @property
    def project(self) -> Project:
        """The world's first one."""
        return next(iter(self.world.projects.values()))

    def open(self) -> JiraEdition:
        found = jira_settings(self.environment)
        assert found is not None
        return open_source(found, self.options, self.settings, self.clock)

    def sync(self, *, full: bool = False, reconcile: bool = False) -> dict[str, JiraResult]:
        """Sync all entries; the results by entry."""
        if self.followed != self.entries:  # it costs a sixth of a sync
            with self.warehouse.transaction() as connection:
                jira_projects.follow(connection, self.entries, utc_now())
            self.followed = list(self.entries)
        syncer = JiraSyncer(self.open, self.warehouse, self.settings)
        options = SyncOptions(full=full, reconcile=reconcile)
        return {result.entry: result for result in syncer.sync(self.entries, options)}

    def sync_well(self, **options: bool) -> dict[str, JiraResult]:
        """The same, where nothing may fail."""
        results = self.sync(**options)
        assert [result.error for result in results.values()] == [None] * len(self.entries)
        return results

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.transaction() as connection:
            return connection.execute(sql).fetchall()

    def held_keys(self, where: str = "gone_at IS NULL") -> set[str]:
        """The keys of the issues that are held."""
        return {key for (key,) in self.rows(f"SELECT issue_key FROM raw.jira_issues WHERE {where}")}

    def watermark(self, entry: str = "ABC") -> datetime | None:
        (found,) = self.rows(f"SELECT watermark_at FROM meta.jira_projects WHERE entry = '{entry}'")
        watermark: datetime | None = found[0]
        return watermark

    def stored(self) -> dict[int, tuple[Any, ...]]:
        """Each issue that is held, as ``expected`` has it."""
        rows = self.rows(
            """
            SELECT issue_id, issue_key, project_id, summary, status_id, story_points, updated_at, has_broken_changes,
                   gone_at IS NOT NULL,
                   (SELECT list(from_id || '>' || to_id ORDER BY created_at, change_id::BIGINT, item) FROM raw.jira_changes c
                    WHERE c.issue_id = i.issue_id AND field = 'status')
            FROM raw.jira_issues i
            """
        )
        return {issue_id: (*values[:-1], tuple(values[-1] or ())) for issue_id, *values in rows}


def expected(issue: Issue, *, is_gone: bool = False) -> tuple[Any, ...]:
    """An issue of the world, as the warehouse should have it."""
    points = next(
        (v for f in ("customfield_10016", "customfield_10024") if (v := issue.fields.get(f)) is not None),
        None,
    )
    steps = [
        f"{item['from']}>{item['to']}"
        for entry in issue.histories
        for item in entry["items"]
        if item["field"] == "status"
    ]
    return (
        issue.key,
        issue.project.id,
        issue.fields["summary"],
        issue.status_id,
        None if points is None else float(points),
        issue.updated.astimezone(UTC).replace(tzinfo=None),
        False,
        is_gone,
        tuple(steps),
    )


def assert_equal(lab: JiraLab) -> None:
    """All that Jira shows of the selected projects is stored as it is."""
    shown = {i: issue for i, issue in lab.world.issues.items() if issue.is_shown and not issue.is_archived}
    stored = lab.stored()
    assert stored == {i: expected(issue) for i, issue in shown.items()}


@contextmanager
def jira_lab(
    folder: Path,
    world: World,
    *,
    edition: str = "cloud",
    quirks: Quirks | None = None,
    tokens: Sequence[Token] = (),
    site: str | None = None,
    **more: Any,
) -> Iterator[JiraLab]:
    """Not synced yet; a Data Center has a context path."""
    context = "" if edition == "cloud" else "/jira"
    with JiraSandbox(
        world, edition=edition, context=context, quirks=quirks, tokens=tokens, site=site
    ) as server:
        yield JiraLab(server, folder, **more)


@contextmanager
def synced_lab(folder: Path, issues: int = 12, *, edition: str = "cloud", **more: Any) -> Iterator[JiraLab]:
    """The lab of a ``small_world`` after its first sync, of which each test gets a copy."""
    stores.copy_warehouse(_synced(issues, edition), folder)
    with jira_lab(folder, small_world(issues)[0], edition=edition, site=SITE, **more) as lab:
        yield lab


@cache
def _synced(issues: int, edition: str) -> Path:
    folder = lasting_folder()
    with jira_lab(folder, small_world(issues)[0], edition=edition, site=SITE) as lab:
        lab.sync_well()
        with lab.warehouse.exclusive():  # detached, so that it can be copied
            return folder
