"""A world of Jira that is synced, pull requests beside it, and the metrics of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prpipeline import metrics
from prpipeline.metrics.checks import all_checks, find
from prpipeline.publish.reader import open_published
from prpipeline.publish.release import publish
from prpipeline.sandbox.jira import Issue, JiraSandbox, Project, World
from prpipeline.settings import MetricSettings
from prpipeline.warehouse import jira_projects
from prpipeline.warehouse.database import utc_now
from prpipeline_tests.support.jira_lab import JiraLab, let_pass
from prpipeline_tests.support.metrics_lab import MetricsLab, rows
from prpipeline_tests.support.reference import History, Person

AS_OF = datetime(2026, 3, 1)
OPENED = datetime(2026, 2, 2, 10)
ANN = Person(1, "ann")


def live(world: World, project: Project, first: str, *steps: tuple[float, str], **fields: Any) -> Issue:
    """An issue that is created in a status, and after so many hours each comes into another."""
    issue = world.create(project, status=first, **fields)
    for hours, status in steps:
        let_pass(world, hours=hours)
        world.transition(issue, status)
    return issue


class IssueLab(JiraLab):
    """What a test works with: ``add`` pull requests, ``compute``, look at ``table``s."""

    def select(self, *entries: str) -> None:
        """As the repositories file does, without a sync."""
        with self.warehouse.transaction() as connection:
            jira_projects.follow(connection, entries, utc_now())
        self.followed = list(entries)

    def add(self, *pull_requests: tuple[str, str | None] | History) -> None:
        """Pull requests of octo/app, numbered from 1: of a title and a branch, or with more of a history."""
        given = [p if isinstance(p, History) else History(ANN, OPENED, title=p[0]) for p in pull_requests]
        branches = [None if isinstance(p, History) else p[1] for p in pull_requests]
        with self._rows() as lab:
            lab.repository(1, "octo/app")
            lab.store([replace(history, title=history.title.replace("\0", "")) for history in given])
            for number, branch in enumerate(branches, 1):
                lab.connection.execute(
                    "UPDATE raw.pull_requests SET head_ref = ? WHERE number = ?", [branch, number]
                )

    def compute(self, links_from: Sequence[str] = ("title", "branch"), *, anew: bool = True) -> None:
        """All metrics, or those alone that pull requests themselves do not change; no ERROR check may find anything."""
        chosen = MetricSettings()
        with self.warehouse.transaction() as connection:
            if anew:
                metrics.rebuild(connection, None, chosen, AS_OF)
            metrics.rebuild_aggregates(connection, chosen, AS_OF, None, links_from)
            checks = [c for c in all_checks(None, with_jira=True) if c.severity == "error" and c.is_of_jira]
            assert {
                f.check.name: f.rows.to_dict("records") for f in find(connection, checks) if f.count
            } == {}

    def table(self, sql: str) -> list[dict[str, Any]]:
        with self.warehouse.transaction() as connection:
            return rows(connection, sql)

    def published(self, *queries: str) -> list[list[dict[str, Any]]]:
        """What these queries find in a new publication."""
        publish(self.warehouse)
        with open_published(self.warehouse.path.parent / "published" / "prpipeline.duckdb") as connection:
            return [rows(connection, query) for query in queries]

    @contextmanager
    def _rows(self) -> Iterator[MetricsLab]:
        lab = MetricsLab.__new__(MetricsLab)
        with self.warehouse.transaction() as lab.connection:
            yield lab


@contextmanager
def issue_lab(
    world: World, folder: Path, entries: Sequence[str] = ("ABC",), **more: Any
) -> Iterator[IssueLab]:
    """Synced once."""
    with JiraSandbox(world, **more) as server:
        lab = IssueLab(server, folder, entries)
        with lab.warehouse.session():
            lab.sync_well()
            yield lab


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
