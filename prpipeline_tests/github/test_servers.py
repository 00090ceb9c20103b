"""GitHub Enterprise Servers: without rate limits, or older than our queries. What a sync, the doctor and a dry run say."""

from __future__ import annotations

from pathlib import Path

import pytest

from prpipeline.app.doctor import Finding, examine
from prpipeline.app.estimate import estimate_history
from prpipeline.github.protocol import OLDEST_SERVER
from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.sync_lab import SyncLab, make_settings, small_world

APIS = ("graphql", "rest")
README = Path(__file__).parents[2] / "README.md"
# What the schema of 3.12 lacks and that of 3.13 has.
OLD = ("PullRequest.fullDatabaseId", "PullRequestReview.fullDatabaseId", "Team.databaseId")


def credential(server: Sandbox, folder: Path, api: str, tokens: str = "sandbox-token") -> Finding:
    """What the doctor says of the credential."""
    findings = [f for f in examine(make_settings(server, folder, api, tokens)) if f.what == "token 1"]
    assert len(findings) == 1, findings
    return findings[0]


@pytest.mark.parametrize("api", APIS)
def test_a_server_without_rate_limits(tmp_path: Path, api: str) -> None:
    with Sandbox(small_world(1), has_rate_limits=False) as server:
        before = credential(server, tmp_path, api)
        here = SyncLab(server.world, server, tmp_path, api)
        assert here.sync()[0].error is None
        here.assert_equal()
        for found in (before, credential(server, tmp_path, api)):
            assert (found.level, "no limits" in found.says) == ("ok", True), found.says
        assert here.clock.sleeps == []
        (estimate,) = estimate_history(here.source, here.names)
        assert (estimate.error, estimate.hourly_limit) == (None, None)
        assert credential(server, tmp_path, api, "mistyped").level == "problem"


@pytest.mark.parametrize("api", APIS)
def test_limits_are_part_of_the_estimate(tmp_path: Path, api: str) -> None:
    with Sandbox(small_world(1)) as server:
        here = SyncLab(server.world, server, tmp_path, api)
        (estimate,) = estimate_history(here.source, here.names)
        assert estimate.hourly_limit == 5000


def test_a_server_that_is_too_old_for_graphql(tmp_path: Path) -> None:
    with Sandbox(small_world(1), unknown_fields=OLD, has_rate_limits=False) as server:
        here = SyncLab(server.world, server, tmp_path)
        (result,) = here.sync()
        assert (result.failure, result.is_permanent) == ("RequestRejected", True)
        for says in (
            result.error or "",
            credential(server, tmp_path / "nothing tracked", "graphql").says,
            credential(server, tmp_path, "graphql").says,
            estimate_history(here.source, here.names)[0].error or "",
        ):
            assert "Field 'fullDatabaseId' doesn't exist on type 'PullRequest'" in says
            assert f"older than {OLDEST_SERVER}" in says
            assert "PRPIPELINE_GITHUB_API=rest" in says
    assert f"GitHub Enterprise Server {OLDEST_SERVER}" in README.read_text(encoding="utf-8")


def test_a_server_that_is_too_old_for_graphql_is_read_by_rest(tmp_path: Path) -> None:
    with Sandbox(small_world(1), unknown_fields=OLD, has_rate_limits=False) as server:
        assert credential(server, tmp_path, "rest").level == "ok"
        here = SyncLab(server.world, server, tmp_path, "rest")
        assert estimate_history(here.source, here.names)[0].error is None
        assert here.sync()[0].error is None
        here.assert_equal()


@pytest.mark.parametrize("api", APIS)
def test_the_check_of_a_servers_age_costs_one_request_in_all(tmp_path: Path, api: str) -> None:
    with Sandbox(small_world(1, ["octo/app", "octo/tool"])) as server:
        here = SyncLab(server.world, server, tmp_path, api)
        estimate_history(here.source, here.names)
        assert [r.operation for r in server.requests].count("Hydrate") == (1 if api == "graphql" else 0)
