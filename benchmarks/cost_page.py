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


def tables() -> str:
    size = SyncSettings().page_size
    lines = ["| history of | requests | points | time |", "|---|---:|---:|---:|"]
    lines += [f"| {n:,} pull requests | {_cells(graphql_history(n, size))} |" for n in HISTORIES]
    lines += ["", "| a day of | in which changed | requests | points | time |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {n:,} repositories | {changed:,} | {_cells(day_cost(n, changed, PULL_REQUESTS_CHANGED, size))} |"
        for n, changed in DAYS
    ]
    return "\n".join(lines) + "\n"


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
