"""The one mapping from GitHub's objects to our records: GraphQL node, REST object. What a webhook sends is only a hint.

Pure. A field that cannot be what GitHub promises raises MalformedRecord; unknown is None, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prpipeline.github import fields
from prpipeline.model.body_keys import BodyKey, keys_in
from prpipeline.model.field_sets import FIELD_SET, WITHOUT_FIRST_COMMIT
from prpipeline.model.pull_requests import (
    NOBODY,
    SUBMITTED_STATES,
    Actor,
    Label,
    PullRequest,
    Review,
    ReviewEvent,
)

# GitHub's stand-in for deleted accounts, in REST answers; GraphQL says null.
_GHOST_ID = 10137

# An App's page, whose last part is its slug: https://github.com/apps/dependabot.
_APP_PAGE = re.compile(r"/apps/([a-z0-9-]+)/?", re.IGNORECASE)
_SLUG = re.compile(r"[a-z0-9_.-]+")


_GRAPHQL_EVENTS = {
    "ReadyForReviewEvent": "ready_for_review",
    "ConvertToDraftEvent": "converted_to_draft",
    "ReviewRequestedEvent": "review_requested",
    "ReviewRequestRemovedEvent": "review_request_removed",
    "ReviewDismissedEvent": "review_dismissed",
    "ClosedEvent": "closed",
    "ReopenedEvent": "reopened",
}
_NUMBERED = frozenset({"User", "Bot", "Mannequin", "Organization"})  # kinds of actors whose ids we ask for
_REST_EVENTS = {
    "ready_for_review": "ready_for_review",
    "convert_to_draft": "converted_to_draft",
    "converted_to_draft": "converted_to_draft",
    "review_requested": "review_requested",
    "review_request_removed": "review_request_removed",
    "review_dismissed": "review_dismissed",
    "closed": "closed",
    "reopened": "reopened",
}


Json = Mapping[str, Any]


# ── GraphQL ──────────────────────────────────────────────────────────────────────────────────────────


def pull_request_from_graphql(node: Json, *, with_body: bool = False) -> PullRequest:
    """A ``PullRequest`` node of pull_request.graphql, without its children. All that was asked for has to be there."""
    author = graphql_actor(node["author"])
    has_sizes = "additions" in node  # they are not always asked for
    commits = node.get("commits")  # neither are these, and their dates need a permission of their own
    milestone = node["milestone"]
    return PullRequest(
        pull_request_id=fields.integer(node, "fullDatabaseId"),
        node_id=fields.string(node, "id"),
        number=fields.integer(node, "number"),
        title=fields.words(node, "title"),
        author=author,
        is_draft=fields.flag(node, "isDraft"),
        created_at=fields.time(node["createdAt"]),
        updated_at=fields.time(node["updatedAt"]),
        closed_at=fields.optional_time(node["closedAt"]),
        merged_at=fields.optional_time(node["mergedAt"]),
        merged_by=graphql_actor(node["mergedBy"]),
        additions=fields.integer(node, "additions") if has_sizes else None,
        deletions=fields.integer(node, "deletions") if has_sizes else None,
        changed_files=fields.integer(node, "changedFiles") if has_sizes else None,
        base_ref=fields.words(node, "baseRefName"),
        url=fields.string(node, "url"),
        head_ref=fields.words(node, "headRefName"),
        is_from_fork=fields.flag(node, "isCrossRepository"),
        milestone=None if milestone is None else fields.words(milestone, "title"),
        comments=fields.integer(node["comments"], "totalCount"),
        commits=None if commits is None else fields.integer(commits, "totalCount"),
        first_commit_at=None if commits is None else _graphql_authored(commits.get("nodes")),
        field_set=FIELD_SET,
        body_keys=_body_keys(fields.words(node, "body"), author) if with_body else None,
    )


def _body_keys(body: str, author: Actor) -> tuple[BodyKey, ...]:
    """None of a bot's: it quotes other people's texts."""
    return () if author.is_bot else keys_in(body)


def label_from_graphql(node: Json) -> Label:
    """A ``Label`` node."""
    return Label(fields.words(node, "name"))


def _graphql_authored(nodes: list[Json] | None) -> datetime | None:
    return fields.authored(nodes[0]["commit"]["authoredDate"]) if nodes else None


def review_from_graphql(node: Json) -> Review | None:
    """A ``PullRequestReview`` node; None for one that was never submitted."""
    submitted_at, state = fields.optional_time(node["submittedAt"]), fields.string(node, "state")
    if submitted_at is None or state not in SUBMITTED_STATES:
        return None
    return Review(
        review_id=fields.integer(node, "fullDatabaseId"),
        node_id=fields.string(node, "id"),
        reviewer=graphql_actor(node["author"]),
        state=state,
        submitted_at=submitted_at,
        has_text=bool(fields.words(node, "body").strip()),
    )


def event_from_graphql(node: Json) -> ReviewEvent | None:
    """A timeline item; None for a kind that we do not keep."""
    event = _GRAPHQL_EVENTS.get(fields.string(node, "__typename"))
    if event is None:
        return None
    subject, is_team = _graphql_subject(node.get("requestedReviewer"))
    dismissed = node.get("review") or {}
    return ReviewEvent(
        event_id=fields.string(node, "id"),
        event=event,
        actor=graphql_actor(node["actor"]),
        created_at=fields.time(node["createdAt"]),
        subject=subject,
        subject_is_team=is_team,
        review_id=fields.optional_integer(dismissed, "fullDatabaseId"),
        previous_state=fields.text(node.get("previousReviewState")),
    )


def graphql_actor(node: Json | None) -> Actor:
    if node is None:
        return NOBODY
    kind = fields.string(node, "__typename")
    return _actor(
        node["databaseId"] if kind in _NUMBERED else None, fields.words(node, "login"), kind == "Bot"
    )


def _graphql_subject(node: Json | None) -> tuple[Actor, bool]:
    kind = None if node is None else fields.string(node, "__typename")
    if node and kind == "Team":  # without its name where the token must not see it
        return Actor(
            fields.optional_integer(node, "databaseId"), fields.text(node.get("combinedSlug")), False
        ), True
    return (graphql_actor(node) if kind in _NUMBERED else NOBODY), False


# ── REST ─────────────────────────────────────────────────────────────────────────────────────────────


def pull_request_from_rest(body: Json, *, with_body: bool = False) -> PullRequest:
    """A body of ``GET /pulls/{number}``, or of the list, which lacks the sizes, the counts and who merged."""
    author = rest_actor(body["user"])
    head, base, milestone = body.get("head") or {}, body.get("base") or {}, body.get("milestone")
    return PullRequest(
        pull_request_id=fields.integer(body, "id"),
        node_id=fields.string(body, "node_id"),
        number=fields.integer(body, "number"),
        title=fields.words(body, "title"),
        author=author,
        is_draft="draft" in body and fields.flag(body, "draft"),
        created_at=fields.time(body["created_at"]),
        updated_at=fields.time(body["updated_at"]),
        closed_at=fields.optional_time(body["closed_at"]),
        merged_at=fields.optional_time(body["merged_at"]),
        merged_by=rest_actor(body.get("merged_by")),
        additions=fields.optional_integer(body, "additions"),
        deletions=fields.optional_integer(body, "deletions"),
        changed_files=fields.optional_integer(body, "changed_files"),
        base_ref=fields.text(base.get("ref")),
        url=fields.text(body.get("html_url")) or "",
        head_ref=fields.text(head.get("ref")),
        is_from_fork=_is_from_fork(head, base) if head else None,
        milestone=None if milestone is None else fields.words(milestone, "title"),
        comments=fields.optional_integer(body, "comments"),
        commits=fields.optional_integer(body, "commits"),
        field_set=WITHOUT_FIRST_COMMIT if "commits" in body else None,
        labels=tuple({label.label: label for label in map(_rest_label, body.get("labels") or ())}.values()),
        # null where nothing was ever written.
        body_keys=_body_keys(fields.text(body["body"]) or "", author) if with_body else None,
    )


def _rest_label(body: Json) -> Label:
    return Label(fields.words(body, "name"))


def _is_from_fork(head: Json, base: Json) -> bool:
    """A branch of the repository itself never loses its repository; a fork's is null once the fork is gone."""
    home, origin = base.get("repo"), head.get("repo")
    return origin is None or (home is not None and fields.integer(origin, "id") != fields.integer(home, "id"))


def first_commit_from_rest(commits: list[Json]) -> datetime | None:
    """When the first of ``GET /pulls/{number}/commits`` was authored; None where there is none."""
    return fields.authored((commits[0]["commit"].get("author") or {}).get("date")) if commits else None


def review_from_rest(body: Json) -> Review | None:
    """An object of ``GET /pulls/{number}/reviews``; None for one that was never submitted."""
    submitted_at = fields.optional_time(body.get("submitted_at"))
    state = fields.string(body, "state").upper()  # webhooks and timelines write it in lower case
    if submitted_at is None or state not in SUBMITTED_STATES:
        return None
    return Review(
        review_id=fields.integer(body, "id"),
        node_id=fields.text(body.get("node_id")) or "",  # old ones have none
        reviewer=rest_actor(body["user"]),
        state=state,
        submitted_at=submitted_at,
        has_text=bool((fields.text(body.get("body")) or "").strip()),
    )


def event_from_rest(body: Json) -> ReviewEvent | None:
    """An object of ``GET /issues/{number}/timeline``; None for a kind that we do not keep."""
    event = _REST_EVENTS.get(fields.text(body.get("event")) or "")
    if event is None:
        return None
    team = body.get("requested_team")
    # Without a permission to see teams the key is there, and null; GraphQL says "a team", and no more.
    is_team = "requested_team" in body and "requested_reviewer" not in body
    subject = rest_actor(body.get("requested_reviewer"))
    if team:
        organization = _team_organization(team)
        slug = fields.text(team.get("slug") or team.get("name"))
        login = f"{organization}/{slug}" if organization else slug
        subject = Actor(fields.optional_integer(team, "id"), login, False)
    dismissed = body.get("dismissed_review") or {}
    state = dismissed.get("state")
    return ReviewEvent(
        event_id=fields.string(body, "node_id"),
        event=event,
        actor=rest_actor(body["actor"]),
        created_at=fields.time(body["created_at"]),
        subject=subject,
        subject_is_team=is_team or bool(team),
        review_id=fields.optional_integer(dismissed, "review_id"),
        previous_state=(fields.text(state) or "").upper() or None,
    )


def _team_organization(team: Json) -> str | None:
    # A team object carries no slug of its organisation but in its address: …/orgs/ORG/teams/SLUG.
    parts = str(team.get("html_url", "")).split("/")
    return parts[parts.index("orgs") + 1] if "orgs" in parts[:-1] else None


def rest_actor(user: Json | None) -> Actor:
    if user is None:
        return NOBODY
    login, page = fields.words(user, "login"), _APP_PAGE.search(str(user.get("html_url") or ""))
    if page and not login.endswith("[bot]") and page[1].lower() != login.lower():
        # REST calls some Apps by a name: Copilot, where GraphQL says copilot-swe-agent.
        login = page[1].lower()
    return _actor(fields.integer(user, "id"), login, user.get("type") == "Bot" or page is not None)


def _actor(database_id: object, login: str, is_bot: bool) -> Actor:
    name: str | None = login or None
    if database_id == _GHOST_ID or (database_id is None and name == "ghost"):
        return NOBODY
    if is_bot and name and _SLUG.fullmatch(name):
        name += "[bot]"  # REST and the web page write an App's slug so; GraphQL leaves it off
    return Actor(
        None if database_id is None else fields.number(database_id, "an account's id"),
        name,
        is_bot or bool(name and name.endswith("[bot]")),
    )
