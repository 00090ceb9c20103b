"""Writes the report's file in one step, so that no reader opens half of it."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prpipeline.model.sql import Connection
from prpipeline.report.content import ONE_BY_ONE, Content, read_content
from prpipeline.report.options import DEFAULTS, ReportOptions
from prpipeline.report.page import render

FILE_NAME = "review_time_report.html"
MOST_BYTES = 5_000_000
"""The size of the report's file that is not exceeded: what does not fit is in it as sums only."""

_FEWEST = 1_000


@dataclass(frozen=True, slots=True)
class ReportInfo:
    """A written report, and what it covers."""

    path: Path
    size_bytes: int
    published_at: datetime
    repositories: int
    repositories_failed: int
    waiting: int
    is_sample_data: bool
    seconds: float


def write_report(connection: Connection, target: Path, options: ReportOptions = DEFAULTS) -> ReportInfo:
    """Write the report of the published database to ``target``.

    Raises OSError and EarlierVersionError; the file that was there before then stays.
    """
    started = time.monotonic()
    content, document = _fitting(connection, options)
    _replace(target, document)
    return ReportInfo(
        path=target,
        size_bytes=len(document),
        published_at=datetime.fromisoformat(content["status"]["published_at"]).replace(tzinfo=None),
        repositories=len(content["repositories"]["rows"]),
        repositories_failed=content["repositories_failed"],
        waiting=content["waiting"],
        is_sample_data=bool(content["status"].get("is_sample_data")),
        seconds=round(time.monotonic() - started, 3),
    )


def _fitting(connection: Connection, options: ReportOptions) -> tuple[Content, bytes]:
    one_by_one = ONE_BY_ONE
    while True:
        content = read_content(connection, options, one_by_one)
        document = render(content).encode()
        if len(document) <= MOST_BYTES or one_by_one <= _FEWEST:
            return content, document
        packed = len(content["rows"])
        fitting = max(0, MOST_BYTES - len(document) + packed)
        shown = min(one_by_one, int(content["pull_requests"]))
        one_by_one = max(_FEWEST, int(0.9 * shown * fitting / packed))


def _replace(target: Path, document: bytes) -> None:
    # The folder is a link that moves with each publication: temporary file and target must be in the same folder.
    folder = target.parent.resolve(strict=True)
    unfinished = folder / f".{target.name}-{uuid.uuid4().hex}"
    try:
        unfinished.write_bytes(document)
        os.replace(unfinished, folder / target.name)
    finally:
        unfinished.unlink(missing_ok=True)
