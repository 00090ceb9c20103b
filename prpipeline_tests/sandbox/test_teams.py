"""Teams of organizations as a client sees them: the same by both APIs, page by page, to whoever may see them."""

from __future__ import annotations

from typing import Any

import pytest

from prpipeline.sandbox.github import Credential, Sandbox, World
from prpipeline.sandbox.github.model import Team
from prpipeline_tests.support.github_client import Client

QUERY = """query($size: Int!, $after: String, $members: String) { organization(login: "octo") {
    teams(first: $size, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes {
        databaseId slug name privacy parentTeam { slug }
        members(first: 2, after: $members) { totalCount pageInfo { hasNextPage endCursor } nodes { login } } } } } }"""


@pytest.fixture
def teams(world: World) -> list[Team]:
    core = world.add_team("octo", "core", ["ada", "grace", "linus"], name="Core & Co")
    return [
        core,
        world.add_team("octo", "kernel", ["tim"], parent=core),
        world.add_team("octo", "secret", ["sandbox-user", "ada"], secret=True),
        world.add_team("octo", "hidden", ["ada"], secret=True),
    ]


def graphql(client: Client, **variables: Any) -> Any:
    return client.ask(QUERY, **({"size": 10} | variables))


def test_a_team_has_the_members_of_its_child_teams_too_by_both_apis(
    client: Client, teams: list[Team]
) -> None:
    found = graphql(client)["data"]["organization"]["teams"]
    assert (found["totalCount"], [team["slug"] for team in found["nodes"]]) == (
        3,
        ["core", "kernel", "secret"],
    )
    core, kernel, _ = found["nodes"]
    assert (core["name"], core["parentTeam"], kernel["parentTeam"]) == ("Core & Co", None, {"slug": "core"})
    assert core["members"]["totalCount"] == 4
    rest = client.get("/orgs/octo/teams").json()
    assert [(team["slug"], team["name"], team["privacy"]) for team in rest] == [
        ("core", "Core & Co", "closed"), ("kernel", "kernel", "closed"), ("secret", "secret", "secret"),
    ]  # fmt: skip
    assert rest[1]["parent"]["slug"] == "core"
    members = client.get("/orgs/octo/teams/core/members").json()
    assert sorted(member["login"] for member in members) == ["ada", "grace", "linus", "tim"]


def test_teams_and_members_come_in_pages(client: Client, teams: list[Team]) -> None:
    first = graphql(client, size=2)["data"]["organization"]["teams"]
    second = graphql(client, size=2, after=first["pageInfo"]["endCursor"])["data"]["organization"]["teams"]
    assert [len(page["nodes"]) for page in (first, second)] == [2, 1]
    members = first["nodes"][0]["members"]
    assert members["pageInfo"]["hasNextPage"]
    assert len(members["nodes"]) == 2
    response = client.get("/orgs/octo/teams/core/members?per_page=3")
    assert len(response.json()) == 3
    assert 'rel="next"' in response.headers["Link"]


@pytest.mark.parametrize(
    ("credential", "kind", "status", "says"),
    [
        (Credential("ghp_x", scopes=("repo",)), "INSUFFICIENT_SCOPES", 403, "read:org"),
        (Credential("github_pat_x", kind="fine-grained", missing_permissions=("members",)), "FORBIDDEN", 403, "not accessible"),
        (Credential("ghp_y", sso_organizations=("octo",)), "FORBIDDEN", 403, "SAML"),
    ],
)  # fmt: skip
def test_who_may_not_see_them_is_told_why(
    server: Sandbox, teams: list[Team], credential: Credential, kind: str, status: int, says: str
) -> None:
    server.add_token(credential)
    client = Client(server, credential.token or "")
    answer = graphql(client)
    assert (answer["data"]["organization"], answer["errors"][0]["type"]) == (None, kind)
    rest = client.get("/orgs/octo/teams")
    assert (rest.status_code, says in rest.json()["message"]) == (status, True)


def test_a_team_that_is_hidden_is_not_there(client: Client, teams: list[Team], world: World) -> None:
    assert client.get("/orgs/octo/teams/hidden/members").status_code == 404
    assert client.get("/orgs/ada/teams").status_code == 404
    (node,) = client.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[teams[3].node_id])["data"][
        "nodes"
    ]
    assert node is None
    world.delete_team(teams[0])
    assert [team["slug"] for team in client.get("/orgs/octo/teams").json()] == ["secret"]
