"""The teams of an organisation by REST: a request for the list, and at least one for the members of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prpipeline.github import fields
from prpipeline.github import rest_objects as objects
from prpipeline.github.client import Client
from prpipeline.github.rest_lists import RestLists
from prpipeline.http.answer import Answer
from prpipeline.model.failures import MalformedAnswer, NotFound
from prpipeline.model.pull_requests import Actor
from prpipeline.model.teams import OrganizationTeam, OrganizationTeams

Json = Mapping[str, Any]


def read_teams(client: Client, organization: str) -> OrganizationTeams:
    """As by GraphQL."""

    def owner(answer: Answer) -> tuple[int | None, str, Any]:
        body = objects.body_of(answer)
        is_organization = fields.string(body, "type") == "Organization"
        return (
            fields.integer(body, "id") if is_organization else None,
            fields.string(body, "login"),
            answer.read_at,
        )

    try:
        organization_id, login, read_at = client.get(
            f"/users/{organization}", read=owner, repository=organization
        )
    except NotFound:
        raise NotFound(f"GitHub knows no organisation {organization}; check its spelling.") from None
    if organization_id is None:
        return OrganizationTeams(None, login, (), read_at)
    lists = RestLists(client)
    found = lists.settled_items(f"/orgs/{login}/teams", {}, organization, _team)
    teams = {team["id"]: team for team in found}.values()
    return OrganizationTeams(
        organization_id, login, tuple(_with_members(lists, login, team) for team in teams), read_at
    )


def _team(body: Json) -> OrganizationTeam:
    parent = body.get("parent")
    return OrganizationTeam(
        fields.integer(body, "id"),
        fields.string(body, "slug"),
        fields.words(body, "name"),
        fields.integer(parent, "id") if parent else None,
        (),
    )


def _member(body: Json) -> Actor:
    return Actor(fields.integer(body, "id"), fields.string(body, "login"), False)


def _with_members(lists: RestLists, organization: str, body: Json) -> OrganizationTeam:
    team = _team(body)
    path = f"/orgs/{organization}/teams/{team.slug}/members"
    try:
        members = {m.id: m for m in map(_member, lists.settled_items(path, {}, organization, _member))}
    except NotFound:
        # Deleted or renamed since it was listed.
        raise MalformedAnswer(f"The teams of {organization} changed while they were read.") from None
    return OrganizationTeam(team.team_id, team.slug, team.name, team.parent_id, tuple(members.values()))
