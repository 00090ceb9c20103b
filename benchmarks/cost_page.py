"""The tables of docs/cost.md, computed by the code that computes ``prpipeline sync --dry-run``.

python -m benchmarks.cost_page
"""

from __future__ import annotations

from prpipeline.app.estimate import day_cost
from prpipeline.github.cost import graphql_history
from prpipeline.model.usage import Cost
from prpipeline.settings import SyncSettings

HISTORIES = (1_000, 10_000, 100_000)
DAYS = ((10, 10), (1_000, 50), (1_000, 1_000), (5_000, 250), (5_000, 5_000))
PULL_REQUESTS_CHANGED = 5  # in each changed repository

# A company, a very large one, and as much of GitHub as anybody would want.
SCALES = (10_000, 100_000, 1_000_000)
PULL_REQUESTS_EACH = 300
SHARE_CHANGED = 20  # one in so many repositories a day
# Measured on ten million pull requests with their reviews and events; CPU of one core.
WAREHOUSE_BYTES, PUBLISHED_BYTES = 210, 250  # a pull request
METRICS_SECONDS = 12e-6  # a pull request, all metrics computed anew


def tables() -> str:
    size = SyncSettings().page_size
    lines = ["| history of | requests | points | time |", "|---|---:|---:|---:|"]
    lines += [f"| {n:,} pull requests | {_cells(graphql_history(n, size))} |" for n in HISTORIES]
    lines += ["", "| a day of | in which changed | requests | points | time |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {n:,} repositories | {changed:,} | {_cells(day_cost(n, changed, PULL_REQUESTS_CHANGED, size))} |"
        for n, changed in DAYS
    ]
    lines += ["", *_scales(size)]
    return "\n".join(lines) + "\n"


def _scales(size: int) -> list[str]:
    lines = [
        "| repositories | requests of the histories | hours of one credential | with 10 credentials | a day: requests | "
        "hours of one credential | warehouse + published | all metrics, CPU |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for n in SCALES:
        requests = n * graphql_history(PULL_REQUESTS_EACH, size).requests
        hours = n * graphql_history(PULL_REQUESTS_EACH, size).seconds / 3600
        day = day_cost(n, n // SHARE_CHANGED, PULL_REQUESTS_CHANGED, size)
        pull_requests = n * PULL_REQUESTS_EACH
        sizes = (pull_requests * each / 1e9 for each in (WAREHOUSE_BYTES, PUBLISHED_BYTES))
        cells = [
            f"{n:,}",
            f"{requests:,}",
            f"{hours:,.0f}",
            f"{hours / 10:,.0f} h",
            f"{day.requests:,}",
            f"{day.seconds / 3600:.1f}",
            " + ".join(f"{gigabytes:.1f} GB" for gigabytes in sizes),
            f"{pull_requests * METRICS_SECONDS / 60:.1f} min",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cells(cost: Cost) -> str:
    minutes = cost.seconds / 60
    if minutes < 1.5:
        time = f"{cost.seconds:.0f} s"
    elif minutes < 90:
        time = f"{minutes:.0f} min"
    else:
        time = f"{minutes / 60:.1f} h"
    return f"{cost.requests:,} | {cost.points:,} | {time}"


if __name__ == "__main__":
    print(tables(), end="")
