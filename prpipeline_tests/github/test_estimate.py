"""The estimated cost of a history, compared with the real one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.app.estimate import estimate_history
from prpipeline.sandbox.github import Credential, Sandbox
from prpipeline_tests.support.sync_lab import SyncLab, small_world


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_the_estimate_equals_the_cost(tmp_path: Path, api: str) -> None:
    world = small_world(5, ["octo/app", "octo/tool"])
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, api, page_size=2)
        estimates = estimate_history(here.source, [*here.names, "octo/nothing"])
        assert [e.pull_requests for e in estimates] == [5, 5, None]
        assert estimates[-1].error
        for estimate, result in zip(estimates, here.sync(), strict=False):
            assert estimate.points == result.points
            assert abs(estimate.requests - result.requests) <= 2


def test_the_estimated_time_includes_waiting_for_the_allowance(tmp_path: Path) -> None:
    world = small_world(60, ["octo/app", "octo/tool"])
    with Sandbox(world, tokens=[Credential("sandbox-token", core_limit=100)]) as server:
        here = SyncLab(world, server, tmp_path, "rest", reserve_percent=0)
        first, second = estimate_history(here.source, here.names)
    an_hour = timedelta(hours=1).total_seconds()
    assert first.requests > 180
    assert an_hour * 0.9 < first.seconds <= 3 * an_hour
    assert an_hour < second.seconds <= 3 * an_hour
