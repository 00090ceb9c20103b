"""The recording of a real repository: its REST answers, and what other projects compute from them."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from prpipeline.github.mapping import pull_request_from_rest, review_from_rest
from prpipeline.model.pull_requests import Review
from prpipeline.warehouse import records
from prpipeline_tests.support.metrics_lab import MetricsLab


def load(folder: Path, lab: MetricsLab) -> None:
    """Write all recorded pull requests and reviews into the warehouse; the recording has no events."""
    reviews: dict[int, list[Review]] = defaultdict(list)
    for body in lines(folder / "reviews.jsonl.gz"):
        review = review_from_rest(body)
        if review and not body.get("_inferred_from_comments"):
            reviews[body["pull_number"]].append(review)
    pull_requests = [pull_request_from_rest(body) for body in lines(folder / "pulls.jsonl.gz")]
    whole = [(1, pr.with_children(tuple(reviews[pr.number]), ())) for pr in pull_requests]
    records.write(lab.connection, whole, datetime(2026, 9, 1))


def third_party_times(folder: Path) -> dict[int, dict[str, Any]]:
    """The rows of the other projects' results by number; an empty value is None."""
    with (folder / "third_party_times.csv").open(encoding="utf-8", newline="") as file:
        return {
            int(row["number"]): {name: value or None for name, value in row.items()}
            for row in csv.DictReader(file)
        }


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The recorded answers, one a line."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
