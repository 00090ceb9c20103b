"""What a client of GraphQL sees: data page by page, and GitHub's errors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from prpipeline.sandbox.github import ManualClock, Sandbox, World
from prpipeline_tests.support.github_client import PULLS, Client


def numbers(answer: Any) -> list[int]:
    return [node["number"] for node in answer["data"]["repository"]["pullRequests"]["nodes"]]


def error_type(answer: Any) -> str:
    return str(answer["errors"][0]["type"])


@pytest.mark.parametrize("field", ["CREATED_AT", "UPDATED_AT"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_pages_add_up_to_the_world(client: Client, field: str, direction: str) -> None:
    order = {"field": field, "direction": direction}
    seen, after = [], None
    while True:
        answer = client.pulls(n=2, after=after, order=order)
        seen += numbers(answer)
        page = answer["data"]["repository"]["pullRequests"]["pageInfo"]
        if not page["hasNextPage"]:
            break
        after = page["endCursor"]
    assert seen == (list(range(1, 8)) if direction == "ASC" else list(range(7, 0, -1)))


def test_last_and_before_read_a_list_from_its_end(client: Client) -> None:
    query = """query($before: String) { repository(owner: "octo", name: "app") {
        pullRequests(last: 3, before: $before) { nodes { number } pageInfo { hasPreviousPage startCursor } } } }"""
    first = client.ask(query)
    assert numbers(first) == [5, 6, 7]
    start = first["data"]["repository"]["pullRequests"]["pageInfo"]["startCursor"]
    assert numbers(client.ask(query, before=start)) == [2, 3, 4]


def test_a_cursor_is_a_value_so_an_updated_pull_request_jumps_over_it(
    client: Client, world: World, clock: ManualClock
) -> None:
    order = {"field": "UPDATED_AT", "direction": "DESC"}
    first = client.pulls(n=2, order=order)
    clock.advance(timedelta(hours=1))
    world.comment(world.repository("octo/app").pull_requests[3], "ada")
    after = first["data"]["repository"]["pullRequests"]["pageInfo"]["endCursor"]
    assert numbers(first) == [7, 6]
    assert numbers(client.pulls(n=9, order=order, after=after)) == [5, 4, 2, 1]


def test_cursors_of_other_lists_and_garbage_are_rejected(client: Client) -> None:
    by_creation = client.pulls(n=2)["data"]["repository"]["pullRequests"]["pageInfo"]["endCursor"]
    order = {"field": "UPDATED_AT", "direction": "ASC"}
    for cursor in (by_creation, "garbage", "Y3Vyc29yOjEwMA=="):
        assert error_type(client.pulls(after=cursor, order=order)) == "INVALID_CURSOR_ARGUMENTS"


def test_states_and_count_only(client: Client, world: World) -> None:
    world.merge(world.repository("octo/app").pull_requests[2])
    world.close(world.repository("octo/app").pull_requests[3])
    query = """{ repository(owner: "octo", name: "app") {
        merged: pullRequests(states: [MERGED]) { totalCount }
        gone: pullRequests(states: [MERGED, CLOSED], first: 5) { nodes { number merged closed } } } }"""
    assert client.ask(query)["data"]["repository"] == {
        "merged": {"totalCount": 1},
        "gone": {
            "nodes": [
                {"number": 2, "merged": True, "closed": True},
                {"number": 3, "merged": False, "closed": True},
            ]
        },
    }


def test_ids_above_32_bits_come_as_strings(client: Client, world: World) -> None:
    big = world.open_pull_request("octo/app", "ada", id=2**31 + 5)
    node = client.pulls()["data"]["repository"]["pullRequests"]["nodes"][-1]
    assert (node["fullDatabaseId"], node["databaseId"]) == (str(big.id), None)


def test_bots_have_no_suffix_and_deleted_people_are_null(client: Client, world: World) -> None:
    world.delete_user("ada")
    node = client.pulls()["data"]["repository"]["pullRequests"]["nodes"][0]
    assert node["author"] is None
    assert [review["author"] for review in node["reviews"]["nodes"]] == [
        {"__typename": "User", "login": "grace"},
        {"__typename": "Bot", "login": "robot"},
    ]


def test_a_pending_review_is_its_authors_alone(client: Client, world: World) -> None:
    pull_request = world.open_pull_request("octo/app", "ada")
    world.review(pull_request, "grace", "PENDING")
    world.review(pull_request, "sandbox-user", "PENDING")
    reviews = client.pulls()["data"]["repository"]["pullRequests"]["nodes"][-1]["reviews"]
    assert [(r["author"]["login"], r["submittedAt"]) for r in reviews["nodes"]] == [("sandbox-user", None)]


def test_dismissal_changes_the_review_in_place_and_leaves_an_event(client: Client, world: World) -> None:
    pull_request = world.repository("octo/app").pull_requests[1]
    world.dismiss_review(pull_request.reviews[1], by="ada")
    answer = client.ask(
        """query($id: ID!) { node(id: $id) { ... on PullRequest {
        reviews(first: 5, states: [DISMISSED]) { nodes { id } }
        timelineItems(first: 5, itemTypes: [REVIEW_DISMISSED_EVENT]) { nodes {
          ... on ReviewDismissedEvent { previousReviewState review { id } actor { login } } } } } } }""",
        id=pull_request.node_id,
    )["data"]["node"]
    assert answer["reviews"]["nodes"] == [{"id": pull_request.reviews[1].node_id}]
    event = answer["timelineItems"]["nodes"][0]
    assert (event["previousReviewState"], event["actor"]["login"]) == ("APPROVED", "ada")


def test_missing_ids_are_null_with_an_error_each_and_the_order_is_kept(client: Client, world: World) -> None:
    first, gone, last = (world.repository("octo/app").pull_requests[n] for n in (1, 2, 3))
    world.delete_pull_request(gone)
    answer = client.ask(
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest { number } } }",
        ids=[last.node_id, gone.node_id, first.node_id],
    )
    assert answer["data"]["nodes"] == [{"number": 3}, None, {"number": 1}]
    assert [(e["type"], e["path"]) for e in answer["errors"]] == [("NOT_FOUND", ["nodes", 1])]


def test_an_unknown_repository_is_null_with_an_error(client: Client) -> None:
    answer = client.pulls("octo/nothing")
    assert answer["data"]["repository"] is None
    assert answer["errors"][0]["message"] == (
        "Could not resolve to a Repository with the name 'octo/nothing'."
    )


def test_a_rename_is_followed_and_keeps_every_id(client: Client, world: World) -> None:
    before = client.pulls()["data"]["repository"]
    world.rename_repository("octo/app", "application")
    after = client.pulls()["data"]["repository"]
    assert after["nameWithOwner"] == "octo/application"
    assert after["id"] == before["id"]
    assert after["pullRequests"]["nodes"] == before["pullRequests"]["nodes"]
    strict = '{ repository(owner: "octo", name: "app", followRenames: false) { id } }'
    assert error_type(client.ask(strict)) == "NOT_FOUND"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", "MISSING_PAGINATION_BOUNDARIES"),
        ("(first: 101)", "EXCESSIVE_PAGINATION"),
        ("(last: 101)", "EXCESSIVE_PAGINATION"),
    ],
)
def test_lists_need_a_page_size_of_at_most_100(client: Client, arguments: str, expected: str) -> None:
    query = f'{{ repository(owner: "octo", name: "app") {{ pullRequests{arguments} {{ nodes {{ id }} }} }} }}'
    assert error_type(client.ask(query)) == expected


def test_a_hundred_ids_and_no_more(client: Client) -> None:
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert error_type(client.ask(query, ids=["x"] * 101)) == "ARGUMENT_LIMIT"
    assert len(client.ask(query, ids=["x"] * 100)["errors"]) == 100


def test_half_a_million_nodes_and_no_more(client: Client) -> None:
    query = """{ repository(owner: "octo", name: "app") { pullRequests(first: 100) { nodes {
        reviews(first: 100) { nodes { pullRequest { timelineItems(first: 100) { nodes { __typename } } } } } } } } }"""
    assert error_type(client.ask(query)) == "MAX_NODE_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("page", "points", "nodes"), [(25, 1, 2525), (50, 1, 5050), (74, 1, 7474), (100, 2, 10100)]
)
def test_cost_is_githubs_formula(client: Client, page: int, points: int, nodes: int) -> None:
    limit = client.pulls(n=page)["data"]["rateLimit"]
    assert (limit["cost"], limit["nodeCount"], limit["used"]) == (points, nodes, points)


def test_count_only_lists_are_free(client: Client) -> None:
    query = """{ rateLimit { cost nodeCount } repository(owner: "octo", name: "app") { pullRequests(first: 50) {
        nodes { comments { totalCount } reviewThreads { totalCount } reviews { totalCount } } } } }"""
    assert client.ask(query)["data"]["rateLimit"] == {"cost": 1, "nodeCount": 50}


def test_the_probe_of_100_repositories_costs_one_point(client: Client, world: World) -> None:
    repositories = [world.add_repository(f"many/repository-{n}") for n in range(100)]
    query = """query($ids: [ID!]!) { rateLimit { cost nodeCount } nodes(ids: $ids) { ... on Repository {
        nameWithOwner pullRequests(first: 10) { totalCount nodes { id } } } } }"""
    data = client.ask(query, ids=[r.node_id for r in repositories])["data"]
    assert data["rateLimit"] == {"cost": 1, "nodeCount": 1000}
    assert [node["nameWithOwner"] for node in data["nodes"]] == [r.full_name for r in repositories]


def test_an_owners_repositories(client: Client, world: World) -> None:
    world.add_repository("octo/old", archived=True)
    world.add_repository("octo/secret", private=True, fork=True)
    query = """query($archived: Boolean, $fork: Boolean) { repositoryOwner(login: "octo") { login
        repositories(first: 10, isArchived: $archived, isFork: $fork, orderBy: {field: NAME, direction: ASC}) {
          totalCount nodes { name isArchived isFork isPrivate owner { login } } } } }"""

    def names(**filters: bool) -> list[str]:
        owner = client.ask(query, **filters)["data"]["repositoryOwner"]
        return [node["name"] for node in owner["repositories"]["nodes"]]

    assert names() == ["app", "old", "secret"]
    assert names(archived=False) == ["app", "secret"]
    assert names(fork=True) == ["secret"]


def test_invalid_queries_answer_200_with_errors_and_no_data(client: Client) -> None:
    for query in ("{ nonsense }", "{ viewer { login", "query($x: Nothing) { viewer { login } }"):
        response = client.post(query)
        assert response.status_code == 200
        assert response.json()["errors"]
        assert "data" not in response.json()


def test_which_credentials_are_accepted(server: Sandbox) -> None:
    url, body = server.graphql_url, {"query": "{ viewer { login } }"}
    token = {"Authorization": "bearer sandbox-token"}
    assert requests.post(url, json=body, headers=token, timeout=5).json()["data"] == {
        "viewer": {"login": "sandbox-user"}
    }
    assert requests.post(url, json=body, timeout=5).status_code == 401
    wrong = requests.post(url, json=body, headers={"Authorization": "bearer nonsense"}, timeout=5)
    assert (wrong.status_code, wrong.json()["message"]) == (401, "Bad credentials")
    assert requests.post(url, data="not json", headers=token, timeout=5).status_code == 400
    nameless = requests.post(url, json=body, headers={**token, "User-Agent": ""}, timeout=5)
    assert nameless.status_code == 403


def test_an_enterprise_servers_paths_work_too(client: Client, server: Sandbox) -> None:
    answer = client.session.post(
        server.url + "/api/graphql", json={"query": "{ viewer { login } }"}, timeout=5
    )
    assert answer.json()["data"]["viewer"]["login"] == "sandbox-user"
    assert client.get("/api/v3/repos/octo/app").json()["url"] == f"{server.url}/api/v3/repos/octo/app"


def test_the_date_header_is_the_sandbox_clocks(client: Client, clock: ManualClock) -> None:
    assert client.post("{ viewer { login } }").headers["Date"] == clock.now().strftime(
        "%a, %d %b %Y %H:%M:%S GMT"
    )


def test_requests_are_recorded(client: Client, server: Sandbox) -> None:
    client.pulls(n=3)
    (request,) = server.requests
    assert (request.operation, request.variables["n"], request.status, request.token, request.points) == (
        "Pulls",
        3,
        200,
        "sandbox-token",
        1,
    )
    server.reset_requests()
    assert not server.requests


def test_the_world_can_change_in_the_middle_of_a_walk(client: Client, server: Sandbox, world: World) -> None:
    def open_another(request: object) -> None:
        server.after_request = None
        world.open_pull_request("octo/app", "ada")

    server.after_request = open_another
    assert numbers(client.pulls()) == list(range(1, 8))
    assert numbers(client.pulls()) == list(range(1, 9))


def test_plain_fields_read_directly_equal_those_of_the_engine(client: Client, world: World) -> None:
    from graphql import execute_sync, parse

    from prpipeline.sandbox.github.graphql_api import schema
    from prpipeline.sandbox.github.limits import Credential
    from prpipeline.sandbox.github.readers import type_name
    from prpipeline.sandbox.github.visibility import QueryContext

    expected = execute_sync(
        schema(),
        parse(PULLS.replace("rateLimit { cost nodeCount remaining used limit resetAt }", "")),
        context_value=QueryContext(world, Credential("x"), {}),
        variable_values={"owner": "octo", "name": "app"},
        type_resolver=lambda source, _info, _type: type_name(source),
    )
    assert expected.data
    assert client.pulls()["data"]["repository"] == expected.data["repository"]


def test_an_unknown_owner_is_null_without_an_error(client: Client) -> None:
    assert client.ask('{ repositoryOwner(login: "nobody") { login } }') == {"data": {"repositoryOwner": None}}
    assert error_type(client.ask('{ user(login: "nobody") { login } }')) == "NOT_FOUND"


def test_variables_of_the_wrong_type_are_an_error(client: Client) -> None:
    assert "errors" in client.pulls(n="many")
    assert "errors" in client.ask("query($id: ID!) { node(id: $id) { id } }")
