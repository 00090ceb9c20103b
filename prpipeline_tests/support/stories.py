"""Plays the examples of vectors.yaml on the sandbox, and syncs them into a warehouse with the real pipeline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from msgspec.structs import replace

from prpipeline import metrics
from prpipeline.app.deliveries import Drain
from prpipeline.app.pipeline import Pipeline
from prpipeline.github.webhooks import read
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Fault, ManualClock, PullRequest, Sandbox, World
from prpipeline.settings import load_settings
from prpipeline.sync import SyncOptions
from prpipeline.warehouse.database import utc_now
from prpipeline_tests.support import stores

DAY_1 = datetime(2026, 1, 5, tzinfo=UTC)
_TIMED = re.compile(r"(?:day (-?\d+) )?(\d\d):(\d\d) (\S+) (.+)")
_DURING = " during the sync"


class Stage:
    """Repositories on the sandbox's GitHub, and the pipeline that follows them.

    Stories are of ``repository``, and of its pull request ``number``.
    """

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        world: World,
        settings: str = "",
        names: Sequence[str] = ("octo/app",),
    ) -> None:
        self.world, self.sandbox = world, sandbox
        self.clock = world.clock
        self.names = names
        self.number = 1
        self.repository, *_ = (world.add_repository(name, at=DAY_1) for name in names)
        file = folder / "repositories.yaml"
        file.write_text(settings or "repositories: []\n", encoding="utf-8")
        self.pipeline = Pipeline(
            load_settings(
                {
                    "PRPIPELINE_DATA_DIR": str(folder / "data"),
                    "PRPIPELINE_REPOSITORIES": str(file),
                    "GITHUB_API_URL": sandbox.url,
                    "GITHUB_TOKEN": "sandbox-token",
                    **stores.variables(folder / "data"),
                }
            )
        )
        stores.new_warehouse(folder / "data")
        self.pipeline.tracking.track(list(map(RepositoryName.parse, names)), tracked_by="cli")

    # ── what people do ───────────────────────────────────────────────────────────────────────────────

    def act(self, story: list[str]) -> None:
        """Without a sync at the end."""
        for step in story:
            self._step(step)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """The block's story is of the next pull request of this repository and begins on day 1; its syncs read no other."""
        assert isinstance(self.clock, ManualClock)
        usual = self.names, self.repository, self.number, self.clock.now()
        self.names, self.repository = [name], self.world.repository(name)
        self.number = 1 + len(self.repository.pull_requests)
        self.clock.set(DAY_1)
        yield
        self.names, self.repository, self.number, latest = usual
        self.clock.set(max(latest, self.clock.now()))

    def _step(self, step: str) -> None:
        timed = _TIMED.fullmatch(step)
        if timed:
            day, hour, minute, who, what = timed.groups()
            at = DAY_1 + timedelta(days=int(day or 1) - 1, hours=int(hour), minutes=int(minute))
            assert isinstance(self.clock, ManualClock)
            self.clock.set(max(self.clock.now(), at))
            if what.endswith(_DURING):
                self._during_the_sync(lambda: self._act(who, what.removesuffix(_DURING), at))
            else:
                self._act(who, what, at)
        elif step == "sync":
            self.sync()
        elif step == "check everything":
            self.sync(reconcile=True)
        elif step == "a webhook reports it":
            self._webhook()
        elif step == "the sync dies on pull request 7":
            self._dying_sync()
        elif step.startswith("the repository becomes "):
            self.world.rename_repository(self.repository, step.split("/")[-1])
        elif step.startswith("the review of "):
            who = step.split()[3]
            self.world.delete_review(self._review_of(who))
        else:
            raise ValueError(f"no such step: {step!r}")

    def _act(self, who: str, what: str, at: datetime) -> None:
        world = self.world
        if what in {"opens", "opens a draft"}:
            world.open_pull_request(self.repository, who, draft=what.endswith("draft"), at=at)
            return
        if more := re.fullmatch(r"opens (\d+) more", what):
            for _ in range(int(more[1])):
                world.open_pull_request(self.repository, who, at=at)
            return
        pull_request = self.pull_request
        simple: dict[str, Callable[[], Any]] = {
            "reviews": lambda: world.review(pull_request, who, "COMMENTED", at=at),
            "approves": lambda: world.review(pull_request, who, "APPROVED", at=at),
            "requests changes": lambda: world.review(pull_request, who, "CHANGES_REQUESTED", at=at),
            "begins a review": lambda: world.review(pull_request, who, "PENDING", at=at),
            "remarks": lambda: world.comment(pull_request, who, at=at),
            "marks it ready": lambda: world.ready_for_review(pull_request, who, at=at),
            "makes it a draft": lambda: world.convert_to_draft(pull_request, who, at=at),
            "merges": lambda: world.merge(pull_request, who, at=at),
            "closes": lambda: world.close(pull_request, who, at=at),
            "reopens": lambda: world.reopen(pull_request, who, at=at),
            "deletes the account": lambda: world.delete_user(who),
        }
        if what in simple:
            simple[what]()
        elif begun := re.fullmatch(r"wrote the first commit on day (-?\d+) at (\d\d):(\d\d)", what):
            day, hour, minute = map(int, begun.groups())
            first = DAY_1 + timedelta(days=day - 1, hours=hour, minutes=minute)
            world.force_push(pull_request, first, at=at)
        elif what == "closes the others":
            for number, other in self.repository.pull_requests.items():
                if number > 1:
                    world.close(other, who, at=at)
        elif times := re.fullmatch(r"reviews (\d+) times", what):
            for _ in range(int(times[1])):
                world.review(pull_request, who, "COMMENTED", at=at)
        elif dismissal := re.fullmatch(r"dismisses the review of (\S+)", what):
            world.dismiss_review(self._review_of(dismissal[1]), who, at=at)
        elif request := re.fullmatch(r"asks (\S+) for a review", what):
            world.request_review(pull_request, request[1], who, at=at)
        elif name := re.fullmatch(r"is now called (\S+)", what):
            world.rename_user(who, name[1])
        else:
            raise ValueError(f"no such action: {who} {what!r}")

    @property
    def pull_request(self) -> PullRequest:
        return self.repository.pull_requests[self.number]

    def _review_of(self, who: str) -> Any:
        return next(r for r in self.pull_request.reviews if r.author and r.author.rest_login == who)

    # ── what the pipeline does ───────────────────────────────────────────────────────────────────────

    def sync(self, *, reconcile: bool = False) -> list[str | None]:
        results = self.pipeline.sync(self.names, SyncOptions(reconcile=reconcile))
        return [result.error for result in results]

    def _during_the_sync(self, act: Callable[[], None]) -> None:
        """In the middle of the second page of the history, when the first is already stored."""
        seen = 0

        def hook(request: Any) -> None:
            nonlocal seen
            seen += 1
            if seen == 3:
                act()

        self.sandbox.before_request = hook
        with self._sync_settings(page_size=5):
            self.sync()
        self.sandbox.before_request = None
        assert seen >= 3, "the sync ended before anything could happen during it"

    def _dying_sync(self) -> None:
        # After a few answers all requests fail, until the fault is removed.
        fault = self.sandbox.faults.add(Fault("status", status=502, after=6, times=None))
        with self._sync_settings(page_size=1, attempts=1):
            (error,) = self.sync()
        fault.times = 0
        assert error is not None, "the sync was meant to die"
        (tracked_as,) = self.names
        assert self.stored(f"raw.pull_requests WHERE repository_id = {self.repository.id}") == 6
        watermark = f"SELECT watermark_at FROM meta.repositories WHERE tracked_as = '{tracked_as}'"
        assert self.rows(watermark) == [{"watermark_at": None}]

    @contextmanager
    def _sync_settings(self, **changes: int) -> Iterator[None]:
        usual = self.pipeline.settings
        file = replace(usual.file, sync=replace(usual.sync, **changes))
        self.pipeline.settings = replace(usual, file=file)
        yield
        self.pipeline.settings = usual

    def _webhook(self) -> None:
        answer = requests.get(
            f"{self.sandbox.url}/repos/{self.repository.full_name}/pulls/1",
            headers={"Authorization": "Bearer sandbox-token"},
            timeout=10,
        )
        answer.raise_for_status()
        pull_request = json.loads(answer.text)
        payload = {
            "action": "submitted",
            "pull_request": pull_request,
            "repository": {"id": self.repository.id},
        }
        draining = Drain(self.pipeline, "python")
        a_while_ago = utc_now() - timedelta(seconds=10)
        assert draining.inbox.store(
            f"of-{self.repository.id}", None, read("pull_request_review", payload), a_while_ago
        )
        assert not any(result.failed for result in draining.results())
        draining.inbox.close()

    # ── the results ──────────────────────────────────────────────────────────────────────────────

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with self.pipeline.warehouse.transaction() as connection:
            found = connection.execute(sql)
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def compute(self, as_of: datetime | None = None) -> None:
        """All numbers anew, of now or of another moment."""
        if as_of is None:
            self.pipeline.aggregate()
            return
        with self.pipeline.warehouse.transaction() as connection:
            metrics.rebuild(connection, None, self.pipeline.settings.metrics, as_of)
            metrics.rebuild_aggregates(connection, self.pipeline.settings.metrics, as_of)

    def stored(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"])
