"""The teams of an organisation by GraphQL: one request for fifty of them, and more for the members of large ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prpipeline.github import connections, fields
from prpipeline.github.client import Client
from prpipeline.github.graphql_lists import ListQuery
from prpipeline.github.protocol import TeamsDenied
from prpipeline.model.failures import AccessDenied, NotFound
from prpipeline.model.pull_requests import Actor
from prpipeline.model.teams import OrganizationTeam, OrganizationTeams

_TEAMS = 50  # a page, with up to 100 members each

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Node:
    """A team, and its members as far as its page has them."""

    node_id: str
    team_id: int
    slug: str
    name: str
    parent_id: int | None
    members: tuple[Actor, ...]
    is_whole: bool


def read_teams(client: Client, organization: str) -> OrganizationTeams:
    """All of them, each with all members, or a failure: AccessDenied where the credential may not see teams."""
    owner: Json = {}

    def listing(data: Json) -> Any:
        nonlocal owner
        owner = data.get("repositoryOwner") or {}
        if not owner:
            raise NotFound(f"GitHub knows no organisation {organization}; check its spelling.")
        # Of a user only the login is there.
        nobodys = {"nodes": [], "totalCount": 0, "pageInfo": {"hasNextPage": False}}
        return owner.get("teams") if "databaseId" in owner else nobodys

    query = ListQuery(
        "teams", {"login": organization}, listing, _team, lambda team: team.node_id, organization, rows=_TEAMS
    )
    try:
        found = query.all(client)
        teams = tuple(_whole(client, organization, team) for team in found.rows)
    except TeamsDenied as denied:
        scope = (
            "scope read:org (of a fine-grained token or an App: the organisation's permission Members: read)"
        )
        raise AccessDenied(f"The token lacks the {scope}.") from denied
    return OrganizationTeams(
        fields.optional_integer(owner, "databaseId"),
        fields.string(owner, "login"),
        teams,
        found.read_at,
        is_whole=len(teams) == found.total,
    )


def _team(node: Json) -> _Node:
    members = node.get("members")
    connections.check(members)
    assert isinstance(members, Mapping)
    rows = tuple(map(_member, members["nodes"]))
    return _Node(
        node_id=fields.string(node, "id"),
        team_id=fields.integer(node, "databaseId"),
        slug=fields.string(node, "slug"),
        name=fields.words(node, "name"),
        parent_id=fields.optional_integer(node["parentTeam"], "databaseId") if node["parentTeam"] else None,
        members=rows,
        is_whole=connections.next_cursor(members) is None
        and len({member.id for member in rows}) == connections.total(members),
    )


def _member(node: Json) -> Actor:
    return Actor(fields.integer(node, "databaseId"), fields.string(node, "login"), False)


def _whole(client: Client, organization: str, team: _Node) -> OrganizationTeam:
    members, is_whole = team.members, team.is_whole
    if not is_whole:
        query = ListQuery(
            "team_members",
            {"id": team.node_id},
            lambda data: (data.get("node") or {}).get("members"),
            _member,
            lambda member: str(member.id),
            organization,
        )
        found = query.all(client)
        members, is_whole = tuple(found.rows), len(found.rows) == found.total
    return OrganizationTeam(team.team_id, team.slug, team.name, team.parent_id, members, is_whole)
