"""The keys of the assets, by what a run does for them. Derived from the tables that there are."""

from collections.abc import Container

import dagster as dg

from prpipeline.app.types import aggregate_tables, dictionary

PULL_REQUESTS = dg.AssetKey(["raw", "pull_requests"])
REVIEWS = dg.AssetKey(["raw", "reviews"])
REVIEW_EVENTS = dg.AssetKey(["raw", "review_events"])
RAW = (PULL_REQUESTS, REVIEWS, REVIEW_EVENTS)

JIRA_ISSUES = dg.AssetKey(["raw", "jira_issues"])  # where projects of Jira are selected

REVIEW_TIME_HOURS = dg.AssetKey(["metrics", "review_time_hours"])
SYNCED = (*RAW, REVIEW_TIME_HOURS)  # one partition per repository

AGGREGATES = tuple(dg.AssetKey(["metrics", table]) for table in aggregate_tables())

PUBLISHED_DATABASE = dg.AssetKey("published_database")
REVIEW_TIME_REPORT = dg.AssetKey("review_time_report")

_MADE_EARLIER = {key.path[-1] for key in (*SYNCED, *AGGREGATES)}

# The published tables that exist in the published file alone.
PUBLISHED_TABLES = tuple(
    dg.AssetKey(["published", table.name])
    for table in dictionary.load().tables
    if table.name not in _MADE_EARLIER
)
PUBLISHED = (PUBLISHED_DATABASE, *PUBLISHED_TABLES, REVIEW_TIME_REPORT)


def tables_of_jira(published: Container[str] | None = None) -> tuple[dg.AssetKey, ...]:
    """The published tables of issues, which the runs that publish make besides the others where Jira is used.

    ``published``: names of a release's tables; none are listed where it has none of issues.
    """
    if published is not None and "issues" not in published:
        return ()
    made_earlier = aggregate_tables(with_jira=True)
    return tuple(
        dg.AssetKey(["metrics" if table.name in made_earlier else "published", table.name])
        for table in dictionary.load(with_jira=True).of_group("jira")
    )
