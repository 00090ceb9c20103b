"""The teams of organizations by REST, and the errors where a credential may not see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prpipeline.sandbox.github import rest_objects as objects
from prpipeline.sandbox.github.limits import Credential
from prpipeline.sandbox.messages import ApiError, Response

if TYPE_CHECKING:
    from prpipeline.sandbox.github.rest_api import RestCall


def respond(call: RestCall, login: str, rest: list[str]) -> Response:
    """The teams of an organization, or the members of one of them, those of its child teams too."""
    if call.credential.anonymous:
        raise ApiError(401, "Requires authentication")
    owner = call.world.find_actor(login)
    if owner is None or owner.kind != "Organization":
        raise ApiError(404, "Not Found")
    if owner.login in call.credential.sso_organizations:
        raise sign_on(owner.login)
    if not call.credential.sees_teams():
        if call.credential.kind == "classic":
            raise ApiError(
                403,
                "You must have the read:org scope to list teams.",
                {"X-Accepted-OAuth-Scopes": "admin:org, read:org, repo, user, write:org"},
            )
        raise not_accessible(call.credential, "members=read")
    seen = [team for team in call.world.teams_of(owner) if call.credential.sees_team(team)]
    match rest:
        case []:
            return call.page(seen, lambda team: objects.team(team, call.base))
        case [slug, "members"]:
            found = next((team for team in seen if team.slug == slug), None)
            if found is None:
                raise ApiError(404, "Not Found")
            return call.page(found.all_members(), lambda member: objects.user(member, call.base))
    raise ApiError(404, "Not Found")


def sign_on(organization: str) -> ApiError:
    """The error where an organization requires a single sign-on that a credential lacks."""
    return ApiError(
        403,
        "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.",
        {
            "X-GitHub-SSO": f"required; url=https://github.com/orgs/{organization}/sso?authorization_request=AAAA"
        },
    )


def not_accessible(credential: Credential, permission: str) -> ApiError:
    """The error where a fine-grained token or an App lacks a permission."""
    by = "integration" if credential.kind == "installation" else "personal access token"
    return ApiError(403, f"Resource not accessible by {by}", {"X-Accepted-GitHub-Permissions": permission})
