"""The plain fields of the schema: those that need no arguments and no permission are functions of their source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prpipeline.sandbox.clock import iso
from prpipeline.sandbox.github.model import Actor, Commit, PullRequest, Review, Team, TimelineEvent
from prpipeline.sandbox.github.visibility import alive

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


@dataclass(slots=True)
class ReviewRequest:
    """A reviewer who is requested now."""

    id: str
    reviewer: Actor | Team


def type_name(source: Any) -> str:
    """The GraphQL type of an object of the world."""
    if isinstance(source, Actor):
        return source.kind
    if isinstance(source, TimelineEvent):
        return EVENT_TYPES[source.kind]
    return {Review: "PullRequestReview"}.get(type(source)) or type(source).__name__


def small_int(number: int) -> int | None:
    """A number for a field of GraphQL's Int: None where 32 bits cannot hold it."""
    return number if number <= LARGEST_INT else None


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
    "Commit": {
        "authoredDate": lambda commit: iso(commit.authored_at),
        "id": lambda commit: f"C_kwDO{commit.oid}",
        "oid": lambda commit: commit.oid,
    },
    "IssueCommentConnection": {"totalCount": lambda pr: pr.comments},
    "Label": {
        "color": lambda label: "ededed",
        "description": lambda label: None,
        "id": lambda label: label.node_id,
        "name": lambda label: label.name,
    },
    "Milestone": {
        "id": lambda milestone: milestone.node_id,
        "number": lambda milestone: milestone.number,
        "title": lambda milestone: milestone.title,
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
        "milestone": lambda pr: pr.milestone,
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
        "commit": lambda r: r.commit_oid and Commit(r.commit_oid, r.pull_request.created_at),
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
        "name": lambda t: t.name,
        "organization": lambda t: t.organization,
        "privacy": lambda t: "SECRET" if t.secret else "VISIBLE",
        "slug": lambda t: t.slug,
        "url": lambda t: f"{WEB}/orgs/{t.organization.login}/teams/{t.slug}",
    },
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
