"""The fields of the schema that take arguments or need a permission, and the resolver of every field."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from graphql import GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, get_named_type, is_leaf_type

from prpipeline.sandbox.clock import iso
from prpipeline.sandbox.github.model import (
    Actor,
    Commit,
    PullRequest,
    Repository,
    Review,
    Team,
    TimelineEvent,
)
from prpipeline.sandbox.github.paging import Listing, Page
from prpipeline.sandbox.github.readers import EVENT_TYPES, Reader, ReviewRequest, readers
from prpipeline.sandbox.github.team_resolvers import (
    resolve_members,
    resolve_parent,
    resolve_teams,
    resolve_verified_emails,
)
from prpipeline.sandbox.github.visibility import (
    FieldError,
    QueryContext,
    alive,
    find_node,
    find_owner,
    find_repository,
    forbidden,
    page_of,
    visible_reviews,
)
from prpipeline.sandbox.github.world import World


def _snake_case(name: str) -> str:
    return re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), name)


ITEM_TYPES = {kind: _snake_case(type_)[1:].upper() for kind, type_ in EVENT_TYPES.items()}
"""The value of PullRequestTimelineItemsItemType that stands for each kind of event."""


# Query


def _resolve_repository(
    _: Any, info: GraphQLResolveInfo, owner: str, name: str, follow_renames: bool
) -> Repository:
    context: QueryContext = info.context
    return find_repository(context.world, context.credential, f"{owner}/{name}", follow_renames)


def _resolve_node(_: Any, info: GraphQLResolveInfo, id: str) -> Any:
    return find_node(info.context.world, info.context.credential, id)


def _resolve_nodes(_: Any, info: GraphQLResolveInfo, ids: list[str]) -> list[Any]:
    found: list[Any] = []
    for id in ids:
        try:
            found.append(find_node(info.context.world, info.context.credential, id))
        except FieldError as error:
            # An exception as an item makes that item null, with its error, and leaves the others.
            found.append(error)
    return found


def _resolve_viewer(_: Any, info: GraphQLResolveInfo) -> Actor:
    world: World = info.context.world
    return world.actor(info.context.credential.login)


# Repository owners


def _resolve_owner(_: Any, info: GraphQLResolveInfo, login: str) -> Actor | None:
    # Unlike `user` and `organization`, this field is null without an error where there is no such owner.
    found = info.context.world.find_actor(login)
    return found if found and found.kind in ("Organization", "User") else None


def _updated(repository: Repository) -> str | None:
    return iso(repository.updated_at)


def _resolve_repositories(
    owner: Actor,
    info: GraphQLResolveInfo,
    is_archived: bool | None = None,
    is_fork: bool | None = None,
    order_by: dict[str, str] | None = None,
    owner_affiliations: list[str] | None = None,
    privacy: str | None = None,
    **paging: Any,
) -> Page:
    context: QueryContext = info.context
    order = order_by or {"field": "CREATED_AT", "direction": "ASC"}
    keys: dict[str, Callable[[Repository], Any]] = {
        "NAME": lambda r: r.name.lower(),
        "CREATED_AT": lambda r: iso(r.created_at),
        "STARGAZERS": lambda _: 0,
    }
    value = keys.get(order["field"], _updated)
    chosen = [
        r
        for r in context.world.repositories_of(owner)
        if context.credential.sees(r)
        and (is_archived is None or r.archived == is_archived)
        and (is_fork is None or r.fork == is_fork)
        and (privacy is None or r.private == (privacy == "PRIVATE"))
    ]
    chosen.sort(key=lambda r: (value(r), r.id))
    scope = f"{owner.node_id}:repositories:{order['field']}"
    descending = order["direction"] == "DESC"
    return page_of(Listing(chosen, lambda r: (value(r), r.id), scope, descending), **paging)


def _resolve_owned(owner: Actor, info: GraphQLResolveInfo, name: str, follow_renames: bool) -> Repository:
    context: QueryContext = info.context
    return find_repository(context.world, context.credential, f"{owner.login}/{name}", follow_renames)


# Repository

_ORDERS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "COMMENTS": "comments"}


def _by_created(pull_request: PullRequest) -> tuple[Any, int]:
    return iso(pull_request.created_at), pull_request.id


def _by_updated(pull_request: PullRequest) -> tuple[Any, int]:
    return iso(pull_request.updated_at), pull_request.id


def _by_comments(pull_request: PullRequest) -> tuple[Any, int]:
    return pull_request.comments, pull_request.id


_KEYS = {"CREATED_AT": _by_created, "UPDATED_AT": _by_updated, "COMMENTS": _by_comments}


def _resolve_pull_requests(
    repository: Repository,
    info: GraphQLResolveInfo,
    states: list[str] | None = None,
    order_by: dict[str, str] | None = None,
    base_ref_name: str | None = None,
    **paging: Any,
) -> Page:
    if not info.context.credential.reads_pull_requests(repository):
        raise forbidden()
    order = order_by or {"field": "CREATED_AT", "direction": "ASC"}
    items = repository.ordered(_ORDERS[order["field"]], states or ())
    if base_ref_name:
        items = [p for p in items if p.base_ref == base_ref_name]
    scope = f"{repository.node_id}:pullRequests:{order['field']}"
    page = page_of(Listing(items, _KEYS[order["field"]], scope, order["direction"] == "DESC"), **paging)
    if any(pr.is_hidden for pr in page.nodes):
        page = page.without(lambda pr: pr.is_hidden)
    return (
        page.miscounted(repository.pull_requests_miscounted) if repository.pull_requests_miscounted else page
    )


def _resolve_pull_request(repository: Repository, info: GraphQLResolveInfo, number: int) -> PullRequest:
    if not info.context.credential.reads_pull_requests(repository):
        raise forbidden()
    found = repository.pull_requests.get(number)
    if found is None:
        raise FieldError("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
    return found


# Pull request


def _resolve_reviews(
    pull_request: PullRequest,
    info: GraphQLResolveInfo,
    states: list[str] | None = None,
    author: str | None = None,
    **paging: Any,
) -> Page:
    items = visible_reviews(pull_request, info.context.credential)
    if states:
        items = [r for r in items if r.state in states]
    if author:
        items = [r for r in items if (actor := alive(r.author)) and actor.login.lower() == author.lower()]
    page = page_of(Listing(items, lambda r: (r.id,), f"{pull_request.node_id}:reviews"), **paging)
    hidden = pull_request.reviews_miscounted if not states or "COMMENTED" in states else 0
    return page.miscounted(hidden) if hidden else page


def _by_time(item: TimelineEvent | Review) -> tuple[Any, int]:
    return iso(item.created_at if isinstance(item, TimelineEvent) else item.submitted_at), item.id


def _resolve_timeline(
    pull_request: PullRequest,
    info: GraphQLResolveInfo,
    item_types: list[str] | None = None,
    since: str | None = None,
    **paging: Any,
) -> Page:
    items: Sequence[Any] = pull_request.events
    if item_types is not None:
        items = [e for e in items if ITEM_TYPES[e.kind] in item_types]
    if item_types is None or "PULL_REQUEST_REVIEW" in item_types:
        reviews = [r for r in pull_request.reviews if r.submitted_at]
        items = sorted([*items, *reviews], key=_by_time)
    if since:
        items = [i for i in items if _by_time(i)[0] >= since]
    return page_of(Listing(items, _by_time, f"{pull_request.node_id}:timelineItems"), **paging)


def _resolve_requests(pull_request: PullRequest, info: GraphQLResolveInfo, **paging: Any) -> Page:
    items = [
        ReviewRequest(f"RR_{pull_request.node_id[3:]}{reviewer.node_id[-8:]}", reviewer)
        for reviewer in pull_request.requested_reviewers
    ]
    items.sort(key=lambda r: r.reviewer.id)
    return page_of(
        Listing(items, lambda r: (r.reviewer.id,), f"{pull_request.node_id}:reviewRequests"), **paging
    )


def _resolve_labels(pull_request: PullRequest, info: GraphQLResolveInfo, **paging: Any) -> Page:
    items = sorted(pull_request.labels, key=lambda label: label.id)
    return page_of(Listing(items, lambda label: (label.id,), f"{pull_request.node_id}:labels"), **paging)


def _resolve_commits(pull_request: PullRequest, info: GraphQLResolveInfo, **paging: Any) -> Page:
    items = pull_request.all_commits()
    return page_of(Listing(items, lambda c: (c.position,), f"{pull_request.node_id}:commits"), **paging)


def _resolve_commit(commit: Commit, info: GraphQLResolveInfo) -> Commit:
    if not info.context.credential.reads_commits():
        raise forbidden()
    return commit


def _requested_reviewer(event: Any, info: GraphQLResolveInfo) -> Actor | Team | None:
    reviewer = event.reviewer if isinstance(event, ReviewRequest) else event.requested_reviewer
    if isinstance(reviewer, Actor):
        return alive(reviewer)
    if reviewer is not None and not info.context.credential.sees_teams():
        raise forbidden()
    team: Team | None = reviewer
    return team


RESOLVERS: dict[str, dict[str, Callable[..., Any]]] = {
    "Query": {
        "node": _resolve_node,
        "nodes": _resolve_nodes,
        "organization": lambda _, info, login: find_owner(
            info.context.world, login, ("Organization",), "Organization"
        ),
        "rateLimit": lambda _, info, dry_run: info.context.rate_limit,
        "repository": _resolve_repository,
        "repositoryOwner": _resolve_owner,
        "user": lambda _, info, login: find_owner(info.context.world, login, ("User",), "User"),
        "viewer": _resolve_viewer,
    },
    "Organization": {
        "repositories": _resolve_repositories,
        "repository": _resolve_owned,
        "teams": resolve_teams,
    },
    "Team": {"members": resolve_members, "parentTeam": resolve_parent},
    "User": {
        "organizationVerifiedDomainEmails": resolve_verified_emails,
        "repositories": _resolve_repositories,
        "repository": _resolve_owned,
    },
    "Repository": {"pullRequest": _resolve_pull_request, "pullRequests": _resolve_pull_requests},
    "PullRequest": {
        "commits": _resolve_commits,
        "labels": _resolve_labels,
        "reviewRequests": _resolve_requests,
        "reviews": _resolve_reviews,
        "timelineItems": _resolve_timeline,
    },
    "PullRequestCommit": {"commit": _resolve_commit},
    "ReviewRequest": {"requestedReviewer": _requested_reviewer},
    "ReviewRequestedEvent": {"requestedReviewer": _requested_reviewer},
    "ReviewRequestRemovedEvent": {"requestedReviewer": _requested_reviewer},
}


def attach(schema: GraphQLSchema) -> None:
    """Give every field of the schema its resolver; raises LookupError for a field that has none."""
    for name, type_ in schema.type_map.items():
        if name.startswith("__") or not isinstance(type_, GraphQLObjectType):
            continue
        for field_name, field in type_.fields.items():
            special = RESOLVERS.get(name, {}).get(field_name)
            reader = readers(name).get(field_name)
            if special is None and reader is None:
                raise LookupError(f"{name}.{field_name} has no resolver")
            field.resolve = special or _ignoring_info(reader)
            for argument_name, argument in field.args.items():
                argument.out_name = _snake_case(argument_name)


@cache
def plain_leaves(type_: GraphQLObjectType) -> dict[str, Reader]:
    """The fields of a type that are values, and are read from their source alone."""
    special = RESOLVERS.get(type_.name, {})
    plain = {
        name: readers(type_.name)[name]
        for name, field in type_.fields.items()
        if name not in special and is_leaf_type(get_named_type(field.type))
    }
    return plain | {"__typename": lambda _: type_.name}


def _ignoring_info(reader: Reader | None) -> Callable[..., Any]:
    assert reader is not None
    return lambda source, _info, **_arguments: reader(source)
