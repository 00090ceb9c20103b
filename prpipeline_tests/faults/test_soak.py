"""A thousand faults over a history and ten increments: no row is lost or duplicated."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.faults.kinds import GRAPHQL_ONLY, PASSING, SLOW
from prpipeline_tests.support.sync_lab import SyncLab, busy_pull_request, small_world

FAULTS = 1_000
KINDS = sorted({name.split()[0] for name in PASSING} - SLOW)
SYNCS_UNTIL_WELL = 40


@pytest.mark.slow
@pytest.mark.parametrize(("api", "seed"), [("graphql", 1), ("rest", 2)])
def test_soak(tmp_path: Path, api: str, seed: int) -> None:
    dice = random.Random(seed)
    world = small_world(20, ["octo/one", "octo/two", "moon/three"])
    busy_pull_request(world, "octo/two")
    kinds = [kind for kind in KINDS if api == "graphql" or kind not in GRAPHQL_ONLY]
    struck = 0
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, api, page_size=3, attempts=8)
        for increment in range(11):
            due = FAULTS * (increment + 1) // 11
            while True:
                server.reset_requests()
                server.faults.random(dice.randrange(2**32), kinds, rate=0.9, in_a_row=4)
                _until_well(here)
                struck += sum(request.fault is not None for request in server.requests)
                here.assert_equal()
                here.live()
                if struck >= due:
                    break
    assert struck >= FAULTS


def _until_well(here: SyncLab) -> None:
    for _ in range(SYNCS_UNTIL_WELL):
        results = here.sync()
        if not any(result.failed for result in results):
            return
        here.assert_no_row_twice()
    raise AssertionError(f"still failing: {[r.error for r in results if r.failed]}")
