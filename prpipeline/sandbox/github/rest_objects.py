"""The objects of the world as REST's JSON. `base` is the server's own URL, as REST objects link to each other."""

from __future__ import annotations

from typing import Any

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
from prpipeline.sandbox.github.readers import WEB
from prpipeline.sandbox.github.visibility import alive

# Fields of GET /pulls/{number} that GET /pulls does not have.
DETAILS = (
    "additions", "changed_files", "comments", "commits", "deletions", "maintainer_can_modify", "mergeable",
    "mergeable_state", "merged", "merged_by", "rebaseable", "review_comments",
)  # fmt: skip
# Events of the timeline that GET /issues/{number}/events leaves out.
TIMELINE_ONLY = ("commented", "committed", "reviewed")


def user(actor: Actor | None, base: str) -> dict[str, Any] | None:
    """A simple user; null where the account is gone."""
    if alive(actor) is None or actor is None:
        return None
    return {
        "login": actor.rest_login,
        "id": actor.id,
        "node_id": actor.node_id,
        "avatar_url": f"https://avatars.githubusercontent.com/u/{actor.id}?v=4",
        "gravatar_id": "",
        "url": f"{base}/users/{actor.rest_login}",
        "html_url": f"{WEB}/apps/{actor.login}" if actor.kind == "Bot" else f"{WEB}/{actor.login}",
        "type": actor.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def team(found: Team, base: str) -> dict[str, Any]:
    """A team."""
    return {
        "name": found.name,
        "id": found.id,
        "node_id": found.node_id,
        "slug": found.slug,
        "description": None,
        "privacy": "secret" if found.secret else "closed",
        "permission": "push",
        "url": f"{base}/organizations/{found.organization.id}/team/{found.id}",
        "html_url": f"{WEB}/orgs/{found.organization.login}/teams/{found.slug}",
        "parent": found.parent and team(found.parent, base),
    }


def repository(found: Repository, base: str) -> dict[str, Any]:
    """A repository."""
    url = f"{base}/repos/{found.full_name}"
    return {
        "id": found.id,
        "node_id": found.node_id,
        "name": found.name,
        "full_name": found.full_name,
        "private": found.private,
        "owner": user(found.owner, base),
        "html_url": f"{WEB}/{found.full_name}",
        "description": None,
        "fork": found.fork,
        "url": url,
        "pulls_url": f"{url}/pulls{{/number}}",
        "issues_url": f"{url}/issues{{/number}}",
        "created_at": iso(found.created_at),
        "updated_at": iso(found.updated_at),
        "pushed_at": iso(found.updated_at),
        "archived": found.archived,
        "disabled": found.blocked is not None,
        "visibility": "private" if found.private else "public",
        "default_branch": found.default_branch,
        "open_issues_count": len(found.ordered("created_at", ("OPEN",))),
    }


def pull_request(pr: PullRequest, base: str, *, detailed: bool, teams: bool = True) -> dict[str, Any]:
    """A pull request; with `detailed`, as GET /pulls/{number} returns it."""
    home = pr.repository
    url = f"{base}/repos/{home.full_name}"
    home_object = repository(home, base)
    owner = home.owner.login
    body: dict[str, Any] = {
        "url": f"{url}/pulls/{pr.number}",
        "id": pr.id,
        "node_id": pr.node_id,
        "html_url": WEB + pr.path(),
        "issue_url": f"{url}/issues/{pr.number}",
        "number": pr.number,
        "state": "open" if pr.state == "OPEN" else "closed",
        "locked": pr.locked,
        "title": pr.title,
        "user": user(pr.author, base),
        "body": pr.body or None,  # null where nothing was ever written
        "created_at": iso(pr.created_at),
        "updated_at": iso(pr.updated_at),
        "closed_at": iso(pr.closed_at),
        "merged_at": iso(pr.merged_at),
        "assignees": [],
        "requested_reviewers": [
            user(r, base) for r in pr.requested_reviewers if isinstance(r, Actor) and alive(r)
        ],
        "requested_teams": [team(r, base) for r in pr.requested_reviewers if isinstance(r, Team) and teams],
        "labels": [
            {
                "id": label.id,
                "node_id": label.node_id,
                "name": label.name,
                "color": "ededed",
                "default": False,
            }
            for label in pr.labels
        ],
        "milestone": milestone(pr),
        "draft": pr.is_draft,
        "head": {
            "label": f"{owner}:{pr.head_ref}",
            "ref": pr.head_ref,
            "sha": pr.head_oid,
            "user": user(home.owner, base),
            "repo": _head_repository(pr, home_object),
        },
        "base": {
            "label": f"{owner}:{pr.base_ref}",
            "ref": pr.base_ref,
            "sha": f"{home.id:040x}",
            "user": user(home.owner, base),
            "repo": home_object,
        },
        "author_association": pr.association,
        "auto_merge": None,
        "active_lock_reason": None,
        "_links": {"self": {"href": f"{url}/pulls/{pr.number}"}},
    }
    if detailed:
        body |= {
            "merged": pr.state == "MERGED",
            "mergeable": None,
            "rebaseable": None,
            "mergeable_state": "unknown",
            "merged_by": user(pr.merged_by, base),
            "comments": pr.comments,
            "review_comments": pr.review_comments,
            "maintainer_can_modify": False,
            "commits": pr.commits,
            "additions": pr.additions,
            "deletions": pr.deletions,
            "changed_files": pr.changed_files,
        }
    return body


def _head_repository(pr: PullRequest, home: dict[str, Any]) -> dict[str, Any] | None:
    if not pr.is_cross_repository:
        return home
    if pr.is_fork_gone:
        return None
    owner = pr.author.login if pr.author else "ghost"
    return home | {
        "id": home["id"] + 1_000_000_000,
        "node_id": f"R_fork{home['id']:x}",
        "full_name": f"{owner}/{home['name']}",
        "fork": True,
    }


def milestone(pr: PullRequest) -> dict[str, Any] | None:
    """The milestone of a pull request."""
    found = pr.milestone
    if found is None:
        return None
    return {
        "id": found.id,
        "node_id": found.node_id,
        "number": found.number,
        "title": found.title,
        "state": "open",
    }


def commit(found: Commit, base: str, author: Actor | None = None) -> dict[str, Any]:
    """A commit of `GET /pulls/{number}/commits`, where nobody's account is known, or of `GET /commits?author=`."""
    email = (author and author.commit_email) or "somebody@example.com"
    somebody = {"name": "Somebody", "email": email, "date": iso(found.authored_at)}
    return {
        "sha": found.oid,
        "node_id": f"C_kwDO{found.oid}",
        "commit": {"author": somebody, "committer": somebody, "message": "A commit"},
        "author": author and user(author, base),
        "committer": None,
        "parents": [],
    }


def issue(pr: PullRequest, base: str) -> dict[str, Any]:
    """The issue behind a pull request; it has an id of its own."""
    url = f"{base}/repos/{pr.repository.full_name}"
    return {
        "url": f"{url}/issues/{pr.number}",
        "id": pr.issue_id,
        "node_id": f"I_kwDO{pr.issue_id:016x}",
        "html_url": WEB + pr.path(),
        "number": pr.number,
        "title": pr.title,
        "user": user(pr.author, base),
        "state": "open" if pr.state == "OPEN" else "closed",
        "comments": pr.comments,
        "created_at": iso(pr.created_at),
        "updated_at": iso(pr.updated_at),
        "closed_at": iso(pr.closed_at),
        "author_association": pr.association,
        "draft": pr.is_draft,
        "pull_request": {
            "url": f"{url}/pulls/{pr.number}",
            "html_url": WEB + pr.path(),
            "merged_at": iso(pr.merged_at),
        },
    }


def review(found: Review, base: str) -> dict[str, Any]:
    """A review; a pending one has no `submitted_at` at all."""
    pr = found.pull_request
    pull_url = f"{base}/repos/{pr.repository.full_name}/pulls/{pr.number}"
    web_url = f"{WEB}{pr.path()}#pullrequestreview-{found.id}"
    body: dict[str, Any] = {
        "id": found.id,
        "node_id": found.node_id,
        "user": user(found.author, base),
        "body": found.body,
        "state": found.state,
        "html_url": web_url,
        "pull_request_url": pull_url,
        "author_association": found.association,
        "_links": {"html": {"href": web_url}, "pull_request": {"href": pull_url}},
        "commit_id": found.commit_oid,
    }
    if found.submitted_at:
        body["submitted_at"] = iso(found.submitted_at)
    return body


def event(found: TimelineEvent, base: str, *, teams: bool = True) -> dict[str, Any]:
    """An event of a timeline or of an issue."""
    pr = found.pull_request
    url = f"{base}/repos/{pr.repository.full_name}"
    if found.kind == "commented":
        return {
            "event": "commented",
            "id": found.id,
            "node_id": found.node_id,
            "url": f"{url}/issues/comments/{found.id}",
            "actor": user(found.actor, base),
            "user": user(found.actor, base),
            "body": found.after,
            "created_at": iso(found.created_at),
            "updated_at": iso(found.created_at),
        }
    body: dict[str, Any] = {
        "id": found.id,
        "node_id": found.node_id,
        "url": f"{url}/issues/events/{found.id}",
        "actor": user(found.actor, base),
        "event": found.kind,
        "commit_id": None,
        "commit_url": None,
        "created_at": iso(found.created_at),
        "performed_via_github_app": None,
    }
    reviewer = found.requested_reviewer
    if found.kind in ("review_requested", "review_request_removed"):
        body["review_requester"] = user(found.actor, base)
        if isinstance(reviewer, Team):
            body["requested_team"] = team(reviewer, base) if teams else None
        else:
            body["requested_reviewer"] = user(reviewer, base)
    if found.kind == "review_dismissed" and found.review:
        body["dismissed_review"] = {
            "state": (found.previous_state or "").lower(),
            "review_id": found.review.id,
            "dismissal_message": None,
        }
    if found.label:
        body["label"] = {"name": found.label.name, "color": "ededed"}
    if found.kind == "renamed":
        body["rename"] = {"from": found.before, "to": found.after}
    return body


def timeline(pr: PullRequest, reviews: list[Review], base: str, *, teams: bool) -> list[dict[str, Any]]:
    """Everything on a pull request's page in order of time; commits come first and have neither id nor event time."""
    commit = {
        "event": "committed",
        "sha": pr.head_oid,
        "node_id": f"C_kwDO{pr.head_oid[:16]}",
        "author": {"name": "Somebody", "email": "somebody@example.com", "date": iso(pr.created_at)},
        "message": pr.title,
    }
    dated = [(e.created_at, e.id, event(e, base, teams=teams)) for e in pr.events]
    dated += [
        (r.submitted_at, r.id, review(r, base) | {"event": "reviewed", "state": r.state.lower()})
        for r in reviews
        if r.submitted_at
    ]
    dated.sort(key=lambda item: item[:2])
    return [commit, *(body for _, _, body in dated)]
