"""The cost of a sync before it runs: requests, points, and time with the remaining allowance.

Asks GitHub for counts only, one request a repository, and one whether it knows all that a sync asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from prpipeline.github.cost import graphql_cost, graphql_pages
from prpipeline.model.failures import ApiFailure
from prpipeline.model.repository import RepositoryName
from prpipeline.model.usage import Cost
from prpipeline.sync.increment import PROBE_SIZE
from prpipeline.sync.source import Source


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of one repository's history, ``error`` says why there is none; and of what is read again of it.

    ``hourly_limit``: the points (by REST: requests) that GitHub allows an hour; None where it does not limit them.
    """

    repository: str
    pull_requests: int | None
    requests: int
    points: int
    seconds: float
    error: str | None = None
    hourly_limit: int | None = None
    pull_requests_lacking_fields: int = 0  # stored ones that an earlier version read
    fill_up_pull_requests: int = 0  # of these, how many the next sync reads again
    fill_up_requests: int = 0


def estimate_history(source: Source, names: Sequence[str], days_back: int | None = None) -> list[Estimate]:
    """The cost of the complete histories of these repositories with this credential, one after the other.

    With ``days_back`` it costs less, but how much is unknown beforehand: the estimate is an upper bound. ``seconds``
    of each includes waiting for the next hour's allowance where the estimates before it have used up this one's.
    """
    estimates: list[Estimate] = []
    spent = 0
    is_checked = False
    for name in names:
        try:
            found, count = source.repository(RepositoryName.parse(name))
            if not is_checked:
                source.check_queries(name)
                is_checked = True
        except ApiFailure as failure:
            estimates.append(Estimate(name, None, 0, 0, 0.0, str(failure)))
            continue
        cost, allowance = source.cost(count or 0), source.allowance(name)
        waited = 0.0
        if allowance:  # a request takes one of it, by GraphQL and by REST
            waited = allowance.seconds_for(spent + cost.requests) - allowance.seconds_for(spent)
        spent += cost.requests
        seconds, limit = max(cost.seconds, waited), allowance.limit if allowance else None
        estimates.append(
            Estimate(found.full_name, count, cost.requests, cost.points, seconds, hourly_limit=limit)
        )
    return estimates


def with_fill_up(
    source: Source, estimates: Mapping[str, Estimate], lacking: Mapping[str, int], rows_a_run: int
) -> list[Estimate]:
    """The estimates, by tracked name, with what a sync of these repositories reads again of those in ``lacking``."""
    found, left = [], rows_a_run
    for name, estimate in estimates.items():
        rows = min(lacking.get(name, 0), left)
        left -= rows
        found.append(
            replace(
                estimate,
                pull_requests_lacking_fields=lacking.get(name, 0),
                fill_up_pull_requests=rows,
                fill_up_requests=source.cost_of_rows(rows).requests,
            )
        )
    return found


def day_cost(repositories: int, changed: int, pull_requests_each: int, page_size: int) -> Cost:
    """One increment: every repository is probed, changes are read, and the changed repositories are probed again."""
    probes = ceil(repositories / PROBE_SIZE)
    # Those that changed are spread over the probes; each probe's are read by themselves, and looked at again.
    busy = min(probes, changed)
    share = ceil(changed / busy) if busy else 0
    reads = busy * graphql_pages(share * pull_requests_each, page_size) if busy else 0
    return graphql_cost(probes + reads + busy)
