"""Two syncs at once: never two requests in flight for one credential."""

from __future__ import annotations

import json

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.shell import Shell

pytestmark = pytest.mark.end_to_end


@pytest.mark.slow
def test_two_processes_take_turns_with_one_credential(shell: Shell, server: Sandbox) -> None:
    server.latency = 1.5  # longer than the two starts are apart
    with (
        shell.start("sync", "octo/app", "--json") as first,
        shell.start("sync", "octo/lib", "--json") as second,
    ):
        said = [running.communicate(timeout=180) for running in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    modes = [json.loads(out)["repositories"][0]["mode"] for out, _ in said]
    assert modes == ["history", "history"]
    assert server.max_in_flight == 1
