"""The teams of organizations by GraphQL, and who may see them."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from prpipeline.sandbox.github.model import Actor, Team
from prpipeline.sandbox.github.paging import Listing, Page
from prpipeline.sandbox.github.visibility import (
    FieldError,
    QueryContext,
    find_owner,
    forbidden,
    page_of,
    protected,
)


def resolve_teams(
    organization: Actor,
    info: GraphQLResolveInfo,
    order_by: dict[str, str] | None = None,
    root_teams_only: bool = False,
    **paging: Any,
) -> Page:
    """Those that the credential sees, in the order of their ids where none is asked for."""
    context: QueryContext = info.context
    _check_teams(context, organization)
    items = [
        team
        for team in context.world.teams_of(organization)
        if context.credential.sees_team(team) and not (root_teams_only and team.parent)
    ]
    if order_by:
        items.sort(key=_by_name)
    scope = f"{organization.node_id}:teams"
    is_descending = order_by is not None and order_by["direction"] == "DESC"
    return page_of(Listing(items, _by_name if order_by else _by_id, scope, is_descending), **paging)


def resolve_members(
    team: Team,
    info: GraphQLResolveInfo,
    membership: str = "ALL",
    order_by: dict[str, str] | None = None,
    **paging: Any,
) -> Page:
    """With those of child teams, unless asked otherwise."""
    _check_teams(info.context, team.organization)
    own = {member.id for member in team.members}
    items = [
        member
        for member in team.all_members()
        if membership == "ALL" or (member.id in own) == (membership == "IMMEDIATE")
    ]
    page = page_of(Listing(items, _by_id, f"{team.node_id}:members"), **paging)
    return page.miscounted(team.members_miscounted) if team.members_miscounted else page


def resolve_parent(team: Team, info: GraphQLResolveInfo) -> Team | None:
    """None where the credential does not see it."""
    return team.parent if team.parent and info.context.credential.sees_team(team.parent) else None


def resolve_verified_emails(user: Actor, info: GraphQLResolveInfo, login: str) -> list[str]:
    """None of who is no member. Members are seen by whom teams are seen by."""
    organization = find_owner(info.context.world, login, ("Organization",), "Organization")
    _check_teams(info.context, organization, "organizationVerifiedDomainEmails")
    return user.verified_emails.get(organization.login, [])


def _check_teams(context: QueryContext, organization: Actor, field: str = "teams") -> None:
    credential = context.credential
    if organization.login in credential.sso_organizations:
        raise protected()
    if not credential.sees_teams():
        if credential.kind != "classic":
            raise forbidden()
        raise FieldError(
            "INSUFFICIENT_SCOPES",
            f"Your token has not been granted the required scopes to execute this query. The '{field}' field requires one "
            f"of the following scopes: ['read:org'], but your token has only been granted the: {credential.scopes!r} "
            "scopes.",
        )


def _by_id(item: Actor | Team) -> tuple[int]:
    return (item.id,)


def _by_name(team: Team) -> tuple[str, int]:
    return team.name.lower(), team.id
