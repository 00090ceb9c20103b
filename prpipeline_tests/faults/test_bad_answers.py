"""Whole syncs with every kind of bad answer: they end equal to GitHub, or with a failure of the right type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from prpipeline.sandbox.github import Fault, Sandbox, World
from prpipeline.sandbox.github.faults import KINDS
from prpipeline.sync import SyncOptions
from prpipeline_tests.faults.kinds import (
    FATAL,
    LASTING,
    PASSING,
    SAME,
    SLOW,
    both_apis,
    one_api,
    sample,
)
from prpipeline_tests.support import stores
from prpipeline_tests.support.counting import most_requests_per_query
from prpipeline_tests.support.folders import lasting_folder
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, busy_pull_request, small_world

APIS = ("graphql", "rest")
PLAIN = SyncOptions()


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(_world()) as server:
        yield server


@pytest.fixture(scope="module")
def still() -> Iterator[Sandbox]:
    """A server whose world no test changes."""
    with Sandbox(_world()) as server:
        yield server


@pytest.fixture(scope="module")
def changed() -> Iterator[tuple[Sandbox, dict[str, Path]]]:
    """Another one, of a world that changed since it was synced, and the folders of the warehouses of then."""
    with Sandbox(_world()) as server:
        labs = {api: lab(server, lasting_folder(), api) for api in APIS}
        for here in labs.values():
            assert here.sync()[0].error is None
        labs["graphql"].live()
        yield server, {api: here.warehouse.path.parent for api, here in labs.items()}


@pytest.fixture
def new_lab(still: Sandbox, tmp_path: Path, api: str, name: str) -> Iterator[SyncLab]:
    """A lab whose warehouse is empty."""
    with _unused(still, name) as server:
        yield lab(server, tmp_path, api, name)


@pytest.fixture
def due_lab(
    changed: tuple[Sandbox, dict[str, Path]], tmp_path: Path, api: str, name: str
) -> Iterator[SyncLab]:
    """A lab whose history is done, and whose world has changed since."""
    server, folders = changed
    stores.copy_warehouse(folders[api], tmp_path)
    with _unused(server, name) as server:
        yield lab(server, tmp_path, api, name)


@contextmanager
def _unused(shared: Sandbox, name: str) -> Iterator[Sandbox]:
    """The server as no test had used it; for what is slow one of its own: it goes on answering after the client gave up."""
    if name in SLOW:
        with Sandbox(shared.world) as server:
            yield server
    else:
        shared.faults.clear()
        shared.reset_requests()
        yield shared


def lab(server: Sandbox, folder: Path, api: str, name: str = "") -> SyncLab:
    timeout: dict[str, Any] = {"request_timeout_seconds": 0.5} if name in SLOW else {}
    return SyncLab(server.world, server, folder, api, page_size=2, **timeout)


def _world() -> World:
    """Two pages of two pull requests, one of which has more children than come with it."""
    world = small_world(3)
    busy_pull_request(world, children=51)
    return world


def test_every_fault_of_the_sandbox_is_tested() -> None:
    named = {name.split()[0] for name in PASSING} | set(FATAL)
    own = {
        "latency",
        "link_elsewhere",
        "bare_304",
        "wrong_304",
        "older_state",
        "wrong_date",
        "forbidden_teams",
        "forbidden_users",
    }
    own |= {"more_events_counted"}
    assert set(KINDS) - named == own, "these have tests of their own"


@pytest.mark.parametrize(
    ("api", "name"), some_slow(one_api(PASSING), *(pair for pair in one_api(PASSING) if pair[1] not in SAME))
)
def test_a_history_recovers(new_lab: SyncLab, name: str) -> None:
    here, server = new_lab, new_lab.server
    times = 1 if name == "rejected_cursor" else 2  # a rejected cursor starts the list again once
    fault = server.faults.add(Fault(name.split()[0], after=1, times=times, **PASSING[name]))
    (result,) = here.sync()
    assert (result.mode, result.error) == ("history", None)
    assert fault.times == 0
    here.assert_equal()
    assert server.max_in_flight == 1 or name in SLOW  # a client that gave up cannot cancel its request


@pytest.mark.parametrize(("api", "name"), sample(PASSING))
def test_an_increment_recovers(due_lab: SyncLab, name: str) -> None:
    here = due_lab
    here.server.faults.add(Fault(name.split()[0], after=1, times=1, **PASSING[name]))
    (result,) = here.sync()
    assert (result.mode, result.error) == ("increment", None)
    here.assert_equal()


@pytest.mark.parametrize(("api", "name"), some_slow(one_api(LASTING), *one_api(LASTING)[::5]))
def test_a_lasting_fault_is_a_failure_with_its_type(due_lab: SyncLab, name: str) -> None:
    here, server = due_lab, due_lab.server
    before = here.tracked().watermark_at
    server.faults.add(Fault(name.split()[0], times=None, **PASSING[name]))
    (result,) = here.sync()
    assert result.mode == "failed"
    assert result.error
    assert result.failure in {
        "NetworkTrouble", "ServerTrouble", "MalformedAnswer", "TooExpensive", "Overloaded", "CursorRejected",
        "LimitReached", "UnexplainedRefusal",
    }  # fmt: skip
    assert not result.is_permanent
    assert most_requests_per_query(server) <= here.sync_settings.attempts
    assert len(server.requests) < 60, "no endless loop"
    assert here.tracked().watermark_at == before
    server.faults.clear()
    (result,) = here.sync()
    assert result.error is None
    here.assert_equal()


@pytest.mark.parametrize(("api", "name"), sample(LASTING))
def test_a_history_that_never_recovers(new_lab: SyncLab, api: str, name: str) -> None:
    here, server = new_lab, new_lab.server
    after = 1 if api == "graphql" else 11  # the first page is read
    server.faults.add(Fault(name.split()[0], after=after, times=None, **PASSING[name]))
    (result,) = here.sync()
    assert (result.mode, bool(result.error)) == ("failed", True)
    assert len(server.requests) < 200, "no endless loop"
    assert here.tracked().watermark_at is None
    assert here.tracked().history_done_at is None
    here.assert_nothing_wrong()
    server.faults.clear()
    (result,) = here.sync()
    assert (result.mode, result.error) == ("history", None)
    here.assert_equal()


@pytest.mark.parametrize(("api", "name"), some_slow(both_apis(FATAL), *one_api(FATAL)))
def test_permanent_failures_are_not_retried(new_lab: SyncLab, name: str) -> None:
    here = new_lab
    here.server.faults.add(Fault(name, after=2))
    (result,) = here.sync()
    assert (result.mode, result.failure, result.is_permanent) == ("failed", FATAL[name], True)
    assert here.tracked().watermark_at is None
    here.assert_nothing_wrong()
    assert here.sync()[0].error is None
    here.assert_equal()


@pytest.mark.parametrize(("api", "name"), some_slow(both_apis(FATAL), *one_api(FATAL)[::2]))
def test_a_permanent_failure_of_an_increment(due_lab: SyncLab, name: str) -> None:
    here = due_lab
    before = here.tracked().watermark_at
    here.server.faults.add(Fault(name))
    (result,) = here.sync()
    assert (result.mode, result.failure) == ("failed", FATAL[name])
    assert here.tracked().watermark_at == before
    assert here.sync()[0].error is None
    here.assert_equal()


def test_team_names_that_are_denied(server: Sandbox, tmp_path: Path) -> None:
    here = lab(server, tmp_path, "graphql")
    server.faults.add(Fault("forbidden_teams", times=None))
    (result,) = here.sync()
    assert result.error is None
    here.assert_equal(teams=False)  # known to be a team, but not which one


@pytest.mark.parametrize("kind", ["resource_limits", "null_nodes", "short_page"])
def test_a_query_that_is_too_expensive_uses_smaller_pages(tmp_path: Path, kind: str) -> None:
    with Sandbox(small_world(5)) as server:
        here = SyncLab(server.world, server, tmp_path, page_size=4)
        server.faults.add(Fault(kind, above=2, times=None, match=lambda r: r.operation == "History"))
        (result,) = here.sync()
        assert result.error is None
        here.assert_equal()
        assert [r.variables["size"] for r in server.requests if r.operation == "History"][:2] == [4, 2]


@pytest.mark.parametrize("rest_works", [True, False])
def test_sizes_that_are_too_expensive_come_by_rest(server: Sandbox, tmp_path: Path, rest_works: bool) -> None:
    here = lab(server, tmp_path, "graphql")
    server.faults.add(
        Fault(
            "status",
            times=None,
            match=lambda r: r.operation == "History" and (r.variables["sizes"] or r.variables["size"] > 1),
        )
    )
    if not rest_works:
        server.faults.add(Fault("status", status=422, times=None, match=lambda r: "/pulls/" in r.path))
    (result,) = here.sync()
    assert result.error is None
    if rest_works:
        here.assert_equal()
    else:
        assert {row[16:19] for row in here.held()["pull_requests"]} == {(None, None, None)}
        assert here.held()["reviews"] == here.expected()["reviews"]


def test_in_an_outage_only_the_first_repository_uses_all_attempts(tmp_path: Path) -> None:
    world = small_world(1, [f"octo/app-{n}" for n in range(5)])
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path)
        server.faults.add(Fault("status", status=503, times=None))
        assert {result.mode for result in here.sync()} == {"failed"}
        assert len(server.requests) == here.sync_settings.attempts + 4
        server.faults.clear()
        assert {result.mode for result in here.sync()} == {"history"}
        here.assert_equal()


def test_one_bad_repository_affects_no_other(tmp_path: Path) -> None:
    world = small_world(3, [f"octo/app-{n}" for n in range(4)])
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path)
        here.sync()
        here.live()
        world.block_repository("octo/app-1", 403)
        world.set_private("octo/app-2")
        server.credentials["sandbox-token"].repositories = ()
        modes = {result.tracked_as: (result.mode, result.failure) for result in here.sync()}
        assert modes.pop("octo/app-1") == ("failed", "AccessDenied")
        assert modes.pop("octo/app-2") == ("failed", "NotFound")
        assert set(modes.values()) == {("increment", None)}
