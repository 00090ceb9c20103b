"""A synced world whose webhooks fill an inbox, and drains of it. Deliveries arrive when a test says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from prpipeline.app.deliveries import Drain
from prpipeline.github.webhooks import read
from prpipeline.sandbox.github import Sandbox, World
from prpipeline.sandbox.github.hooks import Delivered
from prpipeline.sync import SyncResult
from prpipeline.warehouse.database import utc_now
from prpipeline.webhooks import waiting
from prpipeline_tests.support.pipelines import pipeline_on
from prpipeline_tests.support.sync_lab import SyncLab, let_pass, small_world

A_WHILE = timedelta(seconds=10)


class DeliveryLab(SyncLab):
    """``hooks``: how many organisation's webhooks deliver each change."""

    def __init__(self, world: World, server: Sandbox, folder: Path, hooks: int = 1, **settings: Any) -> None:
        super().__init__(world, server, folder, **settings)
        self.pipeline = pipeline_on(self.settings, self.warehouse)
        server.hooks.is_sending = False
        for number in range(hooks):
            server.hooks.add("octo", f"http://localhost/{number}", "secret", ["*"])
        self.inbox = Drain(self.pipeline, "python").inbox
        self._taken = len(server.hooks.deliveries)

    def take(self) -> list[Delivered]:
        """The deliveries since the last time."""
        new = self.server.hooks.deliveries[self._taken :]
        self._taken += len(new)
        return new

    def arrive(self, deliveries: Sequence[Delivered] | None = None, ago: timedelta = A_WHILE) -> None:
        """Put deliveries (all new ones) into the inbox, as the receiver does."""
        for delivery in self.take() if deliveries is None else deliveries:
            self.tell(delivery.event, json.loads(delivery.body), delivery.guid, delivery.hook.id, ago)

    def tell(
        self,
        event: str,
        payload: dict[str, Any],
        guid: str,
        hook: int | None = None,
        ago: timedelta = A_WHILE,
    ) -> None:
        self.inbox.store(guid, hook, read(event, payload), utc_now() - ago)

    def drain(self) -> list[SyncResult]:
        """What a drain makes of it."""
        draining = Drain(self.pipeline, "python")
        try:
            return list(draining.results())
        finally:
            draining.inbox.close()

    def drained(self) -> dict[str, int]:
        """Drain, and count deliveries by state."""
        assert not any(result.failed for result in self.drain())
        return self.states()

    def hear(self) -> None:
        """All that happened so far arrives a while later and is drained, without a failure."""
        settle(self)
        self.arrive()
        self.drained()

    def states(self) -> dict[str, int]:
        with self.inbox.transaction() as connection:
            rows = connection.execute("SELECT state, count(*) FROM deliveries GROUP BY 1").fetchall()
        return dict(rows)

    def hurry(self) -> None:
        """What is put off is due now."""
        with self.inbox.transaction() as connection:
            connection.execute("UPDATE deliveries SET next_attempt_at = NULL")

    def left(self) -> int:
        return waiting.waiting(self.inbox, utc_now()).left


@contextmanager
def delivery_lab(
    folder: Path, repositories: Sequence[str] = ("octo/app",), **options: Any
) -> Iterator[DeliveryLab]:
    """A lab whose repositories are synced; nothing has been asked since."""
    world = small_world(repositories=repositories)
    let_pass(world, timedelta(minutes=5))  # a state of this very second would be read again
    with Sandbox(world) as server:
        chosen = {"attempts": 1, **options}  # the waits of a drain are real
        lab = DeliveryLab(world, server, folder, synced=True, **chosen)
        lab.wait(minutes=5)
        server.reset_requests()
        yield lab
        lab.inbox.close()


def first(lab: DeliveryLab, position: int = 1) -> Any:
    """A pull request of octo/app."""
    return list(lab.world.repository("octo/app").pull_requests.values())[position]


def first_of(lab: DeliveryLab, name: str) -> Any:
    return next(iter(lab.world.repository(name).pull_requests.values()))


def settle(lab: DeliveryLab) -> None:
    """Let the second of a change pass: a state that was read in it is read again."""
    lab.wait(seconds=5)
