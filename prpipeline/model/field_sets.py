"""The fields that a pull request's row was read with, as a number: by it sync finds the rows that lack newer ones.

Each set adds fields to those before it. A new field goes into a new set, never into one that rows were read with. Keys in bodies,
which are read only where somebody chose that, are in none: a row says by itself whether it has them (``has_body_keys``).
"""

from __future__ import annotations

FIELD_SETS: dict[int, frozenset[str]] = {
    1: frozenset(
        {
            "pull_request_id",
            "node_id",
            "number",
            "title",
            "author",
            "is_draft",
            "created_at",
            "updated_at",
            "closed_at",
            "merged_at",
            "merged_by",
            "additions",
            "deletions",
            "changed_files",
            "base_ref",
            "url",
            "reviews.review_id",
            "reviews.node_id",
            "reviews.reviewer",
            "reviews.state",
            "reviews.submitted_at",
            "events.event_id",
            "events.event",
            "events.actor",
            "events.created_at",
            "events.subject",
            "events.subject_is_team",
            "events.review_id",
            "events.previous_state",
        }
    ),
    2: frozenset(
        {
            "head_ref",
            "is_from_fork",
            "milestone",
            "comments",
            "commits",
            "labels.label",
            "reviews.has_text",
        }
    ),
    3: frozenset({"first_commit_at"}),
}
"""By number the fields that it added; a child's field after the name of the children."""

FIELD_SET = max(FIELD_SETS)
"""All that we know to read."""

WITHOUT_FIRST_COMMIT = next(n for n in FIELD_SETS if "first_commit_at" in FIELD_SETS[n]) - 1
"""What REST gives without a further request a pull request."""
