"""Run the benchmarks against the sandbox and print tables: ``python -m benchmarks [--quick]``.

Seconds depend on the machine and its load; compare ratios within one run.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

import duckdb

from benchmarks.fetching import history, increment, memory
from benchmarks.publication import publication
from benchmarks.report import say
from benchmarks.upkeep import growth, records, start_up

SCENARIOS: tuple[Callable[[bool], None], ...] = (
    history,
    increment,
    publication,
    start_up,
    memory,
    growth,
    records,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under three minutes: less of everything")
    parser.add_argument("--only", action="append", choices=[s.__name__ for s in SCENARIOS])
    options = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    say(
        f"{os.cpu_count()} processors, load {load:.1f}, Python {sys.version.split()[0]}, DuckDB {duckdb.__version__}"
    )
    for scenario in SCENARIOS:
        if not options.only or scenario.__name__ in options.only:
            started = time.monotonic()
            scenario(options.quick)
            say(f"[dim]{scenario.__name__}: {time.monotonic() - started:.0f} s[/dim]\n")


if __name__ == "__main__":
    main()
