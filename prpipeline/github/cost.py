"""What reading pull requests costs, before it is done; long lists of reviews and events come on top."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from prpipeline.model.usage import Cost

# Three requests each: what a killed sync has to read again, and less than an hour of the anonymous allowance.
REST_PAGE = 10

# Measured against GitHub: a page of 25 pull requests takes about 2.5 s, a REST request a fifth of a second.
_GRAPHQL_SECONDS = 2.5
_REST_SECONDS = 0.2
_REST_REQUESTS = 3  # a pull request, its reviews, its timeline


def graphql_cost(requests: int) -> Cost:
    """So many requests; each of ours costs a point."""
    return Cost(requests, requests, requests * _GRAPHQL_SECONDS)


def graphql_history(pull_requests: int, page_size: int) -> Cost:
    """The whole past of one repository."""
    pages = graphql_pages(pull_requests, page_size)
    return replace(graphql_cost(pages), points=pages * _page_points(page_size))


def graphql_rows(pull_requests: int, page_size: int) -> Cost:
    """Reading so many again; nothing where there are none."""
    return graphql_history(pull_requests, page_size) if pull_requests else Cost(0, 0, 0.0)


def _page_points(page_size: int) -> int:
    """A hundredth of the lists that a page of history.graphql can have, rounded: four for each pull request."""
    return max(1, (1 + 4 * page_size + 50) // 100)


def graphql_pages(pull_requests: int, page_size: int) -> int:
    return max(1, ceil(pull_requests / page_size))


def rest_history(pull_requests: int, page_size: int, *, first_commits: bool = False) -> Cost:
    """The complete history of one repository; each page of the list is read twice."""
    pages = ceil(pull_requests / min(page_size, REST_PAGE))
    rows = rest_rows(pull_requests, first_commits=first_commits)
    requests = 3 + 2 * pages + rows.requests
    return Cost(requests, 0, requests * _REST_SECONDS)


def rest_rows(pull_requests: int, *, first_commits: bool = False) -> Cost:
    """Reading so many again; ``first_commits`` take one request more each."""
    requests = (_REST_REQUESTS + first_commits) * pull_requests
    return Cost(requests, 0, requests * _REST_SECONDS)
