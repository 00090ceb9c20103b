"""How each field of the schema is read from the world. Executing, limits and errors as such are elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, get_named_type, is_leaf_type

from prpipeline.sandbox.github.clock import iso
from prpipeline.sandbox.github.limits import Credential
from prpipeline.sandbox.github.model import Actor, PullRequest, Repository, Review, Team, TimelineEvent
from prpipeline.sandbox.github.paging import InvalidCursor, Listing, Page
from prpipeline.sandbox.github.world import World

WEB = "https://github.com"
LARGEST_INT = 2**31 - 1

EVENT_TYPES = {
    "ready_for_review": "ReadyForReviewEvent",
    "convert_to_draft": "ConvertToDraftEvent",
    "review_requested": "ReviewRequestedEvent",
    "review_request_removed": "ReviewRequestRemovedEvent",
    "review_dismissed": "ReviewDismissedEvent",
    "closed": "ClosedEvent",
    "reopened": "ReopenedEvent",
    "merged": "MergedEvent",
    "labeled": "LabeledEvent",
    "renamed": "RenamedTitleEvent",
    "commented": "IssueComment",
    "head_ref_force_pushed": "HeadRefForcePushedEvent",
}
ITEM_TYPES = {
    "ready_for_review": "READY_FOR_REVIEW_EVENT",
    "convert_to_draft": "CONVERT_TO_DRAFT_EVENT",
    "review_requested": "REVIEW_REQUESTED_EVENT",
    "review_request_removed": "REVIEW_REQUEST_REMOVED_EVENT",
    "review_dismissed": "REVIEW_DISMISSED_EVENT",
    "closed": "CLOSED_EVENT",
    "reopened": "REOPENED_EVENT",
    "merged": "MERGED_EVENT",
    "labeled": "LABELED_EVENT",
    "renamed": "RENAMED_TITLE_EVENT",
    "commented": "ISSUE_COMMENT",
    "head_ref_force_pushed": "HEAD_REF_FORCE_PUSHED_EVENT",
}


class FieldError(Exception):
    """An error of one field, with GitHub's name for it."""

    def __init__(self, type_: str, message: str, extensions: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.type = type_
        self.extensions = extensions


@dataclass(slots=True)
class Asking:
    """What a resolver knows besides its source."""

    world: World
    credential: Credential
    rate_limit: dict[str, Any]


@dataclass(slots=True)
class ReviewRequest:
    """Somebody who is asked for a review now."""

    id: str
    reviewer: Actor | Team


def type_name(source: Any) -> str:
    """The GraphQL type of a thing of the world."""
    if isinstance(source, Actor):
        return source.kind
    if isinstance(source, TimelineEvent):
        return EVENT_TYPES[source.kind]
    return {Review: "PullRequestReview"}.get(type(source)) or type(source).__name__


def alive(actor: Actor | None) -> Actor | None:
    """The actor, or nobody if the account is gone."""
    return None if actor is None or actor.deleted else actor


def small_int(number: int) -> int | None:
    """A number in a field that cannot hold more than 32 bits."""
    return number if number <= LARGEST_INT else None


def readable(repository: Repository, credential: Credential) -> None:
    """Raise what GitHub answers where a repository may not be read."""
    if credential.must_sign_on(repository):
        raise FieldError(
            "FORBIDDEN",
            "Resource protected by organization SAML enforcement. You must grant your Personal Access token "
            "access to this organization.",
            {"saml_failure": True},
        )
    if repository.blocked:
        raise FieldError("FORBIDDEN", "Repository access blocked")


def _repository(world: World, credential: Credential, full_name: str, follow: bool) -> Repository:
    found = world.find_repository(full_name, follow_renames=follow)
    if found is None or not credential.sees(found):
        raise FieldError("NOT_FOUND", f"Could not resolve to a Repository with the name '{full_name}'.")
    readable(found, credential)
    return found


def _node(world: World, credential: Credential, id: str) -> Any:
    found = world.nodes.get(id)
    home = found.repository if isinstance(found, PullRequest) else found
    if found is None or (isinstance(home, Repository) and not credential.sees(home)):
        raise FieldError("NOT_FOUND", f"Could not resolve to a node with the global id of '{id}'.")
    if isinstance(home, Repository):
        readable(home, credential)
    return found


def _owner(world: World, login: str, kinds: tuple[str, ...], called: str) -> Actor:
    found = world.find_actor(login)
    if found is None or found.kind not in kinds:
        raise FieldError("NOT_FOUND", f"Could not resolve to a {called} with the login of '{login}'.")
    return found


def _page(
    listing: Listing,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Page:
    try:
        return listing.page(first, after, last, before)
    except InvalidCursor as error:
        raise FieldError(
            "INVALID_CURSOR_ARGUMENTS", f"`{error}` does not appear to be a valid cursor."
        ) from error


# Query


def _resolve_repository(
    _: Any, info: GraphQLResolveInfo, owner: str, name: str, follow_renames: bool
) -> Repository:
    asking: Asking = info.context
    return _repository(asking.world, asking.credential, f"{owner}/{name}", follow_renames)


def _resolve_node(_: Any, info: GraphQLResolveInfo, id: str) -> Any:
    return _node(info.context.world, info.context.credential, id)


def _resolve_nodes(_: Any, info: GraphQLResolveInfo, ids: list[str]) -> list[Any]:
    found: list[Any] = []
    for id in ids:
        try:
            found.append(_node(info.context.world, info.context.credential, id))
        except FieldError as error:
            # An exception as an item makes that item null, with its error, and leaves the others.
            found.append(error)
    return found


def _resolve_viewer(_: Any, info: GraphQLResolveInfo) -> Actor:
    world: World = info.context.world
    return world.actor(info.context.credential.login)


# Repository owners


def _resolve_owner(_: Any, info: GraphQLResolveInfo, login: str) -> Actor | None:
    # Unlike its neighbours, GitHub answers this one with null and no error.
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
    asking: Asking = info.context
    order = order_by or {"field": "CREATED_AT", "direction": "ASC"}
    keys: dict[str, Callable[[Repository], Any]] = {
        "NAME": lambda r: r.name.lower(),
        "CREATED_AT": lambda r: iso(r.created_at),
        "STARGAZERS": lambda _: 0,
    }
    value = keys.get(order["field"], _updated)
    chosen = [
        r
        for r in asking.world.repositories_of(owner)
        if asking.credential.sees(r)
        and (is_archived is None or r.archived == is_archived)
        and (is_fork is None or r.fork == is_fork)
        and (privacy is None or r.private == (privacy == "PRIVATE"))
    ]
    chosen.sort(key=lambda r: (value(r), r.id))
    scope = f"{owner.node_id}:repositories:{order['field']}"
    descending = order["direction"] == "DESC"
    return _page(Listing(chosen, lambda r: (value(r), r.id), scope, descending), **paging)


def _resolve_owned(owner: Actor, info: GraphQLResolveInfo, name: str, follow_renames: bool) -> Repository:
    asking: Asking = info.context
    return _repository(asking.world, asking.credential, f"{owner.login}/{name}", follow_renames)


# Repository

_ORDERS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "COMMENTS": "comments"}


def _by_created(pull_request: PullRequest) -> tuple[Any, int]:
    return iso(pull_request.created_at), pull_request.id


def _by_updated(pull_request: PullRequest) -> tuple[Any, int]:
    return iso(pull_request.updated_at), pull_request.id


def _by_comments(pull_request: PullRequest) -> tuple[Any, int]:
    return pull_request.comments, pull_request.id


_KEYS = {"CREATED_AT": _by_created, "UPDATED_AT": _by_updated, "COMMENTS": _by_comments}


def _forbidden() -> FieldError:
    return FieldError(
        "FORBIDDEN", "Resource not accessible by personal access token", {"saml_failure": False}
    )


def _resolve_pull_requests(
    repository: Repository,
    info: GraphQLResolveInfo,
    states: list[str] | None = None,
    order_by: dict[str, str] | None = None,
    base_ref_name: str | None = None,
    **paging: Any,
) -> Page:
    if not info.context.credential.reads_pull_requests(repository):
        raise _forbidden()
    order = order_by or {"field": "CREATED_AT", "direction": "ASC"}
    items = repository.ordered(_ORDERS[order["field"]], states or ())
    if base_ref_name:
        items = [p for p in items if p.base_ref == base_ref_name]
    scope = f"{repository.node_id}:pullRequests:{order['field']}"
    return _page(Listing(items, _KEYS[order["field"]], scope, order["direction"] == "DESC"), **paging)


def _resolve_pull_request(repository: Repository, info: GraphQLResolveInfo, number: int) -> PullRequest:
    if not info.context.credential.reads_pull_requests(repository):
        raise _forbidden()
    found = repository.pull_requests.get(number)
    if found is None:
        raise FieldError("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
    return found


# Pull request


def visible_reviews(pull_request: PullRequest, credential: Credential) -> list[Review]:
    """The reviews somebody may see: a pending one is its author's alone."""
    return [r for r in pull_request.reviews if r.state != "PENDING" or credential.is_actor(r.author)]


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
    return _page(Listing(items, lambda r: (r.id,), f"{pull_request.node_id}:reviews"), **paging)


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
    return _page(Listing(items, _by_time, f"{pull_request.node_id}:timelineItems"), **paging)


def _resolve_requests(pull_request: PullRequest, info: GraphQLResolveInfo, **paging: Any) -> Page:
    items = [
        ReviewRequest(f"RR_{pull_request.node_id[3:]}{reviewer.node_id[-8:]}", reviewer)
        for reviewer in pull_request.requested_reviewers
    ]
    items.sort(key=lambda r: r.reviewer.id)
    return _page(
        Listing(items, lambda r: (r.reviewer.id,), f"{pull_request.node_id}:reviewRequests"), **paging
    )


def _resolve_labels(pull_request: PullRequest, info: GraphQLResolveInfo, **paging: Any) -> Page:
    items = sorted(pull_request.labels, key=lambda label: label.id)
    return _page(Listing(items, lambda label: (label.id,), f"{pull_request.node_id}:labels"), **paging)


def _review_decision(pull_request: PullRequest) -> str | None:
    latest: dict[Actor, str] = {}
    for review in pull_request.reviews:
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED") and review.author:
            latest[review.author] = review.state
    verdicts = set(latest.values())
    if "CHANGES_REQUESTED" in verdicts:
        return "CHANGES_REQUESTED"
    if "APPROVED" in verdicts:
        return "APPROVED"
    return "REVIEW_REQUIRED" if pull_request.requested_reviewers else None


def _requested_reviewer(event: Any, info: GraphQLResolveInfo) -> Actor | Team | None:
    reviewer = event.reviewer if isinstance(event, ReviewRequest) else event.requested_reviewer
    if isinstance(reviewer, Actor):
        return alive(reviewer)
    if reviewer is not None and not info.context.credential.sees_teams():
        raise _forbidden()
    team: Team | None = reviewer
    return team


# The table: fields that need no arguments and nobody's permission are plain functions of their source.

Reader = Callable[[Any], Any]

_PERSON: dict[str, Reader] = {
    "createdAt": lambda a: iso(a.created_at),
    "databaseId": lambda a: small_int(a.id),
    "id": lambda a: a.node_id,
    "login": lambda a: a.login,
    "name": lambda a: a.name,
    "url": lambda a: f"{WEB}/{a.login}" if a.kind != "Bot" else f"{WEB}/apps/{a.login}",
}
_EVENT: dict[str, Reader] = {
    "actor": lambda e: alive(e.actor),
    "author": lambda e: alive(e.actor),
    "body": lambda e: e.after,
    "createdAt": lambda e: iso(e.created_at),
    "currentTitle": lambda e: e.after,
    "databaseId": lambda e: small_int(e.id),
    "id": lambda e: e.node_id,
    "label": lambda e: e.label,
    "previousReviewState": lambda e: e.previous_state,
    "previousTitle": lambda e: e.before,
    "pullRequest": lambda e: e.pull_request,
    "review": lambda e: e.review,
}
_EDGE: dict[str, Reader] = {"cursor": lambda e: e[0], "node": lambda e: e[1]}
_CONNECTION: dict[str, Reader] = {
    "edges": lambda p: [(p.listing.cursor(node), node) for node in p.nodes],
    "filteredCount": lambda p: p.total,
    "nodes": lambda p: p.nodes,
    "pageCount": lambda p: len(p.nodes),
    "pageInfo": lambda p: p,
    "totalCount": lambda p: p.total,
    "updatedAt": lambda p: iso(p.nodes[-1].created_at) if p.nodes else "1970-01-01T00:00:00Z",
}
READERS: dict[str, dict[str, Reader]] = {
    "Commit": {"id": lambda oid: f"C_kwDO{oid}", "oid": lambda oid: oid},
    "IssueCommentConnection": {"totalCount": lambda pr: pr.comments},
    "Label": {
        "color": lambda label: "ededed",
        "description": lambda label: None,
        "id": lambda label: label.node_id,
        "name": lambda label: label.name,
    },
    "PageInfo": {
        "endCursor": lambda p: p.end_cursor,
        "hasNextPage": lambda p: p.has_next,
        "hasPreviousPage": lambda p: p.has_previous,
        "startCursor": lambda p: p.start_cursor,
    },
    "PullRequest": {
        "additions": lambda pr: pr.additions,
        "author": lambda pr: alive(pr.author),
        "authorAssociation": lambda pr: pr.association,
        "baseRefName": lambda pr: pr.base_ref,
        "body": lambda pr: pr.body,
        "changedFiles": lambda pr: pr.changed_files,
        "closed": lambda pr: pr.state != "OPEN",
        "closedAt": lambda pr: iso(pr.closed_at),
        "comments": lambda pr: pr,
        "createdAt": lambda pr: iso(pr.created_at),
        "databaseId": lambda pr: small_int(pr.id),
        "deletions": lambda pr: pr.deletions,
        "fullDatabaseId": lambda pr: str(pr.id),
        "headRefName": lambda pr: pr.head_ref,
        "headRefOid": lambda pr: pr.head_oid,
        "id": lambda pr: pr.node_id,
        "isCrossRepository": lambda pr: pr.is_cross_repository,
        "isDraft": lambda pr: pr.is_draft,
        "locked": lambda pr: pr.locked,
        "merged": lambda pr: pr.state == "MERGED",
        "mergedAt": lambda pr: iso(pr.merged_at),
        "mergedBy": lambda pr: alive(pr.merged_by),
        "number": lambda pr: pr.number,
        "repository": lambda pr: pr.repository,
        "reviewDecision": _review_decision,
        "reviewThreads": lambda pr: pr,
        "state": lambda pr: pr.state,
        "title": lambda pr: pr.title,
        "totalCommentsCount": lambda pr: pr.comments + pr.review_comments,
        "updatedAt": lambda pr: iso(pr.updated_at),
        "url": lambda pr: WEB + pr.path(),
    },
    "PullRequestReview": {
        "author": lambda r: alive(r.author),
        "authorAssociation": lambda r: r.association,
        "body": lambda r: r.body,
        "comments": lambda r: r,
        "commit": lambda r: r.commit_oid,
        "createdAt": lambda r: iso(r.created_at),
        "databaseId": lambda r: small_int(r.id),
        "fullDatabaseId": lambda r: str(r.id),
        "id": lambda r: r.node_id,
        "pullRequest": lambda r: r.pull_request,
        "repository": lambda r: r.pull_request.repository,
        "state": lambda r: r.state,
        "submittedAt": lambda r: iso(r.submitted_at),
        "updatedAt": lambda r: iso(r.updated_at),
        "url": lambda r: f"{WEB}{r.pull_request.path()}#pullrequestreview-{r.id}",
    },
    "PullRequestReviewCommentConnection": {"totalCount": lambda r: r.comments},
    "PullRequestReviewThreadConnection": {"totalCount": lambda pr: pr.review_comments},
    "RateLimit": {
        name: lambda limit, name=name: limit[name]  # type: ignore[misc]
        for name in ("cost", "limit", "nodeCount", "remaining", "resetAt", "used")
    },
    "Repository": {
        "createdAt": lambda r: iso(r.created_at),
        "databaseId": lambda r: small_int(r.id),
        "id": lambda r: r.node_id,
        "isArchived": lambda r: r.archived,
        "isDisabled": lambda r: r.blocked is not None,
        "isEmpty": lambda r: not r.pull_requests,
        "isFork": lambda r: r.fork,
        "isPrivate": lambda r: r.private,
        "name": lambda r: r.name,
        "nameWithOwner": lambda r: r.full_name,
        "owner": lambda r: r.owner,
        "pushedAt": lambda r: iso(r.updated_at),
        "updatedAt": lambda r: iso(r.updated_at),
        "url": lambda r: f"{WEB}/{r.full_name}",
        "visibility": lambda r: "PRIVATE" if r.private else "PUBLIC",
    },
    "ReviewRequest": {"asCodeOwner": lambda r: isinstance(r.reviewer, Team), "id": lambda r: r.id},
    "Team": {
        "combinedSlug": lambda t: t.combined_slug,
        "databaseId": lambda t: small_int(t.id),
        "id": lambda t: t.node_id,
        "name": lambda t: t.slug,
        "organization": lambda t: t.organization,
        "slug": lambda t: t.slug,
        "url": lambda t: f"{WEB}/orgs/{t.organization.login}/teams/{t.slug}",
    },
}
RESOLVERS: dict[str, dict[str, Callable[..., Any]]] = {
    "Query": {
        "node": _resolve_node,
        "nodes": _resolve_nodes,
        "organization": lambda _, info, login: _owner(
            info.context.world, login, ("Organization",), "Organization"
        ),
        "rateLimit": lambda _, info, dry_run: info.context.rate_limit,
        "repository": _resolve_repository,
        "repositoryOwner": _resolve_owner,
        "user": lambda _, info, login: _owner(info.context.world, login, ("User",), "User"),
        "viewer": _resolve_viewer,
    },
    "Organization": {"repositories": _resolve_repositories, "repository": _resolve_owned},
    "User": {"repositories": _resolve_repositories, "repository": _resolve_owned},
    "Repository": {"pullRequest": _resolve_pull_request, "pullRequests": _resolve_pull_requests},
    "PullRequest": {
        "labels": _resolve_labels,
        "reviewRequests": _resolve_requests,
        "reviews": _resolve_reviews,
        "timelineItems": _resolve_timeline,
    },
    "ReviewRequest": {"requestedReviewer": _requested_reviewer},
    "ReviewRequestedEvent": {"requestedReviewer": _requested_reviewer},
    "ReviewRequestRemovedEvent": {"requestedReviewer": _requested_reviewer},
}


def readers(type_: str) -> dict[str, Reader]:
    """The plain fields of a type."""
    if type_ in READERS:
        return READERS[type_]
    if type_ in ("User", "Organization", "Bot", "Mannequin", "EnterpriseUserAccount"):
        return _PERSON
    if type_.endswith("Connection"):
        return _CONNECTION
    if type_.endswith("Edge"):
        return _EDGE
    return _EVENT if type_ in EVENT_TYPES.values() else {}


def attach(schema: GraphQLSchema) -> None:
    """Give every field of the schema its resolver; one that has none is a mistake."""
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


def _snake_case(name: str) -> str:
    return re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), name)
