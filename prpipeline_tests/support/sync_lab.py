"""A sandbox with a world, a warehouse, and a comparison of the two. Waits move the sandbox's clock."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from prpipeline.github.client import Client
from prpipeline.github.etags import Etags
from prpipeline.github.rest_source import RestSource
from prpipeline.github.sources import GitHubSource, open_sources
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import ManualClock, PullRequest, Sandbox, World
from prpipeline.settings import JiraOptions, Settings, SyncSettings, load_settings
from prpipeline.settings.jira import LinkSource
from prpipeline.sync import Syncer, SyncOptions, SyncResult
from prpipeline.warehouse import records, tracking
from prpipeline.warehouse.record_counts import Wanted
from prpipeline.warehouse.tracking import Tracked
from prpipeline_tests.support import stores
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.folders import new_folder as new_folder
from prpipeline_tests.support.stores import new_warehouse as new_warehouse
from prpipeline_tests.support.sync_rows import Rows, expected_rows, held_sql

TOKEN = "sandbox-token"

_SYNCED: dict[str, Path] = {}


class JumpingClock:
    """Sleeps by moving the sandbox's clock; records how long."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.sleeps: list[float] = []

    def sleep(self, seconds: float, stopped: threading.Event) -> None:
        self.sleeps.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))


def jumping_clock(world: World) -> JumpingClock:
    assert isinstance(world.clock, ManualClock)
    return JumpingClock(world.clock)


def let_pass(world: World, delta: timedelta) -> None:
    """Move the world's clock, which stands still by itself."""
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(delta)


def small_world(pull_requests: int = 14, repositories: Sequence[str] = ("octo/app",)) -> World:
    """Repositories with every kind of pull request, review and event."""
    world = World(ManualClock())
    for name in repositories:
        repository = world.add_repository(name)
        for number in range(1, pull_requests + 1):
            let_pass(world, timedelta(minutes=3))
            pr = world.open_pull_request(
                repository,
                f"dev-{number % 4}",
                f"Change {number}",
                draft=number % 5 == 0,
                head=f"topic-{number}",
                fork=(None, "there", "gone", None)[number % 4],
                labels=("bug", "docs", "Größe: M")[: number % 4],
                milestone=f"v{number}" if number % 3 == 0 else None,
                commits=1 + number % 3,
                first_commit_at=world.clock.now() + timedelta(hours=9 if number % 6 == 0 else -number),
            )
            if number % 5 == 0:
                world.ready_for_review(pr)
            if number % 3 == 0:
                world.request_review(pr, "octo/core" if number % 2 else "grace")
            for n in range(number % 4):
                body = ("", "Why?", " \n ")[(number + n) % 3]
                who = "robot[bot]" if n == 1 else f"dev-{(number + n + 1) % 4}"
                world.review(pr, who, "COMMENTED", body=body)
            if number % 4 == 1:
                world.review(pr, "grace", "APPROVED")
                world.merge(pr, "grace")
            elif number % 7 == 0:
                world.close(pr)
    return world


def quiet_world(pull_requests: int = 14, repositories: Sequence[str] = ("octo/app",)) -> World:
    """``small_world`` an hour later: a second sync has nothing new, for what changed in this very second is read again."""
    world = small_world(pull_requests, repositories)
    let_pass(world, timedelta(hours=1))
    return world


def busy_pull_request(world: World, repository: str = "octo/app", children: int = 120) -> PullRequest:
    """A pull request with more reviews, events and labels than a page holds."""
    labels = [f"label {n}" for n in range(130)]
    pr = world.open_pull_request(repository, "ada", "A long story", labels=labels)
    for n in range(children):
        world.review(pr, f"dev-{n % 4}", "COMMENTED")
        world.request_review(pr, f"dev-{n % 4}")
    return pr


class SyncLab:
    """What a test works with. ``settings`` are those of ``SyncSettings``. ``links_from``: as with a project of Jira selected.

    ``synced``: after a first ``sync``, which equal labs share.
    """

    def __init__(
        self,
        world: World,
        server: Sandbox,
        folder: Path,
        api: str = "graphql",
        tokens: str = TOKEN,
        etags: Etags | None = None,
        links_from: tuple[LinkSource, ...] | None = None,
        synced: bool = False,
        **settings: Any,
    ) -> None:
        self.world, self.server = world, server
        self.clock = jumping_clock(world)
        self.sync_settings = SyncSettings(**{"page_size": 5, "attempts": 4, "overlap_minutes": 0, **settings})
        self.settings = make_settings(server, folder, api, tokens, self.sync_settings, links_from)
        self.sources: Sequence[GitHubSource] = open_sources(self.settings, self.clock, etags)
        self.names = [r.full_name for r in world.repositories.values()]
        if synced:
            stores.copy_warehouse(self._synced_twin(api, tokens, links_from), folder)
        self.warehouse = new_warehouse(folder)
        stores.keep_attached(self.warehouse)
        if not synced:
            self.track(self.names)

    def _synced_twin(self, api: str, tokens: str, links_from: tuple[LinkSource, ...] | None) -> Path:
        """The folder of a synced warehouse of an equal world and equal settings, made where there is none."""
        alike = replace(
            self.sync_settings, fill_up_per_run=0, attempts=1
        )  # which a first sync does not depend on
        repositories = self.world.repositories.values()
        texts = [pr.body for repository in repositories for pr in repository.pull_requests.values()]
        seen = (self.names, self.world.clock.now(), self.expected(), texts)
        like = repr((api, tokens, links_from, alike, *seen))
        if like not in _SYNCED:
            folder = lasting_folder()
            with stores.written(), Sandbox(self.world, tokens=tokens.split(",")) as server:
                chosen = asdict(self.sync_settings)
                twin = SyncLab(self.world, server, folder, api, tokens, None, links_from, **chosen)
                with twin.warehouse.session():
                    assert not any(result.failed for result in twin.sync())
            _SYNCED[like] = folder
        return _SYNCED[like]

    @property
    def source(self) -> GitHubSource:
        return self.sources[0]

    @property
    def client(self) -> Client:
        return self.source.client

    def wait(self, **delta: float) -> None:
        """Let hours, minutes, seconds pass on GitHub, which stands still by itself."""
        let_pass(self.world, timedelta(**delta))

    def track(self, names: Iterable[str], **options: Any) -> None:
        with self.warehouse.transaction() as connection:
            for name in names:
                tracking.track(
                    connection,
                    RepositoryName.parse(name),
                    tracked_by="cli",
                    now=datetime(2026, 1, 1),
                    **options,
                )

    def sync(self, options: SyncOptions = SyncOptions()) -> list[SyncResult]:  # noqa: B008 - frozen
        return list(Syncer(self.source, self.warehouse, self.sync_settings).sync(self.names, options))

    def tracked(self, name: str | None = None) -> Tracked:
        with self.warehouse.transaction() as connection:
            return tracking.get(connection, self.names)[name or self.names[0]]

    def held(self, *, teams: bool = True) -> Rows:
        with self.warehouse.transaction() as connection:
            return {
                table: sorted(connection.execute(sql).fetchall(), key=repr)
                for table, sql in held_sql(teams).items()
            }

    def expected(self, *, teams: bool = True) -> Rows:
        by_rest = isinstance(self.source, RestSource)
        return expected_rows(
            self.world, teams=teams, first_commits=not by_rest or self.sync_settings.first_commit_by_rest
        )

    def assert_equal(self, *, teams: bool = True, of: str | None = None) -> None:
        """Assert that the warehouse has exactly the world's rows, or exactly those of one repository."""
        held, wanted = self.held(teams=teams), self.expected(teams=teams)
        if of is not None:
            held, wanted = self.of(of, held), self.of(of, wanted)
        for table in wanted:
            assert held[table] == wanted[table], table

    def of(self, name: str, rows: Rows) -> Rows:
        """Those of one repository."""
        number = self.world.repository(name).id
        return {table: [row for row in each if row[0] == number] for table, each in rows.items()}

    def assert_no_row_twice(self) -> None:
        held = self.held()
        one = slice(3, 4)
        keys_of = {
            "pull_requests": slice(1, 2),
            "reviews": one,
            "review_events": one,
            "pull_request_labels": slice(4),
        }
        for table in held:
            keys = [row[keys_of[table]] for row in held[table]]
            assert len(keys) == len(set(keys)), table

    def assert_nothing_wrong(self, *, teams: bool = True) -> None:
        """Assert that every row of the warehouse is in the world, and none is there twice."""
        held, wanted = self.held(teams=teams), self.expected(teams=teams)
        for table in wanted:
            assert len(held[table]) == len(set(held[table]))
            assert set(held[table]) <= set(wanted[table]), table

    def make_old(self) -> None:
        """Make the rows what migration 0004 makes of those of version 3."""
        with self.warehouse.transaction() as connection:
            connection.execute(
                "UPDATE raw.pull_requests SET field_set = 1, head_ref = NULL, is_from_fork = NULL, milestone = NULL, "
                "comments = NULL, commits = NULL, first_commit_at = NULL"
            )
            connection.execute("UPDATE raw.reviews SET has_text = NULL")
            connection.execute("DELETE FROM raw.pull_request_labels")

    def lacking(self) -> int:
        """How many rows lack fields."""
        with self.warehouse.transaction() as connection:
            wanted = Wanted(self.source.field_set, self.source.reads_bodies)
            return sum(records.lacking_counts(connection, list(self.world.repositories), wanted).values())

    def live(self) -> None:
        """Let time pass, and make every kind of change that moves ``updatedAt``."""
        clock: ManualClock = self.world.clock  # type: ignore[assignment]
        clock.advance(timedelta(hours=1))
        for name in self.names:
            repository = self.world.repository(name)
            pulls = list(repository.pull_requests.values())
            self.world.review(pulls[0], "late-reviewer", "APPROVED")
            self.world.edit_title(pulls[1], pulls[1].title + "!")
            self.world.request_review(pulls[2], "grace")
            clock.advance(timedelta(seconds=1))
            self.world.push(pulls[len(pulls) // 2])
            self.world.review(
                self.world.open_pull_request(repository, "ada", "Another"), "grace", "COMMENTED"
            )
        clock.advance(timedelta(hours=1))


def make_settings(
    server: Sandbox,
    folder: Path,
    api: str = "graphql",
    tokens: str = TOKEN,
    sync: SyncSettings | None = None,
    links_from: tuple[LinkSource, ...] | None = None,
) -> Settings:
    environment = {
        "GITHUB_API_URL": server.url,
        "GITHUB_TOKEN": tokens,
        "PRPIPELINE_GITHUB_API": api,
        "PRPIPELINE_DATA_DIR": str(folder),
        **stores.variables(folder),
    }
    settings = load_settings(environment)
    jira = None if links_from is None else JiraOptions(projects=("ABC",), links_from=links_from)
    return replace(settings, file=replace(settings.file, sync=sync or SyncSettings(), jira=jira))
