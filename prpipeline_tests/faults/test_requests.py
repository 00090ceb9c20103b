"""A query costs at most ``attempts`` requests, whatever goes wrong with it and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from prpipeline.github.sources import GitHubSource, open_sources
from prpipeline.model.answers import Head, Repository
from prpipeline.model.failures import ApiFailure
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.sandbox.messages import Request
from prpipeline.settings import SyncSettings
from prpipeline_tests.faults.kinds import LASTING, PASSING, SLOW, both_apis, one_api
from prpipeline_tests.support.counting import most_requests_per_query, requests_per_query
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import (
    SyncLab,
    busy_pull_request,
    jumping_clock,
    make_settings,
    small_world,
)

ATTEMPTS = 4
EVER = datetime(1970, 1, 1)


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    """A server whose world no test here changes."""
    world = small_world(2)
    busy_pull_request(world, children=101)
    with Sandbox(world) as server:
        yield server


def asking(
    source: GitHubSource, repository: Repository, heads: list[Head]
) -> dict[str, Callable[[], object]]:
    """Every query of a source."""
    name = repository.full_name

    def changed() -> object:
        return source.changed(source.probe([repository]).probes[repository.repository_id], EVER)

    return {
        "history": lambda: list(source.history(name, after=None, back=None, started_at=None)),
        "hydrate": lambda: list(source.hydrate([(repository, head) for head in heads])),
        "changed": changed,
        "outline": lambda: source.outline(repository),
        "owner": lambda: source.owner_repositories("octo"),
    }


@pytest.mark.parametrize(("api", "name"), some_slow(both_apis(LASTING), *one_api(LASTING)[::4]))
def test_no_query_costs_more_requests_than_attempts(
    server: Sandbox, tmp_path: Path, api: str, name: str
) -> None:
    kind, is_slow = name.split()[0], name in SLOW
    timeout: dict[str, Any] = {"request_timeout_seconds": 0.3} if is_slow else {}
    settings = make_settings(
        server, tmp_path, api, sync=SyncSettings(page_size=2, attempts=ATTEMPTS, **timeout)
    )
    server.faults.clear()
    (source,) = open_sources(settings, jumping_clock(server.world))
    (repository, _) = source.repository(RepositoryName("octo", "app"))
    probe = source.probe([repository]).probes[repository.repository_id]
    questions = asking(source, repository, source.changed(probe, EVER))
    struck = 0
    for what in ["hydrate"] if is_slow else questions:
        for let_through in (0, 2) if what in {"history", "hydrate"} and not is_slow else (0,):
            server.reset_requests()
            server.faults.clear()
            server.faults.add(Fault(kind, after=let_through, times=None, **PASSING[name]))
            with suppress(ApiFailure, KeyError):  # of a repository that the probe refused
                questions[what]()
            struck += sum(request.fault is not None for request in server.requests)
            assert most_requests_per_query(server) <= ATTEMPTS, (what, requests_per_query(server))
    assert struck >= ATTEMPTS


def _of_tail(request: Request) -> bool:
    return request.operation == "Tail" or "page=2" in request.path or request.query.get("page") == "2"


TAILS = one_api(name for name in LASTING if name not in SLOW)


@pytest.mark.parametrize(("api", "name"), some_slow(TAILS, *TAILS[1::4]))
def test_a_lasting_bad_answer_to_one_tail_costs_attempts(
    server: Sandbox, tmp_path: Path, api: str, name: str
) -> None:
    here = SyncLab(server.world, server, tmp_path, api, attempts=ATTEMPTS, page_size=25)
    server.faults.clear()
    server.reset_requests()
    server.faults.add(Fault(name.split()[0], times=None, match=_of_tail, **PASSING[name]))
    (result,) = here.sync()
    assert most_requests_per_query(server) <= ATTEMPTS, requests_per_query(server)
    assert sum(request.fault is not None for request in server.requests) <= 2 * ATTEMPTS
    # Tails have no closedAt, no true or false, no lists in lists.
    assert result.failed or name in {"missing_keys", "wrong_types", "truncated_children"}


def test_halving_a_page_shares_the_budget(server: Sandbox, tmp_path: Path) -> None:
    here = SyncLab(server.world, server, tmp_path, attempts=6, page_size=25)
    server.faults.clear()
    server.reset_requests()
    server.faults.add(Fault("resource_limits", times=None, match=lambda r: r.operation == "History"))
    (result,) = here.sync()
    assert result.failure == "TooExpensive"
    asked = [(r.variables["size"], r.variables["sizes"]) for r in server.requests]
    assert asked == [(25, True), (12, True), (6, True), (3, True), (1, True), (1, False)]


def test_reading_a_changed_pull_request_again_shares_the_budget(tmp_path: Path) -> None:
    """A pull request that changes each time that its tail is read."""
    world = small_world(2)
    pull_request = busy_pull_request(world)
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, attempts=5, page_size=25)

        def meanwhile(request: Request) -> None:
            if request.operation == "Tail":
                here.wait(hours=1)
                world.push(pull_request)

        server.before_request = meanwhile
        (result,) = here.sync()
        assert result.failure == "MalformedAnswer"
        assert "changed while its reviews were read" in (result.error or "")
        counted = sorted(requests_per_query(server).values())
        assert counted == [1, 4, 5], "the page, the pull request again, its tail"


def test_a_pull_request_that_is_listed_but_never_shown(server: Sandbox, tmp_path: Path) -> None:
    here = SyncLab(server.world, server, tmp_path, "rest", attempts=ATTEMPTS)
    server.faults.clear()
    server.faults.add(Fault("status", status=404, times=None, match=lambda r: r.path.endswith("/pulls/3")))
    server.reset_requests()
    (result,) = here.sync()
    assert result.failure == "MalformedAnswer"
    assert most_requests_per_query(server) <= ATTEMPTS, requests_per_query(server)
