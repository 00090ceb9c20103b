"""The rows of schema raw: how they are read from a warehouse, and what they should be by a sandbox's world."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prpipeline.sandbox.github import Actor, World

EVENTS = {
    "ready_for_review": "ready_for_review",
    "convert_to_draft": "converted_to_draft",
    "review_requested": "review_requested",
    "review_request_removed": "review_request_removed",
    "review_dismissed": "review_dismissed",
    "closed": "closed",
    "reopened": "reopened",
}
Rows = dict[str, list[tuple[Any, ...]]]


def held_sql(teams: bool) -> dict[str, str]:
    subject = "subject_id, subject_login" if teams else "NULL, NULL"
    return {
        "pull_requests": """
            SELECT repository_id, pull_request_id, node_id, number, title, state, author_id, author_login,
                author_is_bot, is_draft, created_at, updated_at, closed_at, merged_at, merged_by_id,
                merged_by_login, additions, deletions, changed_files, base_ref, url, head_ref, is_from_fork,
                milestone, comments, commits, first_commit_at
            FROM raw.pull_requests""",
        "reviews": """
            SELECT repository_id, pull_request_id, number, review_id, node_id, reviewer_id, reviewer_login,
                reviewer_is_bot, state, submitted_at, has_text
            FROM raw.reviews""",
        "pull_request_labels": "SELECT repository_id, pull_request_id, number, label FROM raw.pull_request_labels",
        "review_events": f"""
            SELECT repository_id, pull_request_id, number, event_id, event, actor_id, actor_login, {subject},
                subject_is_team, review_id, previous_state, created_at
            FROM raw.review_events""",
    }


def expected_rows(world: World, *, teams: bool = True, first_commits: bool = True) -> Rows:
    rows: Rows = {table: [] for table in held_sql(teams)}
    for repository in world.repositories.values():
        for pr in repository.pull_requests.values():
            ids = (repository.id, pr.id)
            rows["pull_requests"].append(
                (
                    *ids,
                    pr.node_id,
                    pr.number,
                    pr.title,
                    pr.state.lower(),
                    *_actor(pr.author),
                    pr.is_draft,
                    _naive(pr.created_at),
                    _naive(pr.updated_at),
                    _naive(pr.closed_at),
                    _naive(pr.merged_at),
                    *_actor(pr.merged_by)[:2],
                    pr.additions,
                    pr.deletions,
                    pr.changed_files,
                    pr.base_ref,
                    "https://github.com" + pr.path(),
                    pr.head_ref,
                    pr.is_cross_repository,
                    pr.milestone.title if pr.milestone else None,
                    pr.comments,
                    pr.commits,
                    _naive(pr.first_commit_at or pr.created_at) if pr.commits and first_commits else None,
                )
            )
            rows["pull_request_labels"] += [(*ids, pr.number, label.name) for label in pr.labels]
            for review in pr.reviews:
                if review.submitted_at:
                    rows["reviews"].append(
                        (
                            *ids,
                            pr.number,
                            review.id,
                            review.node_id,
                            *_actor(review.author),
                            review.state,
                            _naive(review.submitted_at),
                            bool(review.body.strip()),
                        )
                    )
            for event in pr.events:
                if event.kind in EVENTS:
                    who = event.requested_reviewer
                    is_team = who is not None and not isinstance(who, Actor)
                    subject: tuple[Any, Any] = (None, None)
                    if who is not None and teams:
                        subject = _actor(who)[:2] if isinstance(who, Actor) else (who.id, who.combined_slug)
                    rows["review_events"].append(
                        (
                            *ids,
                            pr.number,
                            event.node_id,
                            EVENTS[event.kind],
                            *_actor(event.actor)[:2],
                            *subject,
                            is_team,
                            event.review.id if event.review else None,
                            event.previous_state,
                            _naive(event.created_at),
                        )
                    )
    return {table: sorted(content, key=repr) for table, content in rows.items()}


def _actor(actor: Actor | None) -> tuple[int | None, str | None, bool]:
    if actor is None or actor.deleted:
        return None, None, False
    is_bot = actor.kind == "Bot"
    return actor.id, f"{actor.login}[bot]" if is_bot else actor.login, is_bot


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
