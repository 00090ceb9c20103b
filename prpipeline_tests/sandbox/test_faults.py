"""Each fault, as a client sees it."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from prpipeline.sandbox.github import Credential, Fault, ManualClock, Sandbox, World
from prpipeline.sandbox.github.faults import KINDS
from prpipeline_tests.support.github_client import Client

PULLS = "/repos/octo/app/pulls"


def pull_requests(answer: Any) -> Any:
    return answer["data"]["repository"]["pullRequests"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_html_error_page(client: Client, server: Sandbox, status: int) -> None:
    server.faults.add(Fault("status", status=status))
    answer = client.post("{ viewer { login } }")
    assert (answer.status_code, "Unicorn" in answer.text) == (status, True)
    assert client.post("{ viewer { login } }").status_code == 200
    assert [r.fault for r in server.requests] == ["status", None]


def test_a_timeout_says_so_in_json_and_costs_points(client: Client, server: Sandbox) -> None:
    server.faults.add(Fault("timeout", status=504))
    answer = client.post("{ viewer { login } }")
    assert (answer.status_code, answer.json()["data"]) == (504, None)
    assert client.pulls()["data"]["rateLimit"]["used"] == 2


@pytest.mark.parametrize("kind", ["reset", "reset_mid_body", "truncated_body"])
def test_broken_connections(client: Client, server: Sandbox, kind: str) -> None:
    server.faults.add(Fault(kind))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get(PULLS)
    assert client.get(PULLS).status_code == 200
    assert server.max_in_flight == 1


def test_invalid_bodies(client: Client, server: Sandbox) -> None:
    server.faults.add(Fault("invalid_json"))
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|Invalid"):
        client.get(PULLS).json()
    server.faults.add(Fault("html"))
    answer = client.get(PULLS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    server.faults.add(Fault("wrong_content_type"))
    answer = client.get(PULLS)
    assert (answer.headers["Content-Type"], len(answer.json())) == ("text/plain", 7)


@pytest.mark.parametrize("kind", ["slow_headers", "slow_drip", "latency"])
def test_slow_answers_arrive_completely(client: Client, server: Sandbox, kind: str) -> None:
    server.faults.add(Fault(kind, seconds=0.2))
    started = time.monotonic()
    assert len(client.get(PULLS).json()) == 7
    assert time.monotonic() - started >= 0.15


def test_a_server_that_stops_does_not_wait_for_a_slow_answer(world: World) -> None:
    with Sandbox(world) as server:
        server.faults.add(Fault("slow_headers", seconds=60))
        with pytest.raises(requests.Timeout):
            Client(server).session.get(server.url + PULLS, timeout=0.1)
        started = time.monotonic()
    assert time.monotonic() - started < 5


def test_redirects_and_links_to_another_host(client: Client, server: Sandbox) -> None:
    server.faults.add(Fault("redirect", url="http://elsewhere.invalid/"))
    assert client.get(PULLS).headers["Location"] == "http://elsewhere.invalid/"
    server.faults.add(Fault("link_elsewhere", url="http://elsewhere.invalid/"))
    assert client.get(PULLS).links["next"]["url"].startswith("http://elsewhere.invalid/")


def test_limits(client: Client, server: Sandbox, clock: ManualClock) -> None:
    server.faults.add(Fault("primary_limit", seconds=30, times=2))
    answer = client.get(PULLS)
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert int(answer.headers["X-RateLimit-Reset"]) == clock.now().timestamp() + 30
    assert client.pulls()["errors"][0]["type"] == "RATE_LIMITED"
    server.faults.add(Fault("secondary_limit", status=429, retry_after=7))
    answer = client.post("{ viewer { login } }")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    server.faults.add(Fault("secondary_limit"))
    answer = client.get(PULLS)
    assert (answer.status_code, "Retry-After" in answer.headers) == (403, False)
    assert "secondary rate limit" in answer.json()["message"]


def test_resource_limits_hit_large_pages_only(client: Client, server: Sandbox) -> None:
    server.faults.add(Fault("resource_limits", above=3, times=None))
    answer = client.pulls(n=4)
    assert pull_requests(answer)["nodes"] == [None] * 4
    assert {e["type"] for e in answer["errors"]} == {"RESOURCE_LIMITS_EXCEEDED"}
    assert answer["errors"][0]["path"] == ["repository", "pullRequests", "nodes", 0]
    assert "errors" not in client.pulls(n=3)
    server.faults.add(Fault("status", above=2))
    assert client.get(f"{PULLS}?per_page=2").status_code == 200
    assert client.get(f"{PULLS}?per_page=3").status_code == 502


def test_partial_answers(client: Client, server: Sandbox) -> None:
    server.faults.add(Fault("graphql_error"))
    answer = client.pulls()
    assert pull_requests(answer)["nodes"][-1] is None
    assert len(answer["errors"]) == 1
    server.faults.add(Fault("something_went_wrong"))
    answer = client.pulls()
    assert answer["data"] is None
    assert answer["errors"][0]["message"].startswith("Something went wrong while executing your query")
    server.faults.add(Fault("null_nodes"))
    answer = client.pulls()
    assert None in pull_requests(answer)["nodes"]
    assert "errors" not in answer


def test_lists_with_missing_items(client: Client, server: Sandbox) -> None:
    server.faults.add(Fault("short_page"))
    page = pull_requests(client.pulls(n=4))
    assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (2, True)
    server.faults.add(Fault("truncated_children"))
    reviews = pull_requests(client.pulls())["nodes"][0]["reviews"]
    assert (len(reviews["nodes"]), reviews["totalCount"], reviews["pageInfo"]["hasNextPage"]) == (1, 2, False)


def test_wrong_cursors(client: Client, server: Sandbox) -> None:
    server.faults.add(Fault("null_cursor"))
    assert pull_requests(client.pulls())["pageInfo"] == {"hasNextPage": True, "endCursor": None}
    after = pull_requests(client.pulls(n=2))["pageInfo"]["endCursor"]
    server.faults.add(Fault("odd_cursor"))
    assert pull_requests(client.pulls())["pageInfo"] == {"hasNextPage": True, "endCursor": "\ud800"}
    server.faults.add(Fault("repeated_cursor"))
    page = pull_requests(client.pulls(n=2, after=after))["pageInfo"]
    assert page == {"hasNextPage": True, "endCursor": after}
    server.faults.add(Fault("rejected_cursor"))
    answer = client.pulls(n=2, after=after)
    assert answer["data"]["repository"] is None
    assert answer["errors"][0]["type"] == "INVALID_CURSOR_ARGUMENTS"


def test_forbidden_teams_in_valid_data(client: Client, server: Sandbox, world: World) -> None:
    world.request_review(world.repository("octo/app").pull_requests[1], "octo/core")
    server.faults.add(Fault("forbidden_teams"))
    server.add_token(Credential("classic", scopes=("repo",)))
    for answer in (client.pulls(), Client(server, "classic").pulls()):
        node = pull_requests(answer)["nodes"][0]["timelineItems"]["nodes"][0]
        assert (node["__typename"], node["requestedReviewer"]) == ("ReviewRequestedEvent", None)
        assert [(e["type"], e["path"][-1]) for e in answer["errors"]] == [("FORBIDDEN", "requestedReviewer")]


def test_an_ip_allow_list_and_a_single_sign_on(client: Client, server: Sandbox, world: World) -> None:
    server.faults.add(Fault("ip_allow_list", times=2))
    answer = client.pulls()
    assert answer["data"]["repository"] is None
    assert "IP allow list" in answer["errors"][0]["message"]
    ids = [world.repository("octo/app").pull_requests[n].node_id for n in (1, 2)]
    answer = client.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
    assert answer["data"]["nodes"] == [None, {"id": ids[1]}]
    server.faults.add(Fault("sso_partial", times=2))
    assert client.pulls()["errors"][0]["extensions"] == {"saml_failure": True}
    answer = client.get(PULLS)
    assert len(answer.json()) == 6
    assert answer.headers["X-GitHub-SSO"].startswith("partial-results")


def test_the_requests_that_a_fault_affects(client: Client, server: Sandbox) -> None:
    server.faults.add(Fault("status", match=lambda r: r.path.endswith("/pulls"), after=1, times=2))
    client.get("/repos/octo/app")
    assert [client.get(PULLS).status_code for _ in range(4)] == [200, 502, 502, 200]


def test_a_random_plan_is_the_same_for_the_same_seed(client: Client, server: Sandbox) -> None:
    def statuses(seed: int) -> list[int]:
        server.faults.random(seed, ["status", "secondary_limit"], rate=0.5, in_a_row=2)
        return [client.get("/repos/octo/app").status_code for _ in range(30)]

    first = statuses(1)
    assert first == statuses(1) != statuses(2)
    assert set(first) == {200, 403, 502}
    broken = "".join("x" if status != 200 else "." for status in first)
    assert "xxx" not in broken
    server.faults.clear()
    assert client.get("/repos/octo/app").status_code == 200


def test_unknown_faults_are_refused() -> None:
    assert len(KINDS) == len(set(KINDS))
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("nonsense")
