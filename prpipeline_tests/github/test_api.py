"""The public Python functions, as a script uses them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import prpipeline
from prpipeline.model.failures import BadCredentials, NotFound, RequestRejected
from prpipeline.model.repository import InvalidRepositoryName
from prpipeline.sandbox.github import Fault, Sandbox, World
from prpipeline_tests.support.sync_lab import busy_pull_request, small_world

TOKEN = "sandbox-token"


@pytest.fixture
def world() -> World:
    world = small_world(25)
    busy_pull_request(world)
    return world


@pytest.fixture
def server(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(world) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.setenv("PRPIPELINE_DATA_DIR", str(tmp_path))
        monkeypatch.delenv("PRPIPELINE_REPOSITORIES", raising=False)
        yield server


@pytest.mark.parametrize("per_page", [100, 10, 1])
@pytest.mark.parametrize("state", ["all", "open", "closed"])
def test_pull_requests_as_the_api_gives_them(
    server: Sandbox, world: World, state: str, per_page: int
) -> None:
    found = prpipeline.get_repository_pull_requests(TOKEN, "octo/app", state=state, per_page=per_page)  # type: ignore[arg-type]
    wanted = [
        pr.number
        for pr in world.repository("octo/app").pull_requests.values()
        if state == "all" or (pr.state == "OPEN") == (state == "open")
    ]
    assert [body["number"] for body in found] == sorted(wanted, reverse=True)
    assert {"id", "node_id", "title", "user", "head", "base", "_links"} <= found[0].keys()


def test_reviews_as_the_api_gives_them(server: Sandbox, world: World) -> None:
    *_, pr = world.repository("octo/app").pull_requests.values()
    found = prpipeline.get_pull_request_reviews(TOKEN, "https://github.com/octo/app.git", pr.number)
    assert [body["id"] for body in found] == [review.id for review in pr.reviews]
    assert len(found) == 120


def test_new_ones_push_others_to_the_next_page(server: Sandbox, world: World) -> None:
    before = len(world.repository("octo/app").pull_requests)
    server.after_request = lambda request: world.open_pull_request("octo/app", "ada")
    found = prpipeline.get_repository_pull_requests(TOKEN, "octo/app", per_page=5)
    assert len({body["id"] for body in found}) == len(found) >= before


def test_failures_have_types(server: Sandbox) -> None:
    with pytest.raises(NotFound):
        prpipeline.get_repository_pull_requests(TOKEN, "octo/nothing")
    with pytest.raises(NotFound):
        prpipeline.get_pull_request_reviews(TOKEN, "octo/app", 999)
    with pytest.raises(BadCredentials):
        prpipeline.get_repository_pull_requests("wrong-token", "octo/app")
    server.faults.add(Fault("redirect", after=1, times=None, url="http://127.0.0.1:9/"))
    with pytest.raises(RequestRejected):
        prpipeline.get_repository_pull_requests(TOKEN, "octo/app", per_page=5)


def test_input_is_checked_before_anything_is_sent(server: Sandbox) -> None:
    for name in ("", "octo", "octo/app/x", "octo app", "../etc"):
        with pytest.raises(InvalidRepositoryName):
            prpipeline.get_repository_pull_requests(TOKEN, name)
    with pytest.raises(ValueError, match="state is 'merged'"):
        prpipeline.get_repository_pull_requests(TOKEN, "octo/app", state="merged")  # type: ignore[arg-type]
    for size in (0, 101, -1, True, "5", 2.0):
        with pytest.raises(ValueError, match="per_page"):
            prpipeline.get_repository_pull_requests(TOKEN, "octo/app", per_page=size)  # type: ignore[arg-type]
    for number in (0, -1, True, "5"):
        with pytest.raises(ValueError, match="pr_number"):
            prpipeline.get_pull_request_reviews(TOKEN, "octo/app", number)  # type: ignore[arg-type]
    for days in (0, -1, True, "5"):
        with pytest.raises(ValueError, match="days_back"):
            prpipeline.sync_repository_history("octo/app", days_back=days)  # type: ignore[arg-type]
    for token in ("two words", "line\nbreak", ""):
        with pytest.raises(ValueError, match="access_token"):
            prpipeline.get_repository_pull_requests(token, "octo/app")
    assert server.requests == []


def test_public_repositories_need_no_token(server: Sandbox) -> None:
    assert len(prpipeline.get_repository_pull_requests(None, "octo/app")) == 26
    assert {request.token for request in server.requests} == {None}


@pytest.fixture
def small(server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Fewer pull requests, for what publishes."""
    world = small_world(3)
    with Sandbox(world) as small:
        monkeypatch.setenv("GITHUB_API_URL", small.url)
        yield world


def test_syncing_a_history(small: World) -> None:
    first = prpipeline.sync_repository_history("OCTO/App", days_back=30)
    reviews = sum(len(pr.reviews) for pr in small.repository("octo/app").pull_requests.values())
    assert first == {"prs_synced": 3, "reviews_synced": reviews, "errors": []}
    missing = prpipeline.sync_repository_history("octo/nothing")
    assert (missing["prs_synced"], len(missing["errors"])) == (0, 1)


@pytest.mark.slow
def test_syncing_it_again(small: World) -> None:
    for _ in range(2):
        assert prpipeline.sync_repository_history("octo/app")["errors"] == []


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, prpipeline; assert not {'duckdb', 'requests', 'pydantic'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = prpipeline.nonsense
