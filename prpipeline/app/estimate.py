"""What a sync would cost, before it is run: requests, points, and time at what is left of today's allowance.

Asks GitHub for counts only, one request a repository.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from prpipeline.github.rest_source import HYDRATED_AT_ONCE, RestSource
from prpipeline.model.failures import ApiFailure
from prpipeline.model.repository import RepositoryName
from prpipeline.sync.increment import PROBE_SIZE
from prpipeline.sync.source import Source

# Measured against GitHub: a page of 25 pull requests takes about 2.5 s, a REST request a fifth of a second.
_GRAPHQL_SECONDS = 2.5
_REST_SECONDS = 0.2
_REST_REQUESTS = 3  # a pull request, its reviews, its timeline
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of one repository's history. ``error`` says why there is none."""

    repository: str
    pull_requests: int | None
    requests: int
    points: int
    seconds: float
    error: str | None = None


def estimate_history(source: Source, names: Sequence[str], days_back: int | None = None) -> list[Estimate]:
    """What the whole past of these repositories would cost on this lane, one after the other.

    With ``days_back`` it costs less, by as much as nobody can know beforehand: the estimate is a bound. ``seconds``
    of each holds the waiting for the next hour's allowance where the estimates before it have used up this one's.
    """
    estimates: list[Estimate] = []
    spent = 0
    for name in names:
        try:
            found, count = source.repository(RepositoryName.parse(name))
        except ApiFailure as failure:
            estimates.append(Estimate(name, None, 0, 0, 0.0, str(failure)))
            continue
        requests = requests_for(source, count or 0)
        by_rest = isinstance(source, RestSource)
        seconds = requests * (_REST_SECONDS if by_rest else _GRAPHQL_SECONDS)
        waited = _waits(source, spent + requests) - _waits(source, spent)
        spent += requests
        estimates.append(
            Estimate(
                found.full_name,
                count,
                requests,
                0 if by_rest else requests,
                max(seconds, waited),
            )
        )
    return estimates


def requests_for(source: Source, pull_requests: int) -> int:
    """How many requests the history of so many pull requests takes; long reviews and events come on top."""
    size = source.client.sync.page_size
    if isinstance(source, RestSource):
        pages = ceil(pull_requests / min(size, HYDRATED_AT_ONCE))
        return 3 + 2 * pages + _REST_REQUESTS * pull_requests  # each page is looked at twice
    return history_cost(pull_requests, size).requests


@dataclass(frozen=True, slots=True)
class Cost:
    """By GraphQL, where a request of ours costs a point; without waiting for allowances."""

    requests: int
    seconds: float

    @property
    def points(self) -> int:
        return self.requests


def history_cost(pull_requests: int, page_size: int) -> Cost:
    """The whole past of one repository."""
    requests = _pages(pull_requests, page_size)
    return Cost(requests, requests * _GRAPHQL_SECONDS)


def day_cost(repositories: int, changed: int, pull_requests_each: int, page_size: int) -> Cost:
    """One increment: every repository is probed, what changed is read, and what was read is probed again."""
    probes = ceil(repositories / PROBE_SIZE)
    # Those that changed are spread over the probes; each probe's are read by themselves, and looked at again.
    busy = min(probes, changed)
    share = ceil(changed / busy) if busy else 0
    reads = busy * _pages(share * pull_requests_each, page_size) if busy else 0
    requests = probes + reads + busy
    return Cost(requests, requests * _GRAPHQL_SECONDS)


def _pages(pull_requests: int, page_size: int) -> int:
    return max(1, ceil(pull_requests / page_size))


def _waits(source: Source, requests: int) -> float:
    """How long until the allowance has let so many requests through; one costs a point by GraphQL."""
    known = source.client.budget("core" if isinstance(source, RestSource) else "graphql")
    if known is None or known.limit <= 0:
        return 0.0
    reserve = known.limit * source.client.sync.reserve_percent // 100
    missing = requests - max(0, known.remaining - reserve)
    if missing <= 0:
        return 0.0
    until_reset = max(0.0, (known.resets_at - source.client.server_now()) / timedelta(seconds=1))
    per_hour = max(1, known.limit - reserve)
    return until_reset + (ceil(missing / per_hour) - 1) * _HOUR
