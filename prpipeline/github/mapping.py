"""The one mapping from GitHub's objects to our records: GraphQL node, REST object, webhook.

Pure. A field that cannot be what GitHub promises raises MalformedRecord; unknown is None, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from prpipeline.model.failures import MalformedRecord
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
from prpipeline.model.repository import InvalidRepositoryName, RepositoryName

# GitHub's stand-in for deleted accounts, in REST answers; GraphQL says null.
_GHOST_ID = 10137

# An App's page, whose last part is its slug: https://github.com/apps/dependabot.
_APP_PAGE = re.compile(r"/apps/([a-z0-9-]+)/?", re.IGNORECASE)
_SLUG = re.compile(r"[a-z0-9_.-]+")

_DIGITS = re.compile(r"[0-9]{1,19}")
_TOO_LARGE = 2**63
_YEARS = range(1970, 2200)

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


def pull_request_from_graphql(node: Json) -> PullRequest:
    """A ``PullRequest`` node of pull_request.graphql, without its children. All that was asked for has to be there."""
    has_sizes = "additions" in node  # they are not always asked for
    commits = node.get("commits")  # neither are these, and their dates need a permission of their own
    milestone = node["milestone"]
    return PullRequest(
        pull_request_id=integer(node, "fullDatabaseId"),
        node_id=string(node, "id"),
        number=integer(node, "number"),
        title=_words(node, "title"),
        author=graphql_actor(node["author"]),
        is_draft=flag(node, "isDraft"),
        created_at=time(node["createdAt"]),
        updated_at=time(node["updatedAt"]),
        closed_at=_time(node["closedAt"]),
        merged_at=_time(node["mergedAt"]),
        merged_by=graphql_actor(node["mergedBy"]),
        additions=integer(node, "additions") if has_sizes else None,
        deletions=integer(node, "deletions") if has_sizes else None,
        changed_files=integer(node, "changedFiles") if has_sizes else None,
        base_ref=_words(node, "baseRefName"),
        url=string(node, "url"),
        head_ref=_words(node, "headRefName"),
        is_from_fork=flag(node, "isCrossRepository"),
        milestone=None if milestone is None else _words(milestone, "title"),
        comments=integer(node["comments"], "totalCount"),
        commits=None if commits is None else integer(commits, "totalCount"),
        first_commit_at=None if commits is None else _graphql_authored(commits.get("nodes")),
        field_set=FIELD_SET,
    )


def label_from_graphql(node: Json) -> Label:
    """A ``Label`` node."""
    return Label(_words(node, "name"))


def _graphql_authored(nodes: list[Json] | None) -> datetime | None:
    return _authored(nodes[0]["commit"]["authoredDate"]) if nodes else None


def review_from_graphql(node: Json) -> Review | None:
    """A ``PullRequestReview`` node; None for one that was never submitted."""
    submitted_at, state = _time(node["submittedAt"]), string(node, "state")
    if submitted_at is None or state not in SUBMITTED_STATES:
        return None
    return Review(
        review_id=integer(node, "fullDatabaseId"),
        node_id=string(node, "id"),
        reviewer=graphql_actor(node["author"]),
        state=state,
        submitted_at=submitted_at,
        has_text=bool(_words(node, "body").strip()),
    )


def event_from_graphql(node: Json) -> ReviewEvent | None:
    """A timeline item; None for a kind that we do not keep."""
    event = _GRAPHQL_EVENTS.get(string(node, "__typename"))
    if event is None:
        return None
    subject, is_team = _graphql_subject(node.get("requestedReviewer"))
    dismissed = node.get("review") or {}
    return ReviewEvent(
        event_id=string(node, "id"),
        event=event,
        actor=graphql_actor(node["actor"]),
        created_at=time(node["createdAt"]),
        subject=subject,
        subject_is_team=is_team,
        review_id=_optional_integer(dismissed, "fullDatabaseId"),
        previous_state=_text(node.get("previousReviewState")),
    )


def graphql_actor(node: Json | None) -> Actor:
    if node is None:
        return NOBODY
    kind = string(node, "__typename")
    return _actor(node["databaseId"] if kind in _NUMBERED else None, _words(node, "login"), kind == "Bot")


def _graphql_subject(node: Json | None) -> tuple[Actor, bool]:
    kind = None if node is None else string(node, "__typename")
    if node and kind == "Team":  # without its name where the token must not see it
        return Actor(_optional_integer(node, "databaseId"), _text(node.get("combinedSlug")), False), True
    return (graphql_actor(node) if kind in _NUMBERED else NOBODY), False


# ── REST ─────────────────────────────────────────────────────────────────────────────────────────────


def pull_request_from_rest(body: Json) -> PullRequest:
    """A body of ``GET /pulls/{number}``, or of the list, which lacks the sizes, the counts and who merged."""
    head, base, milestone = body.get("head") or {}, body.get("base") or {}, body.get("milestone")
    return PullRequest(
        pull_request_id=integer(body, "id"),
        node_id=string(body, "node_id"),
        number=integer(body, "number"),
        title=_words(body, "title"),
        author=rest_actor(body["user"]),
        is_draft="draft" in body and flag(body, "draft"),
        created_at=time(body["created_at"]),
        updated_at=time(body["updated_at"]),
        closed_at=_time(body["closed_at"]),
        merged_at=_time(body["merged_at"]),
        merged_by=rest_actor(body.get("merged_by")),
        additions=_optional_integer(body, "additions"),
        deletions=_optional_integer(body, "deletions"),
        changed_files=_optional_integer(body, "changed_files"),
        base_ref=_text(base.get("ref")),
        url=_text(body.get("html_url")) or "",
        head_ref=_text(head.get("ref")),
        is_from_fork=_is_from_fork(head, base) if head else None,
        milestone=None if milestone is None else _words(milestone, "title"),
        comments=_optional_integer(body, "comments"),
        commits=_optional_integer(body, "commits"),
        field_set=WITHOUT_FIRST_COMMIT if "commits" in body else None,
        labels=tuple({label.label: label for label in map(_rest_label, body.get("labels") or ())}.values()),
    )


def _rest_label(body: Json) -> Label:
    return Label(_words(body, "name"))


def _is_from_fork(head: Json, base: Json) -> bool:
    """A branch of the repository itself never loses its repository; a fork's is null once the fork is gone."""
    home, origin = base.get("repo"), head.get("repo")
    return origin is None or (home is not None and integer(origin, "id") != integer(home, "id"))


def first_commit_from_rest(commits: list[Json]) -> datetime | None:
    """When the first of ``GET /pulls/{number}/commits`` was authored; None where there is none."""
    return _authored((commits[0]["commit"].get("author") or {}).get("date")) if commits else None


def review_from_rest(body: Json) -> Review | None:
    """An object of ``GET /pulls/{number}/reviews``; None for one that was never submitted."""
    submitted_at = _time(body.get("submitted_at"))
    state = string(body, "state").upper()  # webhooks and timelines write it in lower case
    if submitted_at is None or state not in SUBMITTED_STATES:
        return None
    return Review(
        review_id=integer(body, "id"),
        node_id=_text(body.get("node_id")) or "",  # old ones have none
        reviewer=rest_actor(body["user"]),
        state=state,
        submitted_at=submitted_at,
        has_text=bool((_text(body.get("body")) or "").strip()),
    )


def event_from_rest(body: Json) -> ReviewEvent | None:
    """An object of ``GET /issues/{number}/timeline``; None for a kind that we do not keep."""
    event = _REST_EVENTS.get(_text(body.get("event")) or "")
    if event is None:
        return None
    team = body.get("requested_team")
    # Without a permission to see teams the key is there, and null; GraphQL says "a team", and no more.
    is_team = "requested_team" in body and "requested_reviewer" not in body
    subject = rest_actor(body.get("requested_reviewer"))
    if team:
        organization = _team_organization(team)
        slug = _text(team.get("slug") or team.get("name"))
        login = f"{organization}/{slug}" if organization else slug
        subject = Actor(_optional_integer(team, "id"), login, False)
    dismissed = body.get("dismissed_review") or {}
    state = dismissed.get("state")
    return ReviewEvent(
        event_id=string(body, "node_id"),
        event=event,
        actor=rest_actor(body["actor"]),
        created_at=time(body["created_at"]),
        subject=subject,
        subject_is_team=is_team or bool(team),
        review_id=_optional_integer(dismissed, "review_id"),
        previous_state=(_text(state) or "").upper() or None,
    )


def pull_request_from_webhook(payload: Json) -> PullRequest:
    """The pull request inside a ``pull_request`` or ``pull_request_review`` delivery, children unknown."""
    body = payload.get("pull_request")
    if not isinstance(body, Mapping):
        raise MalformedRecord("the webhook payload has no pull_request")
    return pull_request_from_rest(body)


def _team_organization(team: Json) -> str | None:
    # A team object carries no slug of its organisation but in its address: …/orgs/ORG/teams/SLUG.
    parts = str(team.get("html_url", "")).split("/")
    return parts[parts.index("orgs") + 1] if "orgs" in parts[:-1] else None


def rest_actor(user: Json | None) -> Actor:
    if user is None:
        return NOBODY
    login, page = _words(user, "login"), _APP_PAGE.search(str(user.get("html_url") or ""))
    if page and not login.endswith("[bot]") and page[1].lower() != login.lower():
        login = page[
            1
        ].lower()  # REST calls some Apps by a name: it says Copilot where GraphQL says copilot-swe-agent
    return _actor(integer(user, "id"), login, user.get("type") == "Bot" or page is not None)


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────


def _actor(database_id: object, login: str, is_bot: bool) -> Actor:
    name: str | None = login or None
    if database_id == _GHOST_ID or (database_id is None and name == "ghost"):
        return NOBODY
    if is_bot and name and _SLUG.fullmatch(name):
        name += "[bot]"  # REST and the web page write an App's slug so; GraphQL leaves it off
    return Actor(
        None if database_id is None else _number(database_id, "an account's id"),
        name,
        is_bot or bool(name and name.endswith("[bot]")),
    )


def _text(value: object) -> str | None:
    """Text that every database takes: no NUL, no half of a surrogate pair."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise MalformedRecord(f"{str(value)[:40]!r} is no text")
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _words(body: Json, field: str) -> str:
    """Free text, which has to be there but may be empty. Raises MalformedRecord."""
    text = _text(body.get(field))
    if text is None:
        raise MalformedRecord(f"{field} is missing")
    return text


def string(body: Json, field: str) -> str:
    """GitHub's own text, which has to be there: printable ASCII. Raises MalformedRecord."""
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise MalformedRecord(f"{field} is missing")
    if not value.isascii() or not value.isprintable():
        raise MalformedRecord(f"{field} is {value[:40]!r}")
    return value


def flag(body: Json, field: str) -> bool:
    """Yes or no, which has to be there. Raises MalformedRecord."""
    if not isinstance(body.get(field), bool):
        raise MalformedRecord(f"{field} is neither true nor false")
    return bool(body[field])


def integer(body: Json, field: str) -> int:
    """A number that has to be there. Raises MalformedRecord."""
    value = _optional_integer(body, field)
    if value is None:
        raise MalformedRecord(f"{field} is missing")
    return value


def _optional_integer(body: Json, field: str) -> int | None:
    value = body.get(field)
    return None if value is None else _number(value, field)


def _number(value: object, field: str) -> int:
    """A count or an id of 64 bits, which every database takes. GraphQL's BigInt comes as a string."""
    is_number = type(value) is int or (isinstance(value, str) and _DIGITS.fullmatch(value))
    number = int(str(value)) if is_number else _TOO_LARGE
    if not 0 <= number < _TOO_LARGE:
        raise MalformedRecord(f"{field} is {str(value)[:40]!r}, not a number that GitHub would give")
    return number


def full_name(body: Json, field: str) -> str:
    """A repository's ``owner/name``, which goes into addresses. Raises MalformedRecord."""
    try:
        return str(RepositoryName.parse(string(body, field)))
    except InvalidRepositoryName as error:
        raise MalformedRecord(str(error).partition(";")[0]) from None


def _time(value: object) -> datetime | None:
    return None if value is None else time(value)


def _authored(value: object) -> datetime | None:
    """When a commit was authored: by the clock of whoever made it, which may show any year."""
    try:
        return _time(value)
    except MalformedRecord:
        if isinstance(value, str):
            return None
        raise


def time(value: object) -> datetime:
    """An ISO 8601 time with its offset → naive UTC, as the warehouse keeps it. Raises MalformedRecord."""
    try:
        if not isinstance(value, str) or value[10:11] != "T":
            raise ValueError
        if len(value) == 20 and value[-1] == "Z":  # as GitHub writes it
            moment = datetime.fromisoformat(value[:-1])
        else:
            moment = datetime.fromisoformat(value)
        if moment.year not in _YEARS:  # the zero of some clock, or its end
            raise ValueError
    except ValueError:
        raise MalformedRecord(f"{str(value)[:40]!r} is not a time") from None
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
