"""What a credential may see, and the error that GitHub answers where it may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prpipeline.sandbox.github.limits import Credential
from prpipeline.sandbox.github.model import Actor, PullRequest, Repository, Review, Team
from prpipeline.sandbox.github.paging import InvalidCursor, Listing, Page
from prpipeline.sandbox.github.world import World


class FieldError(Exception):
    """An error of one field; `type` is GitHub's name of its kind."""

    def __init__(self, type_: str, message: str, extensions: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.type = type_
        self.extensions = extensions


@dataclass(slots=True)
class QueryContext:
    """What a resolver knows besides its source object."""

    world: World
    credential: Credential
    rate_limit: dict[str, Any] | None


def forbidden() -> FieldError:
    """The error where a credential lacks a permission."""
    return FieldError(
        "FORBIDDEN", "Resource not accessible by personal access token", {"saml_failure": False}
    )


def protected() -> FieldError:
    """The error where an organization requires a single sign-on that a credential lacks."""
    return FieldError(
        "FORBIDDEN",
        "Resource protected by organization SAML enforcement. You must grant your Personal Access token "
        "access to this organization.",
        {"saml_failure": True},
    )


def alive(actor: Actor | None) -> Actor | None:
    """The actor, or None if the account is deleted."""
    return None if actor is None or actor.deleted else actor


def visible_reviews(pull_request: PullRequest, credential: Credential) -> list[Review]:
    """The reviews that a credential may see: only its author sees a pending review."""
    return [r for r in pull_request.reviews if r.state != "PENDING" or credential.is_actor(r.author)]


def _check_readable(repository: Repository, credential: Credential) -> None:
    if credential.must_sign_on(repository):
        raise protected()
    if repository.blocked:
        raise FieldError("FORBIDDEN", "Repository access blocked")


def find_repository(world: World, credential: Credential, full_name: str, follow: bool) -> Repository:
    """The repository with that name. Raises FieldError, as the following two do."""
    found = world.find_repository(full_name, follow_renames=follow)
    if found is None or not credential.sees(found):
        raise FieldError("NOT_FOUND", f"Could not resolve to a Repository with the name '{full_name}'.")
    _check_readable(found, credential)
    return found


def find_node(world: World, credential: Credential, id: str) -> Any:
    """The object with that global id."""
    found = world.nodes.get(id)
    home = found.repository if isinstance(found, PullRequest) else found
    is_hidden = isinstance(found, PullRequest) and found.is_hidden
    is_hidden = is_hidden or (isinstance(found, Team) and not credential.sees_team(found))
    if found is None or is_hidden or (isinstance(home, Repository) and not credential.sees(home)):
        raise FieldError("NOT_FOUND", f"Could not resolve to a node with the global id of '{id}'.")
    if isinstance(home, Repository):
        _check_readable(home, credential)
    return found


def find_owner(world: World, login: str, kinds: tuple[str, ...], called: str) -> Actor:
    """The account with that login and one of the kinds; the error names it `called`."""
    found = world.find_actor(login)
    if found is None or found.kind not in kinds:
        raise FieldError("NOT_FOUND", f"Could not resolve to a {called} with the login of '{login}'.")
    return found


def page_of(
    listing: Listing,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Page:
    """The items between two cursors. Raises FieldError for one that is of no such list."""
    try:
        return listing.page(first, after, last, before)
    except InvalidCursor as error:
        raise FieldError(
            "INVALID_CURSOR_ARGUMENTS", f"`{error}` does not appear to be a valid cursor."
        ) from error
