"""docs/cost.md shows what the code computes, and the code computes what a sync costs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from benchmarks import cost_page
from prpipeline.app.estimate import day_cost
from prpipeline.github.cost import graphql_history
from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.sync_lab import SyncLab, quiet_world

PAGE = Path(__file__).parents[1] / "docs" / "cost.md"


def test_the_page_shows_what_the_code_computes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- tables: python -m benchmarks.cost_page -->\n")
    assert rest.partition("<!-- end -->")[0] == cost_page.tables()


def test_the_computed_cost_is_the_real_cost(tmp_path: Path) -> None:
    names = [f"octo/app-{n}" for n in range(5)]
    world = quiet_world(3, names)
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, page_size=2)
        histories = here.sync()
        size = here.sync_settings.page_size
        assert [(r.requests, r.points) for r in histories] == [
            (graphql_history(3, size).requests, graphql_history(3, size).points)
        ] * len(names)

        world.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
        for name in names[:2]:
            for pull_request in list(world.repository(name).pull_requests.values())[:3]:
                world.review(pull_request, "grace", "COMMENTED")
        world.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
        day = here.sync()
        assert sum(r.requests for r in day) == day_cost(len(names), 2, 3, size).requests

        world.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
        quiet = here.sync()
        assert sum(r.requests for r in quiet) == day_cost(len(names), 0, 0, size).requests == 1
