"""Which column comes of which: what an analyst follows in the UI from a number back to what GitHub said."""

import dagster as dg

from prpipeline.publish import dictionary

_PULL_REQUEST = "pull_requests"
_START = [(_PULL_REQUEST, "created_at")]
_READY = [*_START, ("review_events", "event"), ("review_events", "created_at")]
_REVIEWS = [
    ("reviews", "submitted_at"),
    ("reviews", "reviewer_id"),
    ("reviews", "reviewer_is_bot"),
    (_PULL_REQUEST, "author_id"),
    (_PULL_REQUEST, "merged_at"),
]
_TIMES = {
    "review_time_hours": [*_START, *_REVIEWS],
    "null_reason": _REVIEWS,
    "review_time_hours_any": [*_START, ("reviews", "submitted_at")],
    "pickup_time_hours": [*_READY, *_REVIEWS],
    "review_time_business_hours": [*_START, *_REVIEWS],
    "time_to_first_approval_hours": [*_READY, *_REVIEWS, ("reviews", "state")],
    "time_to_merge_hours": [*_READY, (_PULL_REQUEST, "merged_at")],
    "cycle_time_hours": [*_START, (_PULL_REQUEST, "merged_at")],
    "draft_hours": [*_READY, (_PULL_REQUEST, "is_draft"), (_PULL_REQUEST, "closed_at")],
    "waiting_hours": [*_READY, *_REVIEWS, (_PULL_REQUEST, "state")],
    "review_rounds": [*_REVIEWS, ("reviews", "state")],
    "first_reviewer_login": [("reviews", "reviewer_login"), *_REVIEWS],
    "first_review_state": [("reviews", "state"), *_REVIEWS],
    "first_review_at": _REVIEWS,
    "first_review_id": [("reviews", "review_id"), *_REVIEWS],
    "ready_at": _READY,
    "is_bot_author": [(_PULL_REQUEST, "author_is_bot"), (_PULL_REQUEST, "author_login")],
    "is_revert": [(_PULL_REQUEST, "title")],
    "is_hotfix": [(_PULL_REQUEST, "title"), (_PULL_REQUEST, "base_ref")],
    "created_week": _START,
}


def of_review_times() -> dg.MetadataValue:
    """Of the columns of review_time_hours; those that GitHub gives go by the same name."""
    given = {column.name for column in dictionary.load().table(_PULL_REQUEST).columns}
    sources = {
        column.name: _TIMES.get(column.name)
        or ([(_PULL_REQUEST, column.name)] if column.name in given else [])
        for column in dictionary.load().table("review_time_hours").columns
    }
    return _lineage(
        {name: [(("raw", table), column) for table, column in deps] for name, deps in sources.items()}
    )


def of_aggregate(table: str) -> dg.MetadataValue:
    """Of the columns of an aggregate: review_time_hours_p90 comes of review_time_hours."""
    times = [column.name for column in dictionary.load().table("review_time_hours").columns]
    sources = {
        column.name: max((t for t in times if f"{column.name}_".startswith(f"{t}_")), key=len, default=None)
        for column in dictionary.load().table(table).columns
    }
    return _lineage(
        {
            name: [(("metrics", "review_time_hours"), source)] if source else []
            for name, source in sources.items()
        }
    )


def in_words(table: str) -> dict[str, str]:
    """A sentence for each derived column of a table of metrics: Dagster's own UI draws lineage in its paid edition alone."""
    found = of_review_times() if table == "review_time_hours" else of_aggregate(table)
    assert isinstance(found, dg.TableColumnLineageMetadataValue)
    return {
        column: f"From {', '.join(f'`{d.asset_key.path[-1]}.{d.column_name}`' for d in sources)}."
        for column, sources in found.value.deps_by_column.items()
    }


def _lineage(sources: dict[str, list[tuple[tuple[str, str], str]]]) -> dg.MetadataValue:
    return dg.MetadataValue.column_lineage(
        dg.TableColumnLineage(
            {
                name: [dg.TableColumnDep(asset_key=list(key), column_name=column) for key, column in deps]
                for name, deps in sources.items()
                if deps
            }
        )
    )
